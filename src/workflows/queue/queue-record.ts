import { QueueEventRecord, RatesRecord } from '../../domain/queue/event-schema.ts';
import type { QueueEvent } from '../../domain/queue/queue-events.ts';
import { emptyQueue, type QueueState } from '../../domain/queue/queue-state.ts';
import { FIRST_RATES } from '../../domain/queue/rates.ts';
import { applyEvent } from '../../domain/queue/reduce.ts';
import type { Machine } from '../../machine/machine.ts';
import {
  appendQueueEvents,
  countQueueEvents,
  listQueueEvents,
  restartQueueEvents,
} from '../../machine/queue-events.ts';

const LONG_RECORD = 20_000;

/** The state of the scheduler and the record it follows from, kept on this machine. Only the driver writes it. */
export class QueueRecord {
  readonly #machine: Machine;
  #state: QueueState;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#state = readQueue(machine);
  }

  get state(): QueueState {
    return this.#state;
  }

  /** Records what happened, or what is about to be done, before anything else follows from it. */
  tell(...events: QueueEvent[]): void {
    if (events.length === 0) return;
    appendQueueEvents(
      this.#machine,
      events.map((event) => JSON.stringify(event)),
    );
    for (const event of events) applyEvent(this.#state, event);
  }

  /** An empty queue remembers only what it has learnt. */
  forgetIfEmpty(): void {
    const { entries, runs } = this.#state;
    if (entries.size === 0 && runs.size === 0) this.#restart();
  }

  /** A queue that is never empty forgets now and then, too: what is in it is asked of the authority again. */
  restartIfLong(): void {
    if (countQueueEvents(this.#machine) > LONG_RECORD) this.#restart();
  }

  #restart(): void {
    const { rates, isPaused, isFrozen } = this.#state;
    restartQueueEvents(this.#machine, JSON.stringify(rates));
    this.#state = { ...emptyQueue(rates), isPaused, isFrozen };
    if (isPaused) this.tell({ kind: 'paused' });
    if (isFrozen) this.tell({ kind: 'frozen' });
  }
}

/**
 * The scheduler's state as it was recorded last. A record of another version is as good as none: runs are then begun
 * anew, and nothing else is lost.
 */
export function readQueue(machine: Machine): QueueState {
  const { rates, events } = listQueueEvents(machine);
  const known = RatesRecord.safeParse(rates === null ? undefined : JSON.parse(rates));
  const state = emptyQueue(known.success ? known.data : FIRST_RATES);
  for (const text of events) {
    const event = QueueEventRecord.safeParse(JSON.parse(text));
    if (event.success) applyEvent(state, event.data);
  }
  return state;
}
