import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/merges.ts';
import type { Consensus } from '../contract/reviews.ts';
import type { Db } from '../db/database.ts';
import type { MergeRow, RepoRow, StreamRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import {
  findLiveMerge,
  findMergeRow,
  getMergeRow,
  insertMerge,
  listMergeRows,
  listQueueRows,
  toMerge,
} from '../domain/merges/merges-store.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { configInForce, serverSettings } from '../domain/repos/repos-store.ts';
import { consensusOf } from '../domain/reviews/consensus-store.ts';
import { isBlamed } from '../domain/stabilizations/stabilizations-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { toStream } from '../domain/streams/streams-store.ts';
import { findTaskRow } from '../domain/tasks/tasks-store.ts';
import { refusalFor, throwRefusal } from './gate.ts';
import { isMaintainer } from './is-maintainer.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';
import { takeFacts } from './stream-lifecycle.ts';

type StreamContext = ActingContext & { repo: RepoRow; stream: StreamRow };

/** Asks for a landing: the gate is asked for exactly the head in the facts. */
const request = operation(contract.requestMerge, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context, input) {
    const { db, stream } = context;
    const live = await findLiveMerge(db, stream.id);
    if (live && live.head === input.facts.head && live.forced === (input.force ? 1 : 0)) {
      return { merge: toMerge(live), stream: await toStream(db, stream) };
    }
    if (input.id !== undefined) await refuseTakenId(db, input.id);
    if (live) await withdrawLiveMerge(context, stream, 'asked for again');
    if (input.force) await checkForce(context, { reason: input.reason, head: input.facts.head });
    const current = stream.state === 'merged' ? stream : await takeFacts(context, stream, input.facts);
    const consensus = await consensusOf(db, context.repo, current, context.now);
    const performer = context.actor;
    const refusal = await refusalFor(context, current, { performer, forced: input.force, consensus });
    if (refusal) throwRefusal(refusal);
    const merge = await insertMergeFor(context, current, { ...input, decidedBy: decidersOf(consensus) });
    const queued = await moveStream(context, current, 'queue');
    context.emit({
      type: 'merge.requested',
      subject: { type: 'merge', id: merge.id },
      data: { streamId: stream.id, head: merge.head, priority: merge.priority, forced: input.force },
    });
    return { merge: toMerge(merge), stream: await toStream(db, queued) };
  },
});

const explain = query(contract.explainMerge, {
  on: 'stream',
  needs: 'read',
  async run(context) {
    const { db, repo, stream, caller, now } = context;
    if (!caller) throw new SwarmError('usage', "A landing is somebody's.", { fix: 'Add --as <agent>.' });
    const consensus = await consensusOf(db, repo, stream, now);
    const refusal = await refusalFor(context, stream, { performer: caller, forced: false, consensus });
    return { refusal: refusal && { code: refusal.code, reason: refusal.reason, fix: refusal.fix ?? null } };
  },
});

async function refuseTakenId(db: Db, id: string): Promise<void> {
  if (!(await findMergeRow(db, id))) return;
  throw new SwarmError('already_exists', `There is a landing ${id} already.`, {
    fix: 'Choose another id, or leave it out.',
  });
}

/** Only owners force, where the settings let them, always with a reason, and it is recorded. */
async function checkForce(
  context: StreamContext,
  { reason, head }: { reason: string | undefined; head: string },
): Promise<void> {
  const access = await accessOf(context.db, context.repo, context.actor, context.now);
  if (!includesLevel(access.level, 'admin')) {
    throw new SwarmError('not_allowed', `Only an owner may force a landing; ${context.actor.name} is none.`);
  }
  if (!serverSettings(context.repo).human_can_force_merge) {
    throw new SwarmError('not_allowed', 'Forced landings are switched off in this repository.', {
      fix: 'gitswarm config set human_can_force_merge true',
    });
  }
  if (!reason)
    throw new SwarmError('usage', 'A forced landing needs a reason.', { fix: 'Add --reason "…".' });
  context.emit({
    type: 'merge.forced',
    subject: { type: 'stream', id: context.stream.id },
    data: { reason, head },
  });
}

async function insertMergeFor(
  context: StreamContext,
  stream: StreamRow,
  input: {
    id?: string | undefined;
    force: boolean;
    reason?: string | undefined;
    priority?: MergeRow['priority'] | undefined;
    decidedBy: string;
  },
): Promise<MergeRow> {
  const { db, actor, repo, now } = context;
  const task = stream.task_id ? await findTaskRow(db, stream.task_id) : undefined;
  const labels = task ? (JSON.parse(task.labels) as string[]) : [];
  return insertMerge(db, {
    id: input.id ?? newId(context.clock.now()),
    repo_id: repo.id,
    kind: 'stream',
    state: 'requested',
    stream_id: stream.id,
    reverts_merge_id: null,
    requested_by: actor.id,
    head: stream.head,
    patch_id: stream.patch_id,
    priority: input.priority ?? task?.priority ?? 'medium',
    rank: 0,
    is_fix: stream.revert_of_stream_id !== null || labels.includes('fix') ? 1 : 0,
    forced: input.force ? 1 : 0,
    reason: input.reason ?? null,
    commit_hash: null,
    buffer_before: null,
    holder: null,
    tested_tree: null,
    decided_by: input.decidedBy,
    requested_at: now,
    prepared_at: null,
    landed_at: null,
    ended_at: null,
  });
}

/** The reviewers whose approvals decide, as a merge keeps them. */
export function decidersOf(consensus: Consensus): string {
  return JSON.stringify(
    consensus.votes.filter((vote) => vote.counts && vote.verdict === 'approve').map((vote) => vote.reviewer),
  );
}

/** Landings that no stream stands behind. Reverts need maintain access unless stabilize asks after a red run. */
const requestPlain = operation(contract.requestPlainMerge, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, now } = context;
    const reverted = input.revertsMerge
      ? await getMergeRow(db, await resolveReference(db, 'merge', input.revertsMerge, repo.id))
      : undefined;
    if (input.kind === 'revert') await checkRevert(context, reverted, input.automatic);
    const standing = (await listQueueRows(db, repo.id)).find(
      (row) =>
        row.kind === input.kind &&
        row.reverts_merge_id === (reverted?.id ?? null) &&
        (input.kind === 'revert' || row.head === input.head),
    );
    if (standing) return toMerge(standing);
    const merge = await insertMerge(db, {
      id: newId(context.clock.now()),
      repo_id: repo.id,
      kind: input.kind,
      state: 'requested',
      stream_id: null,
      reverts_merge_id: reverted?.id ?? null,
      requested_by: actor.id,
      head: input.head,
      patch_id: '',
      priority: 'critical',
      rank: 0,
      is_fix: 1,
      forced: 0,
      reason: input.reason ?? null,
      commit_hash: null,
      buffer_before: null,
      holder: null,
      tested_tree: null,
      decided_by: '[]',
      requested_at: now,
      prepared_at: null,
      landed_at: null,
      ended_at: null,
    });
    context.emit({
      type: 'merge.requested',
      subject: { type: 'merge', id: merge.id },
      data: {
        kind: input.kind,
        head: input.head,
        revertsMergeId: reverted?.id ?? null,
        reason: input.reason ?? null,
      },
    });
    return toMerge(merge);
  },
});

async function checkRevert(
  context: ActingContext & { repo: RepoRow },
  reverted: MergeRow | undefined,
  automatic: boolean,
): Promise<void> {
  if (!reverted) throw new SwarmError('invalid', 'A revert names the landing that it takes back.');
  if (reverted.state === 'reverted') {
    throw new SwarmError('conflict', `Landing ${toMerge(reverted).handle} has been reverted already.`);
  }
  if (reverted.state !== 'landed') {
    throw new SwarmError(
      'wrong_state',
      `Landing ${toMerge(reverted).handle} is ${reverted.state}, not landed.`,
    );
  }
  const isSwitchedOn = automatic && configInForce(context.repo).auto_revert_on_red;
  // A step of stabilize comes after the red run that blames this landing, and not by saying so.
  const allowedByRule = isSwitchedOn && (await isBlamed(context.db, reverted));
  if (!allowedByRule && !(await isMaintainer(context, context.actor))) {
    throw new SwarmError('not_allowed', `${context.actor.name} may not revert: it needs maintain access.`);
  }
}

const list = query(contract.listMerges, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const rows = await listMergeRows(db, {
      repoId: repo.id,
      state: input.state,
      kind: input.kind,
      streamId: input.stream ? await resolveReference(db, 'stream', input.stream, repo.id) : undefined,
      beforeId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: page.items.map((row) => toMerge(row)), nextCursor: page.nextCursor };
  },
});

export const mergeOperations = [request, explain, requestPlain, list];
