import { plainLine } from '../base/plain-text.ts';
import { isSwarmError } from '../contract/errors.ts';
import { differsOnlyInOurs } from '../domain/workplans/edit-workplan.ts';
import { finding, type PlanFinding } from '../domain/workplans/plan-findings.ts';
import { trailersOf } from '../git/change-id.ts';
import type { CommitRecord } from '../git/commit-record.ts';
import { isAncestor, listCommits } from '../git/commits.ts';
import { changedPaths } from '../git/diff.ts';
import { type Head, headOf } from '../git/head.ts';
import { type MoveResult, moveCheckout } from '../git/move-checkout.ts';
import { readBlob } from '../git/objects.ts';
import { findRef, updateRefs } from '../git/refs.ts';
import { SNAPSHOTS } from '../git/snapshot.ts';
import { fetchFrom, upstreamOf } from '../git/upstream.ts';
import { whyNoCommit } from './plan-place.ts';
import { checkoutOf } from './plan-view.ts';
import { WRITEBACK_TRAILER } from './plan-writeback.ts';
import type { Workflow } from './workflow.ts';

const PATIENCE_MS = 60_000;

/**
 * Fetches and fast-forwards the checkout. Where all that is only here are writebacks of our own, they are dropped first
 * (kept under a ref): the database still knows what they said, and says it again. What cannot be pulled is told, and
 * fix goes on with what is here.
 */
export async function pullCheckout(workflow: Workflow): Promise<PlanFinding[]> {
  const { git } = workflow;
  const worktree = checkoutOf(workflow);
  const head = await headOf(git, worktree);
  const reason = await whyNoCommit(workflow, { worktree, head });
  if (reason !== undefined || head.kind !== 'branch') return notPulled(reason ?? 'there is no branch');
  const upstream = await upstreamOf(git, head.branch);
  if (!upstream) return notPulled(`${head.branch} follows no upstream`, 'INFO');
  try {
    if (upstream.remote !== '.') await fetchFrom(git, upstream.remote, PATIENCE_MS);
  } catch (error) {
    if (!isSwarmError(error, 'git_failed') && !isSwarmError(error, 'timed_out')) throw error;
    return notPulled(plainLine(error.message));
  }
  const tip = (await upstreamOf(git, head.branch))?.known;
  if (tip === undefined || (await isAncestor(git, tip, head.oid))) return [];
  if (!(await isAncestor(git, head.oid, tip))) {
    const own = await listCommits(git, { from: head.oid, notIn: [tip] });
    for (const commit of own) {
      if (await isWriteback(workflow, commit)) continue;
      const name = `${commit.oid.slice(0, 10)} "${plainLine(commit.message.split('\n')[0] ?? '')}"`;
      return notPulled(`${head.branch} has diverged: ${name} is only here; merge or rebase it by hand`);
    }
    await keep(workflow, head);
  }
  const moved = await moveCheckout(git, {
    worktree,
    ref: `refs/heads/${head.branch}`,
    old: head.oid,
    new: tip,
  });
  workflow.reach('plan.pulled');
  return moved.kind === 'moved' ? [] : notPulled(inTheWay(moved));
}

function notPulled(why: string, severity: 'WARN' | 'INFO' = 'WARN'): PlanFinding[] {
  return [finding('C-14', `The pull failed: ${why}`, { severity })];
}

function inTheWay(moved: Exclude<MoveResult, { kind: 'moved' }>): string {
  if (moved.kind === 'lost') return plainLine(moved.message);
  const files = moved.files.slice(0, 5).map(plainLine).join(', ');
  return files === '' ? `the checkout is busy (${moved.reason})` : `local changes are in the way: ${files}`;
}

/** Says it is ours, and is: one parent, and nothing but statuses and new ids in task blocks. */
async function isWriteback({ git }: Workflow, commit: CommitRecord): Promise<boolean> {
  const [parent] = commit.parents;
  const isMarked = trailersOf(commit.message).some(([name]) => name === WRITEBACK_TRAILER);
  if (!isMarked || parent === undefined || commit.parents.length > 1) return false;
  for (const { path, status } of await changedPaths(git, parent, commit.oid)) {
    if (status !== 'modified') return false;
    const [before, after] = await Promise.all([readBlob(git, parent, path), readBlob(git, commit.oid, path)]);
    if (!before || !after || !differsOnlyInOurs(before, after)) return false;
  }
  return true;
}

async function keep({ git }: Workflow, head: Extract<Head, { kind: 'branch' }>): Promise<void> {
  const ref = `${SNAPSHOTS}plan/${head.oid}`;
  if ((await findRef(git, ref)) !== undefined) return;
  await updateRefs(git, [{ ref, old: null, new: head.oid }], 'gitswarm: plan fix --pull');
}
