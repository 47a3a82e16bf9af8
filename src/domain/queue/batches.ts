import type { Batch, Entry, QueueState } from './queue-state.ts';

/** Gives these streams back to the queue, and whatever was tested with them or on top of them. */
export function dissolveWith(state: QueueState, ids: readonly string[]): void {
  const gone = new Set(ids);
  dissolve(
    state,
    [...state.batches.values()].filter(
      (batch) => batch.items.some((id) => gone.has(id)) || batch.below.some((id) => gone.has(id)),
    ),
  );
}

/** Ends batches; their streams are in the queue again, at their old places. So are those of batches on top of them. */
export function dissolve(state: QueueState, batches: readonly Batch[]): void {
  const given = new Set<string>();
  for (const batch of batches) {
    if (!state.batches.delete(batch.id)) continue;
    for (const id of batch.items) {
      given.add(id);
      giveBack(state, id);
    }
  }
  if (given.size === 0) return;
  const above = [...state.batches.values()].filter((batch) => batch.below.some((id) => given.has(id)));
  if (above.length > 0) dissolve(state, above);
}

/** A landing that is decided goes on even where its batch has ended. */
function giveBack(state: QueueState, id: string): void {
  const entry = state.entries.get(id);
  if (!entry) return;
  entry.batch = null;
  entry.below = [];
  if (entry.phase === 'testing') entry.phase = 'queued';
}

/**
 * Draws what follows from a red run once nothing unlanded is below the batch: what came after the red ones is given
 * back, and a single red stream is a suspect. It leaves its lane; those on top of it begin anew without it.
 */
export function settle(state: QueueState, batch: Batch): void {
  const { red } = batch;
  if (!red || batch.below.length > 0 || !state.batches.has(batch.id)) return;
  if (red.count < batch.items.length) {
    const tail = batch.items.splice(red.count);
    for (const id of tail) giveBack(state, id);
    const given = new Set(tail);
    dissolve(
      state,
      [...state.batches.values()].filter((other) => other.below.some((id) => given.has(id))),
    );
  }
  const [suspect] = batch.items;
  if (red.count > 1 || suspect === undefined) return;
  const entry = state.entries.get(suspect);
  dissolveWith(state, [suspect]);
  if (!entry || entry.phase === 'landing') return;
  entry.phase = 'suspect';
  entry.reds = [red.run];
}

/** Queued as if it had just come, at its old place. */
export function requeue(entry: Entry): void {
  entry.phase = 'queued';
  entry.batch = null;
  entry.below = [];
  entry.reds = [];
  entry.confirmed = null;
}
