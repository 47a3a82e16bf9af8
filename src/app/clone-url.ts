import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { SwarmError } from '../contract/errors.ts';

/** Addresses behind which there are things of the operator's own. */
const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(net, bits, 'ipv6');

/** True for an address that is not out on the Internet. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return isPrivateAddress(mapped);
  return PRIVATE.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Refuses to clone from where an agent has no business to make the server look: paths, files, and addresses that are
 * not out on the Internet, unless the operator allows them.
 */
export async function checkCloneUrl(url: string, { allowLocal }: { allowLocal: boolean }): Promise<void> {
  if (url.startsWith('-') || /[\s\p{Cc}]/u.test(url)) throw refused('it is no address');
  if (/^[a-z][a-z0-9+.-]*::/i.test(url)) throw refused('it names a program');
  if (allowLocal) return;
  const host = hostOf(url);
  if (host === undefined) throw refused('only https, http, ssh and git addresses can be cloned from');
  const addresses = await addressesOf(host);
  if (addresses.length === 0 || addresses.some(isPrivateAddress))
    throw refused(`${host} is not a public address`);
}

async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host)) return [host];
  try {
    return (await lookup(host, { all: true })).map((each) => each.address);
  } catch {
    return [];
  }
}

function hostOf(url: string): string | undefined {
  const short = /^(?:[\w.-]+@)?([\w.-]+|\[[0-9a-f:.]+\]):(?!\/\/)(?!\d+\/)/i.exec(url)?.[1];
  if (short !== undefined && !url.includes('://')) return short.replace(/^\[|\]$/g, '');
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^(https?|ssh|git):$/.test(parsed.protocol)) return undefined;
  return parsed.hostname.replace(/^\[|\]$/g, '');
}

function refused(why: string): SwarmError {
  return new SwarmError('invalid', `The clone URL is refused: ${why}.`, {
    fix: 'Give an https or ssh address; the operator may allow others with GITSWARM_ALLOW_LOCAL_CLONES=1.',
  });
}
