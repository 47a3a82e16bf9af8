import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublicAddress } from '../base/public-address.ts';
import { SwarmError } from '../contract/errors.ts';

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
  if (addresses.length === 0 || !addresses.every(isPublicAddress))
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
