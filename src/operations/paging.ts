import { SwarmError } from '../contract/errors.ts';

/** Cursors are opaque to callers: the sort key of the last row shown, in base64url. */
export function encodeCursor(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

/** The key in a cursor; one that no call of ours has given is refused. */
export function decodeCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (key !== '' && encodeCursor(key) === cursor) return key;
  throw new SwarmError('invalid', 'The cursor is not one of this list.');
}

/** Cuts rows that were asked for with `limit + 1` to the limit, with the cursor of the next page if there is one. */
export function nextPage<T>(
  rows: T[],
  limit: number,
  key: (row: T) => string,
): { items: T[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(key(last)) : null };
}
