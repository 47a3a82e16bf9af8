import { type ErrorCode, isRetryable, isSwarmError } from '../contract/errors.ts';
import { MOST_EVENTS, type SyncResult, syncBatch } from '../contract/hosted-sync.ts';
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
  /** Operations the server has taken now, in their order. */
  taken: string[];
}

/** A batch holds at most 4 MiB; what stands around the inputs is small. */
const MOST_BYTES = 3 * 1024 * 1024;
const LOCK_WAIT_MS = 120_000;
const MOST_ATTEMPTS = 5;
/** Of a whole request: it is too large, malformed, or in the name of somebody we may not act for. */
const UNFIT: readonly ErrorCode[] = ['too_large', 'invalid', 'not_allowed', 'not_found'];

/**
 * Sends what waits, in its order, batch by batch. What the server refuses is set aside with its reason, and what comes
 * after it goes on: the server checks each for itself, so nothing passes that should not. A server that is away, busy
 * or at its limit leaves the rest waiting. Throws AuthorityAway where nothing could be sent.
 */
export async function flushOutbox(link: ServerLink, machine: Machine, repoId: string): Promise<Flushed> {
  const flushed: Flushed = { sent: 0, ok: 0, duplicate: 0, rejected: 0, remaining: 0, taken: [] };
  await withLock(
    machine.dir,
    'outbox',
    async () => {
      dropUnfinished(machine);
      while (await sendBatch({ link, machine, repoId }, flushed));
    },
    { waitMs: LOCK_WAIT_MS },
  );
  return { ...flushed, remaining: countOutbox(machine).waiting };
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
  const entries = nextBatch(listWaiting(machine, MOST_EVENTS));
  if (entries.length === 0) return false;
  const results = await resultsOf({ link, repoId }, entries);
  flushed.sent += results.length;
  for (const result of results) {
    const entry = entries.find((each) => each.seq === result.seq);
    if (!entry) continue;
    if (result.status !== 'error') {
      takeOut(machine, entry.seq);
      flushed[result.status]++;
      flushed.taken.push(entry.operation);
      continue;
    }
    const error = result.error ?? { code: 'internal' as const, message: 'The server gave no reason.' };
    if (waits(error.code, entry)) {
      keepWaiting(machine, entry.seq, error);
      return false;
    }
    rejectEntry(machine, entry.seq, error);
    flushed.rejected++;
  }
  return results.length > 0;
}

/** A fault of the server may be over the next time; one that stays would hold up everything behind it. */
function waits(code: ErrorCode, { attempts }: OutboxEntry): boolean {
  if (code === 'internal' || code === 'interrupted') return attempts < MOST_ATTEMPTS;
  return isRetryable(code);
}

/** The server's word on each. One that alone makes the request unfit is answered for by itself. */
async function resultsOf(
  { link, repoId }: { link: ServerLink; repoId: string },
  entries: readonly OutboxEntry[],
): Promise<SyncResult[]> {
  const [first] = entries;
  if (!first) return [];
  try {
    const told = await link.ask({
      method: 'POST',
      path: syncBatch.path,
      body: { events: entries.map(toEvent) },
      agentId: first.actorId,
      repoId,
    });
    return syncBatch.output.parse(told).results;
  } catch (error) {
    if (!isSwarmError(error) || !UNFIT.includes(error.code)) throw error;
    if (entries.length > 1) return resultsOf({ link, repoId }, [first]);
    const { code, message, fix } = error;
    return [{ seq: first.seq, status: 'error', error: { code, message, ...(fix ? { fix } : {}) } }];
  }
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
