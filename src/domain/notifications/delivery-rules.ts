import { createHmac, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long to wait after each failed attempt; after the last one it is given up. */
const WAITS = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR];

/** Milliseconds to the next attempt after this many have failed; null where it is given up. */
export function retryDelay(attempts: number): number | null {
  return WAITS[attempts - 1] ?? null;
}

/** The signature of a body sent at a time (seconds since the epoch): `sha256=` and hex digits. */
export function signBody(secret: string, sent: { timestamp: number; body: string }): string {
  return `sha256=${createHmac('sha256', secret).update(`${sent.timestamp}.${sent.body}`).digest('hex')}`;
}

/** What a receiver does: compares in constant time, and refuses what was sent too long ago to be fresh. */
export function verifyBody(
  secret: string,
  received: { timestamp: number; body: string; signature: string; now: number; toleranceSeconds?: number },
): boolean {
  const age = Math.abs(received.now / 1000 - received.timestamp);
  if (!(age <= (received.toleranceSeconds ?? 300))) return false;
  const [given, expected] = [Buffer.from(received.signature), Buffer.from(signBody(secret, received))];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** True for an address of the open internet: neither this machine nor its network, nor one that leads back to them. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return family === 4 ? !CLOSED_4.check(address, 'ipv4') : !CLOSED_6.check(address, 'ipv6');
}

/** Why nothing is sent to this URL, whatever its name resolves to; null where the name decides. */
export function whyNotUrl(text: string, allowPrivate: boolean): string | null {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'it is no http or https address';
  if (url.username !== '' || url.password !== '') return 'it carries a name or password';
  if (allowPrivate) return null;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return isPublicAddress(host) ? null : `${host} is not a public address`;
  const isLocal = !host.includes('.') || /\.(local|localhost|internal|home\.arpa)\.?$/i.test(host);
  return isLocal ? `${host} is not a public name` : null;
}

// Two lists: one would take every IPv4 address for one of those that are mapped into IPv6.
const CLOSED_4 = new BlockList();
const CLOSED_6 = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  CLOSED_4.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  CLOSED_6.addSubnet(network, bits, 'ipv6');
