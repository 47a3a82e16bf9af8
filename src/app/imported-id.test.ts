import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isId } from '../base/ids.ts';
import { importedId } from './imported-id.ts';

it.each([
  ['0190f3c27b1e7c3a9d523f6a1b2c4d5e', '0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e'],
  ['0190F3C27B1E7C3A9D523F6A1B2C4D5E', '0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e'],
  ['0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e', '0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e'],
])('%s becomes %s', (old, id) => {
  expect(importedId(old)).toBe(id);
});

it('whatever the old id was, the new one is an id, and importing it again changes nothing', () => {
  fc.assert(
    fc.property(fc.string(), (old) => {
      const id = importedId(old);
      expect(isId(id)).toBe(true);
      expect(importedId(old)).toBe(id);
      expect(importedId(id)).toBe(id);
    }),
  );
});
