import { expect, it } from 'vitest';
import * as z from 'zod';
import { ManualClock } from '../base/clock.ts';
import { bool, int01, jsonColumn, timeNow } from './columns.ts';

const column = jsonColumn(z.object({ paths: z.array(z.string()) }));

it('gives back what was printed', () => {
  const value = { paths: ['a', 'ü\u0000'] };
  expect(column.parse(column.print(value))).toEqual(value);
  expect(column.parseNullable(column.printNullable(null))).toBeNull();
});

it('calls a stored value that does not fit our own fault', () => {
  for (const text of ['{"paths":1}', '{', '']) {
    expect(() => column.parse(text)).toThrow(expect.objectContaining({ code: 'internal' }));
  }
});

it('keeps flags as numbers and times as text in UTC', () => {
  expect([int01(true), int01(false), bool(1), bool(0)]).toEqual([1, 0, true, false]);
  expect(timeNow(new ManualClock())).toBe('2026-01-01T00:00:00.000Z');
});
