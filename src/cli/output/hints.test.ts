import { expect, test } from 'vitest';
import { commandText, count, duration, nextLine, relativeTime, undoLine } from './hints.ts';
import { createStyle } from './style-text.ts';

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1500, '1.5 s'],
  [9949, '9.9 s'],
  [9950, '10 s'],
  [59_499, '59 s'],
  [59_600, '1 m'],
  [185_000, '3 m 5 s'],
  [7_800_000, '2 h 10 m'],
  [3_600_000 + 5000, '1 h'],
  [4 * 86_400_000 + 3 * 3_600_000, '4 d 3 h'],
  [-5, '0 ms'],
  [Number.NaN, 'unknown'],
])('%d milliseconds are %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

test.each([
  ['2026-01-01T11:59:57Z', 'just now'],
  ['2026-01-01T11:59:30Z', '30 s ago'],
  ['2026-01-01T11:57:00Z', '3 m ago'],
  ['2026-01-01T14:30:00Z', 'in 2 h'],
  ['2025-12-29T00:00:00Z', '3 d ago'],
  ['nonsense', 'unknown'],
])('%s is %s', (iso, text) => {
  expect(relativeTime(iso, Date.parse('2026-01-01T12:00:00Z'))).toBe(text);
});

test('amounts agree with their nouns', () => {
  expect([count(0, 'stream'), count(1, 'stream'), count(2, 'stream')]).toEqual([
    'no streams',
    '1 stream',
    '2 streams',
  ]);
  expect(count(3, 'entry', 'entries')).toBe('3 entries');
});

test('hints are commands one can paste', () => {
  const style = createStyle(false);
  expect(nextLine(commandText(['gitswarm', 'merge', 's-3fxa']), style)).toBe('next: gitswarm merge s-3fxa');
  const path = commandText(['cd', "/tmp/it's here", '']);
  expect(undoLine(path, style)).toBe(`undo: cd '/tmp/it'\\''s here' ''`);
});
