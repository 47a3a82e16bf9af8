import { dissolve, requeue, settle } from './batches.ts';
import { overlaps } from './footprint.ts';
import type { Wish } from './queue-events.ts';
import type { Entry, QueueState } from './queue-state.ts';
import { learnt } from './rates.ts';

/** These have landed: they are below nobody any more, and who overlaps them without having been tested with them begins anew. */
export function land(state: QueueState, ids: string[]): void {
  const landed = ids.flatMap((id) => state.entries.get(id) ?? []);
  state.landings = state.landings.filter((landing) => !landing.ids.some((id) => ids.includes(id)));
  for (const { wish } of landed) {
    state.rates = learnt(state.rates, 'failure', 0);
    state.entries.delete(wish.id);
    outdate(state, wish);
  }
  const gone = new Set(landed.map(({ wish }) => wish.id));
  const streams = new Set(landed.map(({ wish }) => wish.stream));
  for (const entry of state.entries.values()) {
    if (entry.wish.after.some((stream) => streams.has(stream))) {
      entry.wish = { ...entry.wish, after: entry.wish.after.filter((stream) => !streams.has(stream)) };
    }
    if (entry.below.length > 0) entry.below = entry.below.filter((id) => !gone.has(id));
  }
  for (const batch of [...state.batches.values()]) {
    const removedBefore = (count: number) => batch.items.slice(0, count).filter((id) => gone.has(id)).length;
    if (batch.red) batch.red = { ...batch.red, count: batch.red.count - removedBefore(batch.red.count) };
    if (batch.green)
      batch.green = { ...batch.green, count: batch.green.count - removedBefore(batch.green.count) };
    batch.items = batch.items.filter((id) => !gone.has(id));
    batch.below = batch.below.filter((id) => !gone.has(id));
    if (batch.items.length === 0) {
      state.batches.delete(batch.id);
      continue;
    }
    if (batch.green && batch.green.count <= 0) batch.green = null;
    if (batch.red && batch.red.count <= 0) {
      // All that was red together has landed on a green run: the red one said nothing.
      batch.red = null;
      state.rates = learnt(state.rates, 'flake', 1);
    }
    settle(state, batch);
  }
}

/** What was tested without this landing although it overlaps it has proved nothing for the tip of now. */
export function outdate(state: QueueState, landed: Pick<Wish, 'id' | 'footprint'>): void {
  const meets = (other: Entry) => overlaps(other.wish.footprint, landed.footprint);
  const stale = [...state.batches.values()].filter(
    (batch) =>
      !batch.items.includes(landed.id) &&
      !batch.below.includes(landed.id) &&
      batch.items.some((id) => {
        const entry = state.entries.get(id);
        return entry !== undefined && entry.phase === 'testing' && meets(entry);
      }),
  );
  if (stale.length > 0) dissolve(state, stale);
  for (const entry of state.entries.values()) {
    if (entry.confirmed !== null && entry.phase === 'suspect' && meets(entry)) requeue(entry);
  }
  for (const run of state.runs.values()) {
    if (run.purpose !== 'confirm') continue;
    const entry = state.entries.get(run.of);
    if (entry && meets(entry)) run.isStale = true;
  }
}
