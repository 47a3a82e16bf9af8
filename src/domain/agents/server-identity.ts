import type { AgentRow } from '../../db/tables.ts';

/**
 * The identity under which a server does what nobody asks for. It stands for the server as that of a council stands for
 * the council: it has no key, is in no list, and whatever it asks for has to be one of these.
 */
export const SERVER = 'server';

export function isServer(agent: Pick<AgentRow, 'council_id'>): boolean {
  return agent.council_id === SERVER;
}

type Covers = (input: Record<string, unknown>) => boolean;

const always: Covers = () => true;

const HOUSEWORK: Record<string, Covers> = {
  'housekeeping.run_due': always,
  'push.intend': always,
  'push.record': always,
  'delivery.record': always,
  // What a crash left: a landing that has happened is recorded, any other is asked for again.
  'merge.land': always,
  'merge.end': ({ state }) => state === 'withdrawn',
  'promotion.record': always,
  // What git holds already is recorded: commits that nobody told of, and a stream that follows what it has landed.
  'stream.record_head': ({ cause }) => cause === 'adopted' || cause === 'rewritten' || cause === 'rebased',
  'plugin.begin': ({ plugin }) => plugin === 'stale_stream_cleanup',
  'plugin.finish': always,
};

/** True where housekeeping takes this call. Abandoning a stream is a part of it only while a cleanup of it runs. */
export function isHousework(operation: string, input: Record<string, unknown>): boolean {
  return HOUSEWORK[operation]?.(input) ?? false;
}
