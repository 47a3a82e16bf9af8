import type { Machine } from './machine.ts';

/**
 * What the queue's scheduler has decided and learnt on this machine, as JSON that only its driver reads: the events
 * since the queue was last empty, and the rates that were known then.
 */
export function listQueueEvents(machine: Machine): { rates: string | null; events: string[] } {
  const rates = machine.get<{ data: string }>('select data from queue_rates where id = 1');
  const events = machine.all<{ data: string }>('select data from queue_event order by seq');
  return { rates: rates?.data ?? null, events: events.map(({ data }) => data) };
}

export function countQueueEvents(machine: Machine): number {
  return machine.get<{ count: number }>('select count(*) as count from queue_event')?.count ?? 0;
}

/** Adds events at the end, all or none. */
export function appendQueueEvents(machine: Machine, events: readonly string[]): void {
  machine.write(() => {
    for (const event of events) machine.run('insert into queue_event (data) values (?)', event);
  });
}

/** Forgets the events and keeps the rates that came of them. */
export function restartQueueEvents(machine: Machine, rates: string): void {
  machine.write(() => {
    machine.run('delete from queue_event');
    machine.run(
      'insert into queue_rates values (1, ?) on conflict do update set data = excluded.data',
      rates,
    );
  });
}
