import { lookup as dnsLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublicAddress } from '../base/public-address.ts';
import { shellWord } from '../base/shell-word.ts';
import { SwarmError } from '../contract/errors.ts';
import type { GitEnv } from './git-env.ts';
import { type GitPlace, runGit } from './run-git.ts';

/** The way to a remote that has been looked at. */
export interface Transport {
  /** The address in the words in which it was judged: another reading of the same text could mean another host. */
  url: string;
  settings: readonly (readonly [key: string, value: string])[];
  env: Readonly<Record<string, string>>;
}

export interface TransportRules {
  /** Paths, files and addresses that are not out on the Internet are allowed. */
  allowLocal: boolean;
  lookup?: (host: string) => Promise<string[]>;
}

interface Target {
  url: string;
  protocol: 'http' | 'ssh';
  host: string;
  port: number;
}

/** The others run programs, read files of the machine, or ask by names that cannot be held fast. */
const OVER_NETWORK = 'https:http:ssh';

/**
 * Refuses to reach where an agent has no business to make a server look: paths, files, and addresses that are not out on
 * the Internet, unless the operator allows them. What was looked at is fixed: the name is not resolved again, and
 * nothing is followed elsewhere.
 */
export async function safeTransport(place: GitPlace, url: string, rules: TransportRules): Promise<Transport> {
  if (url.startsWith('-') || /[\s\p{Cc}\\]/u.test(url)) throw refused('it is no address');
  if (/^[a-z][a-z0-9+.-]*::/i.test(url)) throw refused('it names a program');
  if (rules.allowLocal) return { url, settings: [], env: { GIT_ALLOW_PROTOCOL: `${OVER_NETWORK}:git:file` } };
  const target = targetOf(url);
  if (target === undefined) throw refused('only https, http and ssh addresses can be reached');
  const addresses = isIP(target.host) ? [target.host] : await (rules.lookup ?? resolve)(target.host);
  if (addresses.length === 0 || !addresses.every(isPublicAddress))
    throw refused(`${target.host} is not a public address`);
  return pinTo(place, target, addresses);
}

/** The same, with the addresses given. */
export async function pinTo(
  place: GitPlace,
  target: Target,
  addresses: readonly string[],
): Promise<Transport> {
  const { url, host, port } = target;
  const env = { GIT_ALLOW_PROTOCOL: OVER_NETWORK };
  if (target.protocol === 'ssh') {
    const command = await pinnedSsh(place, target, addresses[0] ?? '');
    return { url, settings: [], env: { ...env, GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: 'ssh' } };
  }
  const all = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address)).join(',');
  const pin = isIP(host) ? [] : ([['http.curloptResolve', `${host}:${port}:${all}`]] as const);
  // Alternates of a repository that is only files are followed by the same rule.
  return { url, settings: [['http.followRedirects', 'false'], ...pin], env };
}

/** The environment in which git takes this way. */
export function withTransport(env: GitEnv, { settings, env: more }: Transport): GitEnv {
  const count = Number(env.GIT_CONFIG_COUNT ?? 0);
  const added: Record<string, string> = {};
  settings.forEach(([key, value], i) => {
    added[`GIT_CONFIG_KEY_${count + i}`] = key;
    added[`GIT_CONFIG_VALUE_${count + i}`] = value;
  });
  return { ...env, ...more, ...added, GIT_CONFIG_COUNT: String(count + settings.length) };
}

/** The operator's own way to call ssh, told where to go; the keys of the host are those of its name. */
async function pinnedSsh(place: GitPlace, { host, port }: Target, address: string): Promise<string> {
  const { GIT_SSH_COMMAND: own, GIT_SSH: program } = place.env;
  const asked = await runGit(place, ['config', '--get', 'core.sshCommand'], { okExits: [0, 1] });
  const base = own ?? (asked.stdout.trim() || (program ? shellWord(program) : 'ssh'));
  const alias = port === 22 ? host : `[${host}]:${port}`;
  const options = [`HostName=${address}`, `HostKeyAlias=${alias}`, 'ProxyCommand=none', 'ProxyJump=none'];
  return [base, ...options.map((option) => `-o ${shellWord(option)}`)].join(' ');
}

async function resolve(host: string): Promise<string[]> {
  try {
    return (await dnsLookup(host, { all: true })).map((each) => each.address);
  } catch {
    return [];
  }
}

function targetOf(url: string): Target | undefined {
  const short = /^(?:[\w.-]+@)?([\w.-]+|\[[0-9a-f:.]+\]):(?!\/\/)(?!\d+\/)/i.exec(url)?.[1];
  if (short !== undefined && !url.includes('://'))
    return { url, protocol: 'ssh', host: bare(short), port: 22 };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isSsh = parsed?.protocol === 'ssh:';
  if (!parsed || !(isSsh || /^https?:$/.test(parsed.protocol))) return undefined;
  const host = bare(parsed.hostname);
  if (!isIP(host) && !/^[\w.-]+$/.test(host)) return undefined;
  const usual = isSsh ? 22 : parsed.protocol === 'https:' ? 443 : 80;
  const port = parsed.port === '' ? usual : Number(parsed.port);
  return { url: parsed.href, protocol: isSsh ? 'ssh' : 'http', host, port };
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function refused(why: string): SwarmError {
  return new SwarmError('invalid', `The clone URL is refused: ${why}.`, {
    fix: 'Give an https or ssh address; the operator may allow others with GITSWARM_ALLOW_LOCAL_CLONES=1.',
  });
}
