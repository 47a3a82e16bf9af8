import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeadAndTail } from './head-and-tail.ts';

test('start and end are kept however the bytes arrive, and all are counted', () => {
  const chunks = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), maxLength: 30 }));
  fc.assert(
    fc.property(chunks, fc.nat(20), fc.nat(20), (texts, head, tail) => {
      const kept = new HeadAndTail({ head, tail });
      for (const text of texts) kept.add(Buffer.from(text));
      const all = texts.join('');
      const omitted = Math.max(0, all.length - head - tail);
      expect(kept.total).toBe(all.length);
      expect(kept.omitted).toBe(omitted);
      const end = tail === 0 ? '' : all.slice(-tail);
      const start = head === 0 ? '' : `${all.slice(0, head)}\n… ${omitted} bytes left out …\n`;
      expect(kept.text()).toBe(omitted === 0 ? all : start + end);
    }),
  );
});

test('no character is cut in two', () => {
  const kept = new HeadAndTail({ head: 4, tail: 4 });
  for (const byte of Buffer.from('äöüäöüäöü€')) kept.add(Buffer.from([byte]));
  expect(kept.text()).toBe('äö\n… 13 bytes left out …\n€');
});
