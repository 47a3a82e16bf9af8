import * as z from 'zod';
import { errorCodes, isRetryable, isSwarmError, SwarmError } from '../contract/errors.ts';
import { MOST_EVENTS, SyncResult, syncBatch } from '../contract/hosted-sync.ts';
import { showMe } from '../contract/me.ts';
import { withLock } from '../machine/locks.ts';
import type { Machine } from '../machine/machine.ts';
import {
  countOutbox,
  keepWaiting,
  listOutbox,
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
/** Occasions on which a fault of the server met an entry before it is set aside; a process is one. */
const MOST_ATTEMPTS = 5;
/** How long a process waits before it sends again what the server could not take; a command is over by then. */
const AFTER_FAULT_MS = 60_000;
const AFTER_BUSY_MS = 2000;

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
  const send = async () => {
    dropUnfinished(machine);
    do flushed.rejected += setAsideFollowers(machine);
    while (await sendBatch({ link, machine, repoId }, flushed));
  };
  if (performance.now() >= link.sendsAgainAt)
    await withLock(machine.dir, 'outbox', send, { waitMs: LOCK_WAIT_MS });
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
      link.sendsAgainAt = performance.now() + pauseAfter(error);
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
  if (isFault(code)) return attempts < MOST_ATTEMPTS;
  // A limit of requests is over soon; one of a budget is a refusal.
  if (code === 'limited') return details?.retryAfterSeconds !== undefined;
  return isRetryable(code);
}

function pauseAfter({ code, details }: NonNullable<SyncResult['error']>): number {
  if (isFault(code)) return AFTER_FAULT_MS;
  return code === 'limited' ? Number(details?.retryAfterSeconds) * 1000 : AFTER_BUSY_MS;
}

function isFault(code: string): boolean {
  return code === 'internal' || code === 'interrupted';
}

/**
 * Sets aside what is about the same as an entry that a fault of the server has met too often: nothing was decided about
 * that one, so what follows it would be judged as if it had never been asked for. `sync retry` sends all of it, in order.
 */
function setAsideFollowers(machine: Machine): number {
  const faulty = new Map<string, number>();
  let count = 0;
  for (const entry of listOutbox(machine)) {
    const subjects = subjectsOf(entry);
    const first = subjects.map((each) => faulty.get(each)).find((seq) => seq !== undefined);
    if (entry.state === 'waiting' && first !== undefined) {
      const message = `It follows ${first}, which the server could not take.`;
      rejectEntry(machine, entry.seq, { code: 'internal', message, fix: 'gitswarm sync retry' });
      count++;
    }
    const isMet = entry.state === 'rejected' && entry.error !== null && isFault(entry.error.code);
    if (isMet || first !== undefined)
      for (const each of subjects) if (!faulty.has(each)) faulty.set(each, first ?? entry.seq);
  }
  return count;
}

/** What a call is about: what it names, and what it makes. */
function subjectsOf({ input }: OutboxEntry): string[] {
  const named = [input.id, input.stream, input.task, input.claim, input.merge, input.parent, input.proposal];
  return named.filter((each) => typeof each === 'string');
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
