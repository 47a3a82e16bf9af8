import { sha256 } from '../base/digest.ts';
import { SwarmError } from '../contract/errors.ts';

/**
 * Cursors as callers see them carry a mark of the list they belong to, so that one of another list is refused instead
 * of quietly showing the wrong page.
 */
export function outerCursor(cursor: string, list: string): string {
  return `${markOf(list)}.${cursor}`;
}

/** What the list itself gave. Digits alone, and nothing, are places in the log of events and belong to no list. */
export function innerCursor(cursor: string, list: string): string {
  if (/^\d*$/.test(cursor)) return cursor;
  const mark = markOf(list);
  if (cursor.startsWith(`${mark}.`)) return cursor.slice(mark.length + 1);
  throw new SwarmError('invalid', 'The cursor is not one of this list.', {
    fix: 'Begin again without a cursor, or send the nextCursor of the page before.',
  });
}

function markOf(list: string): string {
  return sha256(list).slice(0, 8);
}
