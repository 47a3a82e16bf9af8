import type { QueueState, Run } from './queue-state.ts';

/** A run whose batch has ended, or whose answer is known by now. */
export function isUseless(state: QueueState, run: Pick<Run, 'purpose' | 'of' | 'on'>): boolean {
  if (run.purpose === 'confirm') return state.entries.get(run.of)?.phase !== 'suspect';
  const batch = state.batches.get(run.of);
  if (!batch) return true;
  const count = batch.items.filter((id) => run.on.includes(id)).length;
  if (count <= (batch.green?.count ?? 0)) return true;
  return batch.red !== null && count >= batch.red.count;
}
