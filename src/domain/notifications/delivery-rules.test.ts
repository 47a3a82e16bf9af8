import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPublicAddress } from '../../base/public-address.ts';
import { audienceOf, wants } from './audience.ts';
import { retryDelay, signBody, verifyBody, whyNotUrl } from './delivery-rules.ts';

it.each([
  ['93.184.216.34', true],
  ['2606:2800:220:1::1', true],
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['100.64.0.1', false],
  ['169.254.169.254', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['192.168.1.1', false],
  ['0.0.0.0', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['fd00::1', false],
  ['fe80::1', false],
  ['localhost', false],
  ['', false],
])('%s is public: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});

it('no address of a private network is public, however it is written', () => {
  const inner = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255));
  fc.assert(
    fc.property(inner, ([a, b, c]) => {
      for (const address of [
        `10.${a}.${b}.${c}`,
        `127.${a}.${b}.${c}`,
        `192.168.${b}.${c}`,
        `169.254.${b}.${c}`,
      ]) {
        expect(isPublicAddress(address)).toBe(false);
        expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
        expect(whyNotUrl(`http://${address}/hook`, false)).not.toBeNull();
      }
    }),
  );
});

it.each([
  ['https://hooks.example.org/x', null],
  ['http://93.184.216.34/x', null],
  ['ftp://example.org', 'it is no http or https address'],
  ['nonsense', 'it is no http or https address'],
  ['https://me:secret@example.org/', 'it carries a name or password'],
  ['http://2130706433/', '127.0.0.1 is not a public address'],
  ['http://0x7f.1/', '127.0.0.1 is not a public address'],
  ['http://[::1]:8080/', '::1 is not a public address'],
  ['http://localhost/', 'localhost is not a public name'],
  ['http://db.internal/', 'db.internal is not a public name'],
])('%s is refused because: %s', (url, why) => {
  expect(whyNotUrl(url, false)).toBe(why);
});

it('a signature holds for its body, its time and its secret only', () => {
  const sent = { timestamp: 1_700_000_000, body: '{"a":1}' };
  const signature = signBody('key', sent);
  const check = (changes: object, secret = 'key') =>
    verifyBody(secret, { ...sent, signature, now: 1_700_000_000_000, ...changes });
  expect(signature).toMatch(/^sha256=[0-9a-f]{64}$/);
  expect(check({})).toBe(true);
  expect(check({ body: '{"a":2}' })).toBe(false);
  expect(check({ timestamp: 1_700_000_001 })).toBe(false);
  expect(check({}, 'other')).toBe(false);
  expect(check({ signature: 'sha256=' })).toBe(false);
  expect(check({ now: 1_700_000_301_000 })).toBe(false);
  expect(check({ timestamp: Number.NaN })).toBe(false);
});

it('waits longer after each failure, and gives up', () => {
  const waits = Array.from({ length: 9 }, (_, i) => retryDelay(i + 1));
  expect(waits.slice(0, 3)).toEqual([60_000, 300_000, 1_800_000]);
  expect(waits.indexOf(null)).toBe(7);
  const numbers = waits.filter((wait) => wait !== null);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
});

it('a red run concerns maintainers, a green one nobody', () => {
  expect(audienceOf({ type: 'stabilization.recorded', data: { result: 'red' } })).toEqual(['maintainers']);
  expect(audienceOf({ type: 'stabilization.recorded', data: { result: 'green' } })).toEqual([]);
  expect(audienceOf({ type: 'stream.committed', data: {} })).toEqual([]);
});

it.each([
  [['*'], 'merge.landed', true],
  [['merge.*'], 'merge.landed', true],
  [['merge.landed'], 'merge.landed', true],
  [['merge.*'], 'task.created', false],
  [['task.created'], 'merge.landed', false],
])('%j wants %s: %s', (patterns, type, wanted) => {
  expect(wants(patterns, type)).toBe(wanted);
});
