import { createHmac, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { isPublicAddress } from '../../base/public-address.ts';

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
