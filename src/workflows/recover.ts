import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { allPages } from '../base/all-pages.ts';
import { isoTime } from '../base/clock.ts';
import { AuthorityAway, unlessAway } from '../contract/authority-away.ts';
import { isSwarmError } from '../contract/errors.ts';
import { endMerge, landMerge, listMerges, type Merge } from '../contract/merges.ts';
import { explainAccess } from '../contract/repos.ts';
import { recordPromotion } from '../contract/stabilizations.ts';
import { abandonStream, showStream } from '../contract/streams.ts';
import { findRef, updateRefs } from '../git/refs.ts';
import { completeWorktree } from '../git/worktrees.ts';
import {
  adoptIntent,
  finishIntent,
  type Intent,
  listOrphanedIntents,
  orphanIntent,
} from '../machine/intents.ts';
import { isInSight } from '../machine/process-identity.ts';
import { deleteWorkspace, findWorkspace, insertWorkspace } from '../machine/workspaces.ts';
import type { SplitIntent } from './land-blocks.ts';
import { removeHalfMade } from './remove-worktree.ts';
import { fetchShared } from './shared/fetch-shared.ts';
import { isOnBranch } from './shared/shared-refs.ts';
import { distrust, type TrustIntent } from './swarm/trusted-reviewers.ts';
import { bringToBuffer } from './sync-worktree.ts';
import { bufferTip, targetTip, type Workflow } from './workflow.ts';
import type { CreateIntent } from './workspace-intent.ts';

/** One thing that a process which died had left unfinished, and what was done about it. */
export interface Repair {
  what: 'merge' | 'workspace' | 'destroy' | 'promotion' | 'move' | 'trust';
  subject: string;
  done: string;
}

/**
 * Finishes or takes back what dead processes left in between. Only their intents are touched. A landing whose commit
 * is on the buffer has happened; anything else is withdrawn and asked for again through the gates.
 *
 * A process that lives on after a landing of its own was cut off (its database went away) says that it holds the queue:
 * then no landing of its own can be under way.
 */
export async function recover(
  workflow: Workflow,
  { holdsQueue = false }: { holdsQueue?: boolean } = {},
): Promise<Repair[]> {
  if (!workflow.actor) return [];
  const repairs: Repair[] = [];
  const dead = (await unlessAway(preparedMerges(workflow), [])).filter((merge) => {
    const isOwn = holdsQueue && merge.holder === workflow.holder;
    return isOwn || !isAlive(workflow, merge);
  });
  const intents = listOrphanedIntents(workflow.machine);
  const asksRemote = dead.length > 0 || intents.some(({ kind }) => kind === 'promote');
  const isKnown = !asksRemote || (await learnShared(workflow));
  for (const merge of isKnown ? dead : []) {
    const repair = await settleMerge(workflow, merge, { holdsQueue });
    if (repair) repairs.push(repair);
  }
  for (const intent of intents) {
    if (intent.kind === 'promote' && !isKnown) continue;
    if (intent.kind === 'trust' && !(await isOwner(workflow))) continue;
    if (!adoptIntent(workflow.machine, intent)) continue;
    try {
      const repair = await settleIntent(workflow, intent);
      finishIntent(workflow.machine, intent.id);
      if (repair) repairs.push(repair);
    } catch (error) {
      if (!isSwarmError(error, 'not_allowed') && !(error instanceof AuthorityAway)) throw error;
      // It waits for somebody who may, or for the server.
      orphanIntent(workflow.machine, intent);
    }
  }
  return repairs;
}

function preparedMerges(workflow: Workflow): Promise<Merge[]> {
  return allPages((cursor) =>
    workflow.authority.call(listMerges, { repoId: workflow.repo.id, state: 'prepared', limit: 200, cursor }),
  );
}

/**
 * Whether somebody may be landing it now. A process that cannot be seen from here, because it is on another machine, has
 * until its permit ends; so has our own, which may have lost the answer of the remote.
 */
function isAlive(workflow: Workflow, { holder, permitUntil }: Merge): boolean {
  if (holder === null) return false;
  const isSeen = isInSight(holder) && holder !== workflow.holder;
  if (!workflow.shared || isSeen) return workflow.machine.isAlive(holder);
  return permitUntil !== null && workflow.clock.now() < Date.parse(permitUntil);
}

/** What has happened is told by the remote; while it is away nothing is settled. */
async function learnShared(workflow: Workflow): Promise<boolean> {
  try {
    await fetchShared(workflow);
    return true;
  } catch (error) {
    // It was fetched, and only the checkout here stays behind.
    if (isSwarmError(error, 'target_checked_out')) return true;
    if (!isSwarmError(error, 'unavailable')) throw error;
    workflow.notify(`What was interrupted waits to be settled: ${error.message}`);
    return false;
  }
}

/** Undefined where whoever decides says that its permit has not ended: clocks differ. */
async function settleMerge(
  workflow: Workflow,
  merge: Merge,
  { holdsQueue }: { holdsQueue: boolean },
): Promise<Repair | undefined> {
  const { authority, repo } = workflow;
  // Where somebody deleted the branch nothing can be told, and this throws.
  if (merge.commit !== null) await bufferTip(workflow);
  const has = merge.commit !== null && (await isOnBranch(workflow, repo.bufferBranch, merge.commit));
  if (has && merge.commit !== null) {
    const landed = await authority.call(landMerge, { merge: merge.id, commit: merge.commit });
    if (landed.stream && workflow.repo.mergeMode === 'swarm')
      await bringToBuffer(workflow, landed.stream, merge.commit);
    return { what: 'merge', subject: merge.handle, done: 'had landed; recorded' };
  }
  const reason = 'interrupted before it landed';
  const isGone = holdsQueue || (merge.holder !== workflow.holder && isInSight(merge.holder ?? ''));
  const end = { merge: merge.id, state: 'withdrawn', reason, requeue: true } as const;
  const ended = await authority
    .call(endMerge, { ...end, holder: isGone ? merge.holder : null })
    .catch((error: unknown) => {
      if (isSwarmError(error, 'busy')) return undefined;
      throw error;
    });
  if (!ended) return undefined;
  const asked = ended.stream?.state === 'queued';
  return { what: 'merge', subject: merge.handle, done: asked ? 'asked for again' : 'withdrawn' };
}

async function settleIntent(workflow: Workflow, intent: Intent): Promise<Repair | undefined> {
  const data = JSON.parse(intent.data) as Record<string, unknown>;
  if (intent.kind === 'create') return settleCreation(workflow, data as unknown as CreateIntent);
  if (intent.kind === 'split') return settleSplit(workflow, data as unknown as SplitIntent);
  if (intent.kind === 'promote') return settlePromotion(workflow, data);
  if (intent.kind === 'trust') return settleTrust(workflow, data as unknown as TrustIntent);
  if (intent.kind === 'destroy') {
    const path = String(data.path);
    // Without its link to git it is the rest of what was being removed, after all of it was saved.
    if (data.saved === true && existsSync(path) && !existsSync(join(path, '.git')))
      rmSync(path, { recursive: true, force: true });
    if (existsSync(path)) return { what: 'destroy', subject: path, done: 'not destroyed; nothing was lost' };
    deleteWorkspace(workflow.machine, String(data.streamId));
    return { what: 'destroy', subject: path, done: 'finished' };
  }
  return undefined;
}

/** A swarm that died left its reviewers maintainers; only an owner's command can take that back. */
async function settleTrust(workflow: Workflow, intent: TrustIntent): Promise<Repair | undefined> {
  await distrust(workflow, intent);
  return intent.agentIds.length === 0
    ? undefined
    : {
        what: 'trust',
        subject: intent.agentIds.join(', '),
        done: 'trusted for a swarm that died; no maintainers any more',
      };
}

async function isOwner(workflow: Workflow): Promise<boolean> {
  const agent = workflow.actor?.id;
  if (agent === undefined) return false;
  return (await workflow.authority.call(explainAccess, { repoId: workflow.repo.id, agent })).isOwner;
}

async function settleCreation(workflow: Workflow, made: CreateIntent): Promise<Repair> {
  const outcome = await removeHalfMade(workflow, made);
  if (outcome === 'kept') return keepWorkspace(workflow, made);
  if (made.restores)
    return { what: 'workspace', subject: made.path, done: 'removed; its stream is as it was' };
  try {
    await workflow.authority.call(abandonStream, {
      stream: made.streamId,
      reason: 'its workspace was interrupted while it was made',
    });
  } catch (error) {
    // The stream may not have been recorded yet, or belong to somebody else who will be told by status.
    if (!isSwarmError(error, 'not_found') && !isSwarmError(error, 'not_allowed')) throw error;
  }
  return { what: 'workspace', subject: made.path, done: 'removed' };
}

/** Somebody has worked there already: what is missing is written, so that it is a workspace like any other. */
async function keepWorkspace(workflow: Workflow, made: CreateIntent): Promise<Repair> {
  const subject = made.path;
  const stream = await workflow.authority
    .call(showStream, { stream: made.streamId })
    .catch((error: unknown) => {
      if (isSwarmError(error, 'not_found')) return undefined;
      throw error;
    });
  if (!stream || !existsSync(made.path) || findWorkspace(workflow.machine, stream.id)) {
    return { what: 'workspace', subject, done: 'kept: it holds work' };
  }
  await completeWorktree(workflow.git, made.path);
  insertWorkspace(workflow.machine, {
    stream_id: stream.id,
    path: made.path,
    agent_id: stream.authorId,
    branch: made.branch,
    synced_oid: made.commit,
    created_at: isoTime(workflow.clock.now()),
  });
  return { what: 'workspace', subject, done: 'finished: it holds work' };
}

/** The branch of a part that was not recorded holds nothing that its stream does not hold. */
async function settleSplit(workflow: Workflow, made: SplitIntent): Promise<Repair | undefined> {
  const recorded = await workflow.authority
    .call(showStream, { stream: made.streamId })
    .catch((error: unknown) => {
      if (isSwarmError(error, 'not_found')) return undefined;
      throw error;
    });
  const ref = `refs/heads/${made.branch}`;
  if (recorded || (await findRef(workflow.git, ref)) === undefined) return undefined;
  await updateRefs(workflow.git, [{ ref, old: made.commit, new: null }], 'not split off');
  return { what: 'move', subject: made.branch, done: 'removed; its stream is as it was' };
}

async function settlePromotion(workflow: Workflow, data: Record<string, unknown>): Promise<Repair> {
  const toCommit = String(data.toCommit);
  const subject = toCommit.slice(0, 10);
  await targetTip(workflow);
  const moved = await isOnBranch(workflow, workflow.repo.promoteTarget, toCommit);
  if (!moved) return { what: 'promotion', subject, done: 'had not happened' };
  const { authority } = workflow;
  const council = typeof data.councilAgentId === 'string' ? data.councilAgentId : undefined;
  await (council === undefined ? authority : authority.as(council)).call(recordPromotion, {
    repoId: workflow.repo.id,
    fromCommit: String(data.fromCommit),
    toCommit,
    untested: data.untested === true,
    triggeredBy: data.triggeredBy === 'auto' || data.triggeredBy === 'council' ? data.triggeredBy : 'manual',
  });
  return { what: 'promotion', subject, done: 'had happened; recorded' };
}
