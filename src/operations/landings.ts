import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/merges.ts';
import type { MergeRow, RepoRow, StreamRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { getAgent } from '../domain/agents/agents-store.ts';
import { landingOutcome, revertOutcome } from '../domain/karma/outcomes.ts';
import { toMerge, updateMergeRow } from '../domain/merges/merges-store.ts';
import { configInForce, serverSettings } from '../domain/repos/repos-store.ts';
import { consensusOf } from '../domain/reviews/consensus-store.ts';
import { recordRevert } from '../domain/stabilizations/stabilizations-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import {
  findStreamRow,
  getStreamRow,
  handleOfStream,
  isStreamAuthor,
  replaceCommits,
  toStream,
  toStreams,
  updateStreamRow,
} from '../domain/streams/streams-store.ts';
import { completeEvictionTask } from '../domain/tasks/eviction-task.ts';
import { bountyOfStream, completeTaskOfStream, reopenTaskOfStream } from '../domain/tasks/task-effects.ts';
import { toTask } from '../domain/tasks/tasks-store.ts';
import { refusalFor, throwRefusal } from './gate.ts';
import { isMaintainer } from './is-maintainer.ts';
import { decidersOf } from './merges.ts';
import { type ActingContext, operation } from './operation.ts';
import { pauseChildren } from './stream-children.ts';
import { completeRepaired, factColumns } from './stream-effects.ts';

type MergeContext = ActingContext & { repo: RepoRow; merge: MergeRow };

/** Who may carry a landing: the one who asked for it, or a maintainer; anyone may carry what no stream stands behind. */
async function checkCarrier(context: MergeContext): Promise<void> {
  const { merge, actor } = context;
  if (merge.requested_by === actor.id || merge.kind !== 'stream') return;
  if (configInForce(context.repo).merge_mode !== 'gated' || (await isMaintainer(context, actor))) return;
  // Whoever sits down to carry out what the council decided performs it in the council's name.
  if ((await getAgent(context.db, merge.requested_by)).council_id !== null) return;
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
    const isRenewal = merge.state === 'prepared' && merge.holder === input.holder;
    if ((merge.state !== 'requested' && !isRenewal) || merge.commit_hash !== expected) {
      throw new SwarmError(
        'conflict',
        `Landing ${toMerge(merge).handle} is ${merge.state} and not yours to prepare.`,
        {
          details: { state: merge.state, holder: merge.holder },
        },
      );
    }
    checkQueue(repo, merge);
    const decided = merge.kind === 'stream' ? { decided_by: await checkStream(context, input.holder) } : {};
    const prepared = await updateMergeRow(db, merge.id, {
      ...decided,
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

/**
 * Asks the gate for the head that was asked for, and answers who decided. Carrying is not performing: what counts is
 * what the one who asked may do now, or the carrier as a maintainer.
 */
async function checkStream(context: MergeContext, holder: string): Promise<string> {
  const { db, repo, merge, now } = context;
  const stream = await getStreamRow(db, merge.stream_id ?? '');
  if (stream.head !== merge.head) {
    throw new SwarmError('stale', `Stream ${handleOfStream(stream)} has moved on since it was queued.`, {
      fix: `gitswarm merge ${handleOfStream(stream)}`,
    });
  }
  const isOwnWish = merge.requested_by === context.actor.id;
  const requester = isOwnWish ? context.actor : await getAgent(db, merge.requested_by);
  const { level } = await accessOf(db, repo, requester, now);
  const isAuthor = await isStreamAuthor(db, stream, requester.id);
  if (!isOwnWish && requester.council_id === null && !includesLevel(level, isAuthor ? 'write' : 'maintain')) {
    throw new SwarmError(
      'gate_not_met',
      `${requester.name}, who asked to land ${handleOfStream(stream)}, may not any more.`,
      { fix: `gitswarm merge ${handleOfStream(stream)} --as <a maintainer>` },
    );
  }
  const carries = isOwnWish || (await isMaintainer(context, context.actor));
  const performer = carries ? context.actor : requester;
  const { human_can_force_merge: isForceOn } = serverSettings(repo);
  const mayForce = merge.forced === 1 && isForceOn && includesLevel(level, 'admin');
  const consensus = await consensusOf(db, repo, stream, now);
  const refusal = await refusalFor(context, stream, { performer, forced: mayForce, consensus, holder });
  if (refusal?.code === 'not_allowed') throwRefusal({ ...refusal, code: 'gate_not_met' });
  if (refusal) throwRefusal(refusal);
  return decidersOf(consensus);
}

/** The ref has moved: the landing is a fact, and everything that follows from it happens here, exactly once. */
const land = operation(contract.landMerge, {
  on: 'merge',
  needs: 'write',
  async run(context, input) {
    const { db, merge, now, emit } = context;
    const isRecorded = merge.state === 'landed' || merge.state === 'reverted';
    if (isRecorded && merge.commit_hash === input.commit) return answer(context, merge);
    if (merge.state !== 'prepared' || merge.commit_hash !== input.commit) {
      throw new SwarmError('conflict', `Landing ${toMerge(merge).handle} was not prepared for this commit.`, {
        details: { state: merge.state, prepared: merge.commit_hash, landed: input.commit },
      });
    }
    const landed = await updateMergeRow(db, merge.id, { state: 'landed', landed_at: now, holder: null });
    emit({
      type: 'merge.landed',
      subject: { type: 'merge', id: merge.id },
      data: {
        kind: merge.kind,
        streamId: merge.stream_id,
        commit: input.commit,
        bufferBefore: merge.buffer_before,
      },
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
  await landingOutcome(context, { merge, stream, bounty: await bountyOfStream(context, stream) });
  if (configInForce(repo).merge_mode === 'swarm') {
    const kept = await updateStreamRow(db, stream.id, {
      ...(facts ? factColumns(facts) : {}),
      state: 'active',
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
  await completeRepaired(context, landed, deciders);
  if (merge.tested_tree !== null) await completeEvictionTask(context, landed);
  return answer(context, merge, landed, completed ? await toTask(db, completed, context.now) : null);
}

async function landRevert(context: MergeContext, merge: MergeRow) {
  const { db, emit } = context;
  const reverted = await updateMergeRow(db, merge.reverts_merge_id ?? '', { state: 'reverted' });
  emit({
    type: 'merge.reverted',
    subject: { type: 'merge', id: reverted.id },
    data: { streamId: reverted.stream_id, by: merge.id, reason: merge.reason },
  });
  await recordRevert(db, { culprit: reverted.id, revert: merge.id });
  if (!reverted.stream_id) return answer(context, merge);
  const stream = await getStreamRow(db, reverted.stream_id);
  await revertOutcome(context, { merge: reverted, stream });
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

export const landingOperations = [prepare, land];
