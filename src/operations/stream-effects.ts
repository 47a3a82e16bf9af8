import type { Facts } from '../contract/streams.ts';
import type { RepoRow, StreamRow } from '../db/tables.ts';
import { touchesSettings } from '../domain/repos/branch-rules.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import { consensusOf } from '../domain/reviews/consensus-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { findStreamRow, stateOf } from '../domain/streams/streams-store.ts';
import { completeTaskOfStream } from '../domain/tasks/task-effects.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import type { ActingContext } from './operation.ts';

/** The columns that mirror what git says. */
export function factColumns(facts: Facts): Partial<StreamRow> {
  return {
    head: facts.head,
    base_commit: facts.base,
    patch_id: facts.patchId,
    paths: JSON.stringify(facts.paths),
    commit_count: facts.commits.length,
  };
}

/** Brings the cached approval in step: consensus may have been reached, lost by a change, or kept by a pure rebase. */
export async function refreshApproval(
  context: ActingContext & { repo: RepoRow },
  stream: StreamRow,
): Promise<StreamRow> {
  const state = stateOf(stream);
  if (!['in_review', 'changes_requested', 'approved', 'queued'].includes(state)) return stream;
  const consensus = await consensusOf(context.db, context.repo, stream, context.now);
  if (consensus.reached && (state === 'in_review' || state === 'changes_requested')) {
    context.emit({
      type: 'consensus.reached',
      subject: { type: 'stream', id: stream.id },
      data: { head: stream.head, score: consensus.score, threshold: consensus.threshold },
    });
    return moveStream(context, stream, 'reach_consensus');
  }
  if (!consensus.reached && state === 'approved') return moveStream(context, stream, 'lose_consensus');
  if (!consensus.reached && state === 'queued' && (await withdrawIfConsensusGated(context, stream))) {
    return moveStream(context, stream, 'lose_consensus');
  }
  return stream;
}

/** A queued stream leaves the queue with its consensus, unless an owner forced it or swarm mode asks for none. */
async function withdrawIfConsensusGated(
  context: ActingContext & { repo: RepoRow },
  stream: StreamRow,
): Promise<boolean> {
  const asksForNone = configInForce(context.repo).merge_mode === 'swarm';
  if (asksForNone && !touchesSettings(JSON.parse(stream.paths) as string[])) return false;
  const merge = await withdrawLiveMerge(context, stream, 'consensus was lost', { unlessForced: true });
  return merge !== undefined;
}

/** A fix that has landed also completes the task whose landing was reverted. */
export async function completeRepaired(
  context: ActingContext,
  fix: StreamRow,
  deciders: string[],
): Promise<void> {
  if (!fix.revert_of_stream_id) return;
  const repaired = await findStreamRow(context.db, fix.revert_of_stream_id);
  if (repaired) await completeTaskOfStream(context, repaired, deciders);
}
