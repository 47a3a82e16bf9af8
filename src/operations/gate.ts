import { SwarmError } from '../contract/errors.ts';
import type { Consensus } from '../contract/reviews.ts';
import type { Db } from '../db/database.ts';
import type { AgentRow, RepoRow, StreamRow } from '../db/tables.ts';
import { type GateFacts, type GateRefusal, refuseMerge } from '../domain/merges/merge-gate.ts';
import { findLiveMerge, listLandings, listMergeRows } from '../domain/merges/merges-store.ts';
import { branchPolicy, touchesSettings } from '../domain/repos/branch-rules.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import { getStreamRow, handleOfStream, stateOf } from '../domain/streams/streams-store.ts';
import { isMaintainer } from './is-maintainer.ts';
import type { ReadContext } from './operation.ts';

/** Why this agent may not land this stream now, computed from everything that is known at this moment. */
export async function refusalFor(
  context: ReadContext & { repo: RepoRow },
  stream: StreamRow,
  {
    performer,
    forced,
    consensus,
    holder,
  }: { performer: AgentRow; forced: boolean; consensus: Consensus; holder?: string },
): Promise<GateRefusal | null> {
  const { db, repo } = context;
  const config = configInForce(repo);
  const policy = branchPolicy(config.buffer_branch, config);
  return refuseMerge({
    handle: handleOfStream(stream),
    state: stateOf(stream),
    mode: config.merge_mode,
    commitCount: stream.commit_count,
    consensus,
    touchesSettings: touchesSettings(JSON.parse(stream.paths) as string[]),
    parent: stream.parent_stream_id ? await parentOf(db, stream.parent_stream_id, holder) : null,
    maintainersOnly: policy.maintainersOnly,
    lacksTests: policy.requireTests && config.stabilize_command === null,
    callerIsMaintainer: await isMaintainer(context, performer),
    callerName: performer.name,
    forced,
  });
}

/**
 * In swarm mode a stream that is still at work has landed as far as its head has. A revert takes all of it away. A
 * stream may be queued behind its parent, and land in one go with it: then the parent was prepared by the same holder.
 */
export async function parentOf(
  db: Db,
  id: string,
  holder?: string,
): Promise<NonNullable<GateFacts['parent']>> {
  const parent = await getStreamRow(db, id);
  const handle = handleOfStream(parent);
  if (parent.state === 'abandoned' || (await wasReverted(db, parent))) return { handle, is: 'gone' };
  if (parent.state === 'merged') return { handle, is: 'landed' };
  const [last] = await listLandings(db, id);
  const isOnBuffer = last !== undefined && (last.head === parent.head || parent.commit_count === 0);
  if (isOnBuffer) return { handle, is: 'landed' };
  const live = await findLiveMerge(db, id);
  const isAhead = live && (holder === undefined || (live.state === 'prepared' && live.holder === holder));
  return { handle, is: isAhead ? 'ahead' : 'open' };
}

/** True where a landing of the stream was reverted. */
export async function wasReverted(db: Db, stream: StreamRow): Promise<boolean> {
  const filter = { repoId: stream.repo_id, streamId: stream.id, state: 'reverted', limit: 1 };
  return (await listMergeRows(db, filter)).length > 0;
}

export function throwRefusal(refusal: GateRefusal): never {
  throw new SwarmError(refusal.code, refusal.reason, { fix: refusal.fix });
}
