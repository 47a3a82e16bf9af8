import type { MergeRow } from '../../db/tables.ts';

/** What the order of the queue depends on. */
export type QueuePlace = Pick<MergeRow, 'id' | 'kind' | 'priority' | 'rank' | 'requested_at'>;

const CLASSES = ['critical', 'high', 'medium', 'low'];

/** Reverts and intakes first, then by priority, then those moved to the front, then in the order of asking. */
export function compareInQueue(a: QueuePlace, b: QueuePlace): number {
  return (
    urgency(a) - urgency(b) ||
    a.rank - b.rank ||
    compare(a.requested_at, b.requested_at) ||
    compare(a.id, b.id)
  );
}

function urgency(place: QueuePlace): number {
  return place.kind === 'stream' ? 1 + CLASSES.indexOf(place.priority) : 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
