/** Ids are UUIDv7 (RFC 9562): made offline, sortable by time, 36 characters with dashes (R1.1, R1.3). */

const HEX = '0123456789abcdef';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A new UUIDv7. `now` is milliseconds since the epoch; `random` gives 10 random bytes. */
export function newId(now: number = Date.now(), random: Uint8Array = randomBytes(10)): string {
  const bytes = new Uint8Array(16);
  let rest = now;
  for (let i = 5; i >= 0; i--) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return format(bytes);
}

/** True for any lower-case UUID with dashes, whatever its version (imported ones are not v7). */
export function isId(text: string): boolean {
  return UUID.test(text);
}

/** Hex digits of `length` random bytes. */
export function randomHex(length: number): string {
  return toHex(randomBytes(length));
}

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

function format(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += `${HEX[byte >> 4]}${HEX[byte & 15]}`;
  return hex;
}
