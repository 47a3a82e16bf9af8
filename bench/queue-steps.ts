import type { QueueEvent } from '../src/domain/queue/queue-events.ts';
import { emptyQueue, type QueueState } from '../src/domain/queue/queue-state.ts';
import { applyEvent } from '../src/domain/queue/reduce.ts';
import { wake } from '../src/domain/queue/wake.ts';
import { median } from './measure.ts';
import { random } from './queue-world.ts';

const RUNNERS = 8;
const STEPS = 200;

/**
 * Milliseconds of one step with so many in the queue, as a median: a run has ended, and everything that follows is decided and
 * recorded: landings, evictions, and what the free runner does next.
 */
export function stepTime(queued: number): number {
  const chance = random(queued);
  const state = emptyQueue();
  let made = 0;
  const times: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    while (state.entries.size < queued) enter(state, made++, chance);
    const [run] = state.runs.keys();
    const start = performance.now();
    if (run)
      applyEvent(state, {
        kind: 'finished',
        run,
        result: chance() < 0.3 ? 'red' : 'green',
        ms: 300_000,
        tree: '',
      });
    for (;;) {
      const decisions = wake(state, { now: step * 60_000, runners: RUNNERS });
      if (decisions.length === 0) break;
      for (const decision of decisions) carryOut(state, decision);
    }
    times.push(performance.now() - start);
  }
  return median(times);
}

function enter(state: QueueState, n: number, chance: () => number): void {
  applyEvent(state, {
    kind: 'queued',
    wish: {
      id: `s${n}`,
      stream: `s${n}`,
      author: `author${Math.floor(chance() * 40)}`,
      urgency: 'medium',
      rank: 0,
      askedAt: n,
      footprint: {
        root: chance() < 0.01,
        keys: [`area${Math.floor(chance() * 300)}`, `area${Math.floor(chance() * 300)}`],
      },
      isFix: false,
      isTested: true,
      after: [],
    },
  });
}

function carryOut(state: QueueState, decision: ReturnType<typeof wake>[number]): void {
  const told: QueueEvent[] = [decision];
  if (decision.kind === 'land') told.push({ kind: 'landed', ids: decision.ids });
  if (decision.kind === 'evict') told.push({ kind: 'evicted', id: decision.id });
  for (const event of told) applyEvent(state, event);
}
