import { SwarmError } from '../../contract/errors.ts';
import type { UndoRecord } from '../../contract/undo.ts';

/** For actions that compare: something else has happened to the same thing, so taking back would undo that too. */
export function changedSince(record: UndoRecord, fix: string): SwarmError {
  return new SwarmError('conflict', `The ${record.summary} cannot be undone: it has changed since.`, { fix });
}
