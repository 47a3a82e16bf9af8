import * as z from 'zod';
import { errorCodes, isRetryable, isSwarmError, SwarmError } from '../contract/errors.ts';
import { MOST_EVENTS, SyncResult, syncBatch } from '../contract/hosted-sync.ts';
import { showMe } from '../contract/me.ts';
import { withLock } from '../machine/locks.ts';
import type { Machine } from '../machine/machine.ts';
import {
  countOutbox,
  keepWaiting,
  listWaiting,
  type OutboxEntry,
  rejectEntry,
  takeOut,
} from '../machine/outbox.ts';
import type { ServerLink } from './server-link.ts';
import { isKept } from './while-away.ts';

/** What became of what waited. */
export interface Flushed {
  sent: number;
  ok: number;
  duplicate: number;
  rejected: number;
  remaining: number;
  /** Of what remains, calls of agents for whom this token does not speak: they hold up nobody else. */
  notSpokenFor: number;
  /** Operations the server has taken now, in their order. */
  taken: string[];
}

/** A batch holds at most 4 MiB; what stands around the inputs is small. */
const MOST_BYTES = 3 * 1024 * 1024;
const LOCK_WAIT_MS = 120_000;
const MOST_ATTEMPTS = 5;

/** A server that is newer than this program may have more reasons. */
const Told = z.object({
  results: z.array(
    SyncResult.extend({
      error: SyncResult.shape.error
        .unwrap()
        .extend({ code: z.enum(errorCodes).catch('internal') })
        .optional(),
    }),
  ),
});

/**
 * Sends what waits, in its order, batch by batch. What the server refuses is set aside with its reason, and what comes
 * after it goes on: the server checks each for itself, so nothing passes that should not. A server that is away, busy
 * or at its limit leaves the rest waiting, and so does a token that does not speak for an agent: what that one did waits
 * for its own. Throws AuthorityAway where nothing could be sent.
 */
export async function flushOutbox(link: ServerLink, machine: Machine, repoId: string): Promise<Flushed> {
  const flushed: Flushed = { sent: 0, ok: 0, duplicate: 0, rejected: 0, ...nothingLeft, taken: [] };
  await withLock(
    machine.dir,
    'outbox',
    async () => {
      dropUnfinished(machine);
      while (await sendBatch({ link, machine, repoId }, flushed));
    },
    { waitMs: LOCK_WAIT_MS },
  );
  const { waiting: remaining } = countOutbox(machine);
  return {
    ...flushed,
    remaining,
    notSpokenFor: remaining === 0 ? 0 : remaining - listOurs(link, machine).length,
  };
}

const nothingLeft = { remaining: 0, notSpokenFor: 0 };

/** What waits and is not known to be in the name of somebody for whom the token does not speak. */
function listOurs({ notSpokenFor }: ServerLink, machine: Machine): OutboxEntry[] {
  const waiting = listWaiting(machine, Number.MAX_SAFE_INTEGER);
  return waiting.filter(({ actorId }) => !notSpokenFor.has(actorId));
}

/** What a process that died was asking for and nobody wants later: its caller is gone. */
function dropUnfinished(machine: Machine): void {
  for (const entry of listWaiting(machine, Number.MAX_SAFE_INTEGER))
    if (entry.state === 'sending' && !isKept({ name: entry.operation })) takeOut(machine, entry.seq);
}

/** One batch of one agent's entries; false where nothing more is to be sent now. */
async function sendBatch(
  { link, machine, repoId }: { link: ServerLink; machine: Machine; repoId: string },
  flushed: Flushed,
): Promise<boolean> {
  const entries = nextBatch(listOurs(link, machine).slice(0, MOST_EVENTS));
  if (entries.length === 0) return false;
  const results = await resultsOf({ link, repoId }, entries);
  for (const [n, entry] of entries.entries()) {
    const result = results[n];
    // It stops at the first that fails. An answer about something else is an answer about nothing.
    if (result?.seq !== entry.seq) return n > 0;
    flushed.sent++;
    if (result.status !== 'error') {
      takeOut(machine, entry.seq);
      flushed[result.status]++;
      flushed.taken.push(entry.operation);
      continue;
    }
    const error = result.error ?? { code: 'internal' as const, message: 'The server gave no reason.' };
    if (error.code === 'not_allowed' && !(await speaksFor(link, entry.actorId))) return true;
    if (waits(error, entry)) {
      keepWaiting(machine, entry.seq, error);
      return false;
    }
    rejectEntry(machine, entry.seq, error);
    flushed.rejected++;
    return true;
  }
  return true;
}

/** Whether the token may act as this agent at all; what was not allowed is another question. */
async function speaksFor(link: ServerLink, agentId: string): Promise<boolean> {
  try {
    await link.ask({ method: 'GET', path: showMe.path, agentId });
    return true;
  } catch (error) {
    if (!isSwarmError(error, 'not_allowed')) throw error;
    link.notSpokenFor.add(agentId);
    return false;
  }
}

/** A fault of the server may be over the next time; one that stays would hold up everything behind it. */
function waits({ code, details }: NonNullable<SyncResult['error']>, { attempts }: OutboxEntry): boolean {
  if (code === 'internal' || code === 'interrupted') return attempts < MOST_ATTEMPTS;
  // A limit of requests is over soon; one of a budget is a refusal.
  if (code === 'limited') return details?.retryAfterSeconds !== undefined;
  return isRetryable(code);
}

/** The server's word on each. One that alone makes the request too large or malformed is answered for by itself. */
async function resultsOf(
  { link, repoId }: { link: ServerLink; repoId: string },
  entries: readonly OutboxEntry[],
): Promise<SyncResult[]> {
  const [first] = entries;
  if (!first) return [];
  const told = await link
    .ask({
      method: 'POST',
      path: syncBatch.path,
      body: { events: entries.map(toEvent) },
      agentId: first.actorId,
      repoId,
    })
    .catch((error: unknown) => {
      if (isSwarmError(error, 'too_large') || isSwarmError(error, 'invalid')) return error;
      throw error;
    });
  if (told instanceof SwarmError) {
    if (entries.length > 1) return resultsOf({ link, repoId }, [first]);
    const { code, message, fix } = told;
    return [{ seq: first.seq, status: 'error', error: { code, message, ...(fix ? { fix } : {}) } }];
  }
  const parsed = Told.safeParse(told);
  if (parsed.success) return parsed.data.results;
  throw new SwarmError('invalid', 'The server answers what waited in words this program does not know.', {
    fix: 'Install the same version of gitswarm here and at the server.',
    cause: parsed.error,
  });
}

/** As many of one agent's as go into one request. */
function nextBatch(waiting: readonly OutboxEntry[]): OutboxEntry[] {
  const entries: OutboxEntry[] = [];
  let bytes = 0;
  for (const entry of waiting) {
    bytes += Buffer.byteLength(JSON.stringify(entry.input));
    if (entries.length > 0 && (bytes > MOST_BYTES || entry.actorId !== entries[0]?.actorId)) break;
    entries.push(entry);
  }
  return entries;
}

function toEvent({ seq, operation, input, key, createdAt }: OutboxEntry): object {
  return { seq, type: operation, data: input, key, createdAt };
}
