import { createHash } from 'node:crypto';
import { isId } from '../base/ids.ts';

/**
 * The id that an earlier program's id becomes: 32 hex digits get their dashes, a UUID stays what it is, and what is
 * neither (short ids of branches) becomes the same UUID wherever it is met.
 */
export function importedId(old: string): string {
  const text = old.toLowerCase();
  if (isId(text)) return text;
  if (/^[0-9a-f]{32}$/.test(text)) return dashed(text);
  return dashed(createHash('sha256').update(`forerunner ${old}`).digest('hex').slice(0, 32));
}

function dashed(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
