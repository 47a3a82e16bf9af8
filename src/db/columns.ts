import type * as z from 'zod';
import { type Clock, isoTime } from '../base/clock.ts';
import { SwarmError } from '../contract/errors.ts';

/**
 * Columns have the same types on both databases, so that rows are equal to the last bit: ids, words, times (ISO 8601
 * UTC) and JSON are text, flags and numbers are integers.
 */

export interface JsonColumn<T> {
  /** The value of a stored text; text that does not fit the schema is our fault and ends in `internal`. */
  parse(text: string): T;
  print(value: T): string;
  parseNullable(text: string | null): T | null;
  printNullable(value: T | null): string | null;
}

export function jsonColumn<S extends z.ZodType>(schema: S): JsonColumn<z.output<S>> {
  const parse = (text: string): z.output<S> => {
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      throw new SwarmError('internal', `a stored value cannot be read: ${text.slice(0, 200)}`, { cause });
    }
  };
  const print = (value: z.output<S>) => JSON.stringify(value);
  return {
    parse,
    print,
    parseNullable: (text) => (text === null ? null : parse(text)),
    printNullable: (value) => (value === null ? null : print(value)),
  };
}

/** A stored flag as a boolean. */
export function bool(flag: number): boolean {
  return flag !== 0;
}

/** A boolean as a stored flag. */
export function int01(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

/** Now, as times are stored. */
export function timeNow(clock: Clock): string {
  return isoTime(clock.now());
}
