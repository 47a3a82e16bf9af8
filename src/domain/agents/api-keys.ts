import { randomBytes } from 'node:crypto';
import { sha256 } from '../../base/digest.ts';

/** A new API key: `gsw_` and 32 random bytes in hex. It is shown once; only its hash is stored. */
export function newApiKey(): string {
  return `gsw_${randomBytes(32).toString('hex')}`;
}

/** What the database stores of a key. A key is random, so a plain SHA-256 is enough. */
export function hashApiKey(key: string): string {
  return sha256(key);
}
