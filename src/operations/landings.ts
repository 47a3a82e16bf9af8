import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/merges.ts';
import type { MergeRow, RepoRow, StreamRow } from '../db/tables.ts';
import { toMerge, updateMergeRow } from '../domain/merges/merges-store.ts';
import { landingKarma } from '../domain/karma/karma.ts';
import { addKarma } from '../domain/karma/karma-store.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import {
  findStreamRow,
  getStreamRow,
  handleOfStream,
  replaceCommits,
  stateOf,
  toStream,
  toStreams,
  updateStreamRow,
} from '../domain/streams/streams-store.ts';
import { completeTaskOfStream, reopenTaskOfStream } from '../domain/tasks/task-effects.ts';
import { findTaskRow, toTask } from '../domain/tasks/tasks-store.ts';
import { isMaintainer, refusalFor, throwRefusal } from './merges.ts';
import { type ActingContext, operation } from './operation.ts';
import { pauseChildren } from './stream-children.ts';
import { factColumns, refreshApproval } from './stream-effects.ts';

type MergeContext = ActingContext & { repo: RepoRow; merge: MergeRow };

/** Who may carry a landing: the one who asked for it, or a maintainer; anyone may carry what no stream stands behind. */
async function checkCarrier(context: MergeContext): Promise<void> {
  const { merge, actor } = context;
  if (merge.requested_by === actor.id || merge.kind !== 'stream') return;
  if (configInForce(context.repo).merge_mode !== 'gated' || (await isMaintainer(context, actor))) return;
  throw new SwarmError('not_allowed', `${actor.name} may not land another's stream in a gated repository.`);
}

/** Records the commit that is about to land, before any ref moves, and asks the gate once more. */
const prepare = operation(contract.prepareMerge, {
  on: 'merge',
  needs: 'write',
  async run(context, input) {
    const { db, repo, merge, now, emit } = context;
    await checkCarrier(context);
    const expected = input.expectCommit ?? null;
    const isRenewal = merge.state === 'prepared' && merge.commit_hash === expected && merge.holder === input.holder;
    if (merge.state !== 'requested' && !isRenewal) {
      throw new SwarmError('conflict', `Landing ${toMerge(merge).handle} is ${merge.state} and not yours to prepare.`, {
        details: { state: merge.state, holder: merge.holder },
      });
    }
    checkQueue(repo, merge);
    if (merge.kind === 'stream') await checkStream(context);
    const prepared = await updateMergeRow(db, merge.id, {
      state: 'prepared',
      commit_hash: input.commit,
      buffer_before: input.bufferBefore,
      holder: input.holder,
      tested_tree: input.testedTree,
      prepared_at: now,
    });
    emit({
      type: 'merge.prepared',
      subject: { type: 'merge', id: merge.id },
      data: { streamId: merge.stream_id, commit: input.commit, bufferBefore: input.bufferBefore },
    });
    return toMerge(prepared);
  },
});

/** A paused queue lands nothing; a frozen one only reverts, intakes and declared fixes. */
function checkQueue(repo: RepoRow, merge: MergeRow): void {
  if (repo.queue_paused === 1 && merge.kind === 'stream') {
    throw new SwarmError('gate_not_met', 'The queue is paused.', { fix: 'gitswarm queue resume' });
  }
  if (repo.frozen_reason !== null && merge.is_fix === 0) {
    throw new SwarmError('gate_not_met', `The queue is frozen: ${repo.frozen_reason}.`, {
      fix: 'gitswarm queue unfreeze',
    });
  }
}

async function checkStream(context: MergeContext): Promise<void> {
  const { db, merge } = context;
  const stream = await getStreamRow(db, merge.stream_id ?? '');
  if (stream.head !== merge.head) {
    throw new SwarmError('stale', `Stream ${handleOfStream(stream)} has moved on since it was queued.`, {
      fix: `gitswarm merge ${handleOfStream(stream)}`,
    });
  }
  const refusal = await refusalFor({ ...context, actor: context.actor }, stream, merge.forced === 1);
  if (refusal && refusal.code !== 'not_allowed') throwRefusal(refusal);
}

/** The ref has moved: the landing is a fact, and everything that follows from it happens here, exactly once. */
const land = operation(contract.landMerge, {
  on: 'merge',
  needs: 'write',
  async run(context, input) {
    const { db, merge, now, emit } = context;
    if (merge.state === 'landed' && merge.commit_hash === input.commit) return answer(context, merge);
    if (merge.state !== 'prepared' || merge.commit_hash !== input.commit) {
      throw new SwarmError('conflict', `Landing ${toMerge(merge).handle} was not prepared for this commit.`, {
        details: { state: merge.state, prepared: merge.commit_hash, landed: input.commit },
      });
    }
    const landed = await updateMergeRow(db, merge.id, { state: 'landed', landed_at: now, holder: null });
    emit({
      type: 'merge.landed',
      subject: { type: 'merge', id: merge.id },
      data: { kind: merge.kind, streamId: merge.stream_id, commit: input.commit, bufferBefore: merge.buffer_before },
    });
    if (merge.kind === 'stream') return landStream(context, landed, input.streamFacts);
    if (merge.kind === 'revert') return landRevert(context, landed);
    return answer(context, landed);
  },
});

async function landStream(
  context: MergeContext,
  merge: MergeRow,
  facts: Parameters<typeof factColumns>[0] | undefined,
) {
  const { db, repo } = context;
  const stream = await getStreamRow(db, merge.stream_id ?? '');
  const task = stream.task_id ? await findTaskRow(db, stream.task_id) : undefined;
  await addKarma(context, {
    agentId: stream.agent_id,
    repoId: repo.id,
    amount: landingKarma(task?.amount ?? 0),
    reason: 'landing',
    subjectId: merge.id,
  });
  if (configInForce(repo).merge_mode === 'swarm') {
    const kept = await updateStreamRow(db, stream.id, {
      ...(facts ? factColumns(facts) : {}),
      state: stream.state_before ?? 'active',
      state_before: null,
      conflict: null,
      merged_commit: merge.commit_hash,
      updated_at: context.now,
    });
    if (facts) await replaceCommits(db, stream.id, facts.commits);
    return answer(context, merge, kept);
  }
  const landed = await moveStream(context, stream, 'land', { merged_commit: merge.commit_hash });
  const deciders = JSON.parse(merge.decided_by) as string[];
  const completed = await completeTaskOfStream(context, landed, deciders);
  if (stream.revert_of_stream_id) await completeRepaired(context, stream.revert_of_stream_id, deciders);
  return answer(context, merge, landed, completed ? await toTask(db, completed, context.now) : null);
}

/** A fix that has landed also completes the task whose landing was reverted. */
async function completeRepaired(context: MergeContext, streamId: string, deciders: string[]): Promise<void> {
  const repaired = await findStreamRow(context.db, streamId);
  if (repaired) await completeTaskOfStream(context, repaired, deciders);
}

async function landRevert(context: MergeContext, merge: MergeRow) {
  const { db, repo, emit } = context;
  const reverted = await updateMergeRow(db, merge.reverts_merge_id ?? '', { state: 'reverted' });
  emit({
    type: 'merge.reverted',
    subject: { type: 'merge', id: reverted.id },
    data: { streamId: reverted.stream_id, by: merge.id, reason: merge.reason },
  });
  if (!reverted.stream_id) return answer(context, merge);
  const stream = await getStreamRow(db, reverted.stream_id);
  const task = stream.task_id ? await findTaskRow(db, stream.task_id) : undefined;
  await addKarma(context, {
    agentId: stream.agent_id,
    repoId: repo.id,
    amount: -landingKarma(task?.amount ?? 0),
    reason: 'landing reverted',
    subjectId: reverted.id,
  });
  const reopened = await reopenTaskOfStream(context, stream);
  const paused = await pauseChildren(context, stream);
  return {
    ...(await answer(context, merge, stream)),
    reopenedTask: reopened ? await toTask(db, reopened, context.now) : null,
    paused: await toStreams(db, paused),
  };
}

async function answer(
  context: MergeContext,
  merge: MergeRow,
  stream?: StreamRow,
  completedTask: Awaited<ReturnType<typeof toTask>> | null = null,
) {
  const row = stream ?? (merge.stream_id ? await findStreamRow(context.db, merge.stream_id) : undefined);
  return {
    merge: toMerge(merge),
    stream: row ? await toStream(context.db, row) : null,
    completedTask,
    reopenedTask: null,
    paused: [],
  };
}

/** Ends an intent that did not land. The stream keeps its work and goes back to where it came from. */
const end = operation(contract.endMerge, {
  on: 'merge',
  needs: 'write',
  async run(context, input) {
    const { db, merge, now, emit } = context;
    if (merge.state !== 'requested' && merge.state !== 'prepared') {
      return { merge: toMerge(merge), stream: merge.stream_id ? await toStreamById(context, merge.stream_id) : null };
    }
    const ended = await updateMergeRow(db, merge.id, {
      state: input.state,
      reason: input.reason ?? merge.reason,
      holder: null,
      ended_at: now,
    });
    emit({
      type: `merge.${input.state}` as const,
      subject: { type: 'merge', id: merge.id },
      data: { streamId: merge.stream_id, reason: input.reason ?? null, files: input.files },
    });
    if (!merge.stream_id) return { merge: toMerge(ended), stream: null };
    const stream = await getStreamRow(db, merge.stream_id);
    if (input.state === 'conflicted' && stateOf(stream) !== 'merged') {
      const conflict = JSON.stringify({ with: 'buffer', onto: input.onto ?? merge.head, files: input.files, at: now });
      const moved = await moveStream(context, stream, 'conflict', { conflict });
      emit({
        type: 'stream.conflicted',
        subject: { type: 'stream', id: stream.id },
        data: { with: 'buffer', files: input.files },
      });
      return { merge: toMerge(ended), stream: await toStream(db, moved) };
    }
    if (stateOf(stream) !== 'queued') return { merge: toMerge(ended), stream: await toStream(db, stream) };
    const back = await refreshApproval(context, await moveStream(context, stream, 'dequeue'));
    return { merge: toMerge(ended), stream: await toStream(db, back) };
  },
});

async function toStreamById(context: MergeContext, id: string) {
  return toStream(context.db, await getStreamRow(context.db, id));
}

export const landingOperations = [prepare, land, end];

