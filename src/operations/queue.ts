import type * as z from 'zod';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/merges.ts';
import type { Repo } from '../contract/repos.ts';
import type { Db } from '../db/database.ts';
import type { MergeRow, RepoRow, StreamRow } from '../db/tables.ts';
import { listEventRows, toEvent } from '../domain/events/events-store.ts';
import { findLiveMerge, listQueueRows, toMerge, updateMergeRow } from '../domain/merges/merges-store.ts';
import { toRepo, updateRepoRow } from '../domain/repos/repos-store.ts';
import { findLastStabilization } from '../domain/stabilizations/stabilizations-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { findStreamRow, handleOfStream, toStream } from '../domain/streams/streams-store.ts';
import { recordUndoRow } from '../domain/undo/undo-store.ts';
import { isMaintainer } from './is-maintainer.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { refreshApproval } from './stream-effects.ts';

const list = query(contract.listQueue, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }) {
    const rows = await listQueueRows(db, repo.id);
    const items = [];
    for (const [index, row] of rows.entries()) {
      const stream = row.stream_id ? await findStreamRow(db, row.stream_id) : undefined;
      items.push({
        merge: toMerge(row, index + 1),
        stream: stream ? await toStream(db, stream) : null,
        waitsFor: waitsFor(repo, row),
      });
    }
    return { items, paused: repo.queue_paused === 1, frozenReason: repo.frozen_reason };
  },
});

const next = query(contract.nextInQueue, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const tried = new Set(input.tried);
    const rows = (await listQueueRows(db, repo.id)).filter((row) => waitsFor(repo, row).length === 0);
    const goesOn = input.until === undefined || rows.some((row) => row.id === input.until);
    const first = rows.find((each) => each.state === 'requested' && !tried.has(each.id));
    if (!first) return { next: null, goesOn };
    const { row, stream } = await parentFirst(db, { row: first, rows, tried });
    return { next: { merge: toMerge(row), stream: stream ? await toStream(db, stream) : null }, goesOn };
  },
});

/** A stream that is queued behind its parent lands after it, whatever their places. */
async function parentFirst(
  db: Db,
  { row, rows, tried }: { row: MergeRow; rows: MergeRow[]; tried: Set<string> },
): Promise<{ row: MergeRow; stream: StreamRow | undefined }> {
  const stream = row.stream_id ? await findStreamRow(db, row.stream_id) : undefined;
  const isParent = (each: MergeRow) => each.stream_id === stream?.parent_stream_id && !tried.has(each.id);
  const parent = stream?.parent_stream_id ? rows.find((each) => isParent(each)) : undefined;
  if (parent?.state !== 'requested') return { row, stream };
  return parentFirst(db, { row: parent, rows, tried: new Set([...tried, row.id]) });
}

function waitsFor(repo: RepoRow, merge: MergeRow): string[] {
  const reasons: string[] = [];
  if (repo.queue_paused === 1 && merge.kind === 'stream') reasons.push('the queue is paused');
  if (repo.frozen_reason !== null && merge.is_fix === 0)
    reasons.push(`the queue is frozen: ${repo.frozen_reason}`);
  return reasons;
}

type SwitchInput = z.output<(typeof contract.pauseQueue)['input']>;

/**
 * A switch of the queue: maintainers turn it; a step of stabilize may too, after a run that says so. What a maintainer
 * froze by hand no such step changes.
 */
function queueSwitch(
  endpoint: typeof contract.pauseQueue,
  event: 'queue.paused' | 'queue.resumed' | 'queue.frozen' | 'queue.unfrozen',
  change: (input: SwitchInput) => Partial<RepoRow>,
  automaticAfter?: 'red' | 'green',
) {
  return operation(endpoint, {
    on: 'repo',
    needs: automaticAfter ? 'write' : 'maintain',
    async run(context, input): Promise<Repo> {
      const { db, repo, now, emit } = context;
      const automatic = automaticAfter !== undefined && input.automatic;
      await checkSwitch(context, automatic ? automaticAfter : undefined, endpoint.name);
      if (automatic && repo.frozen_reason !== null && !(await isFrozenByRed(context))) return toRepo(repo);
      const changes = change(input);
      const unchanged = Object.entries(changes).every(([key, value]) => repo[key as keyof RepoRow] === value);
      if (unchanged) return toRepo(repo);
      emit({
        type: event,
        subject: { type: 'repo', id: repo.id },
        data: { reason: input.reason ?? null, automatic },
      });
      return toRepo(await updateRepoRow(db, repo.id, { ...changes, updated_at: now }));
    },
  });
}

async function checkSwitch(
  context: ActingContext & { repo: RepoRow },
  automaticAfter: 'red' | 'green' | undefined,
  name: string,
): Promise<void> {
  if (automaticAfter === undefined) {
    if (await isMaintainer(context, context.actor)) return;
  } else {
    const last = await findLastStabilization(context.db, context.repo.id);
    if (last?.result === automaticAfter) return;
    throw new SwarmError('not_allowed', `The last run of the buffer is not ${automaticAfter} (${name}).`, {
      fix: 'gitswarm stabilize',
    });
  }
  throw new SwarmError(
    'not_allowed',
    `${context.actor.name} may not do this (${name}): it needs maintain access.`,
  );
}

/** The log knows who froze the queue. */
export async function isFrozenByRed({ db, repo }: { db: Db; repo: RepoRow }): Promise<boolean> {
  const [last] = await listEventRows(db, { repoId: repo.id, type: 'queue.frozen', limit: 1 });
  return last !== undefined && toEvent(last).data.automatic === true;
}

const pause = queueSwitch(contract.pauseQueue, 'queue.paused', () => ({ queue_paused: 1 }));
const resume = queueSwitch(contract.resumeQueue, 'queue.resumed', () => ({ queue_paused: 0 }));
const freeze = queueSwitch(
  contract.freezeQueue,
  'queue.frozen',
  (input) => ({ frozen_reason: input.reason ?? 'frozen by hand' }),
  'red',
);
const unfreeze = queueSwitch(
  contract.unfreezeQueue,
  'queue.unfrozen',
  () => ({ frozen_reason: null }),
  'green',
);

const move = operation(contract.moveInQueue, {
  on: 'stream',
  needs: 'maintain',
  async run(context, input) {
    const { db, repo, stream, emit } = context;
    const merge = await findLiveMerge(db, stream.id);
    if (!merge) throw notQueued(handleOfStream(stream));
    if (input.priority === undefined && !input.first) {
      throw new SwarmError('usage', 'Where to move it is not said.', {
        fix: 'Add --first, or --priority high.',
      });
    }
    const first = Math.min(0, ...(await listQueueRows(db, repo.id)).map((row) => row.rank)) - 1;
    const moved = await updateMergeRow(db, merge.id, {
      ...(input.priority ? { priority: input.priority } : {}),
      ...(input.first ? { rank: first, priority: input.priority ?? 'critical' } : {}),
    });
    await recordUndoRow(context, {
      operation: 'queue.move',
      summary: `moving ${handleOfStream(stream)} in the queue`,
      data: {
        mergeId: merge.id,
        priority: merge.priority,
        rank: merge.rank,
        movedTo: moved.priority,
        movedRank: moved.rank,
      },
    });
    emit({
      type: 'queue.moved',
      subject: { type: 'merge', id: merge.id },
      data: { streamId: stream.id, priority: moved.priority, first: input.first },
    });
    const position = (await listQueueRows(db, repo.id)).findIndex((row) => row.id === merge.id) + 1;
    return toMerge(moved, position);
  },
});

const drop = operation(contract.dropFromQueue, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context, input) {
    const { db, stream } = context;
    const merge = await withdrawLiveMerge(context, stream, input.reason ?? 'dropped from the queue');
    if (!merge) throw notQueued(handleOfStream(stream));
    const back = await refreshApproval(context, await moveStream(context, stream, 'dequeue'));
    return { merge: toMerge(merge), stream: await toStream(db, back) };
  },
});

function notQueued(handle: string): SwarmError {
  return new SwarmError('wrong_state', `Stream ${handle} is not in the queue.`, {
    fix: `gitswarm merge ${handle}`,
  });
}

export const queueOperations = [list, next, pause, resume, freeze, unfreeze, move, drop];
