import { isoTime } from '../base/clock.ts';
import { isSwarmError } from '../contract/errors.ts';
import type { SwarmEvent } from '../contract/events.ts';
import { findAgent } from '../domain/agents/agents-store.ts';
import { lastEventSeq, listEventRows, toEvent } from '../domain/events/events-store.ts';
import { authenticate, authenticateSession, type Credential } from './authenticate.ts';
import { eventReader } from './event-reader.ts';
import type { Kernel } from './execute.ts';

/** The events after a place in the log, oldest first. What is committed later always has a later place. */
export async function readLog({ database }: Kernel, after: number, limit: number): Promise<SwarmEvent[]> {
  return (await listEventRows(database.read, { after, limit })).map(toEvent);
}

export function endOfLog({ database }: Kernel): Promise<number> {
  return lastEventSeq(database.read);
}

/** Whether an agent may hear of an event now. */
export async function mayHear(
  { database, clock }: Kernel,
  agentId: string,
  event: SwarmEvent,
): Promise<boolean> {
  const reader = await findAgent(database.read, agentId);
  if (!reader) return false;
  const told = { repo_id: event.repoId, actor_id: event.actorId, subject_id: event.subject.id };
  return eventReader(database.read, { reader, now: isoTime(clock.now()) })(told);
}

/** Whether a key or a session still stands for an agent that may act. */
export async function isStillValid(kernel: Kernel, { kind, secret }: Credential): Promise<boolean> {
  try {
    const find = kind === 'key' ? authenticate : authenticateSession;
    return (await find(kernel, secret)).agent.status === 'active';
  } catch (error) {
    if (isSwarmError(error, 'unauthenticated')) return false;
    throw error;
  }
}
