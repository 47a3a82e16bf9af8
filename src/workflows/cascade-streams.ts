import { allPages } from '../base/all-pages.ts';
import {
  type ConflictFile,
  listStreams,
  markConflicted,
  recordHead,
  type Stream,
} from '../contract/streams.ts';
import { applyCascade, type CascadeResult, cascade } from '../git/cascade.ts';
import { checkedOutRefs } from '../git/checkouts.ts';
import { moveCheckout } from '../git/move-checkout.ts';
import { findRef, updateRefs } from '../git/refs.ts';
import { worktreeStatus } from '../git/worktree-files.ts';
import { listWorkspaceUses } from '../machine/workspaces.ts';
import { forkPoints, measureFacts } from './facts.ts';
import { keepHead, keepUpdate } from './kept-heads.ts';
import { isAtHome } from './shared/at-home.ts';
import type { Workflow } from './workflow.ts';

/** What became of the streams below one that moved; ids. */
export interface CascadeReport {
  rebased: string[];
  /** Below a conflict, or behind because somebody is at work in their worktree. */
  deferred: string[];
  conflicted: { streamId: string; files: ConflictFile[] }[];
}

const OPEN = new Set(['active', 'in_review', 'changes_requested', 'approved', 'queued', 'conflicted']);

/**
 * Brings the streams that build on a moved one onto its new head, in memory and with one ref transaction for those
 * nobody has checked out. A worktree moves only when it is clean and nobody is at work in it; otherwise its stream
 * stays behind until its author commits or syncs. A conflict stops its stream and what is below, nothing else.
 */
export async function cascadeStreams(
  workflow: Workflow,
  moved: { id: string; oldHead: string; newHead: string },
  policy: 'defer' | 'stop' | 'ours' | 'theirs' = 'defer',
): Promise<CascadeReport> {
  const below = await descendants(workflow, moved.id);
  const report: CascadeReport = { rebased: [], deferred: [], conflicted: [] };
  if (below.length === 0) return report;
  const worktrees = await checkedOutRefs(workflow.git);
  const hold: string[] = [];
  for (const stream of below) {
    if (!OPEN.has(stream.state) || !(await mayMove(workflow, stream, worktrees))) hold.push(stream.id);
  }
  const result = await cascade(workflow.git, {
    moved,
    streams: below.map((stream) => ({
      id: stream.id,
      ref: `refs/heads/${stream.branch}`,
      head: stream.head,
      parentId: stream.parentStreamId ?? moved.id,
      base: stream.baseCommit,
    })),
    policy,
    hold,
  });
  workflow.reach('cascade.computed');
  const stuck = await moveAll(workflow, result, { below, worktrees });
  workflow.reach('cascade.moved');
  for (const step of result.rebased) {
    const stream = below.find((each) => each.id === step.id);
    if (!stream || stuck.has(step.id)) continue;
    await recordRebase(workflow, stream, step.to);
    report.rebased.push(step.id);
  }
  for (const conflict of result.conflicted) {
    const stream = below.find((each) => each.id === conflict.id);
    if (!stream) continue;
    const files = conflict.files.map(({ path, kind }) => ({ path, kind }));
    await workflow.authority.call(markConflicted, {
      stream: stream.id,
      with: 'parent',
      onto: moved.newHead,
      files,
    });
    report.conflicted.push({ streamId: stream.id, files });
  }
  report.deferred.push(...result.deferred, ...stuck);
  return report;
}

/** Everything below a stream, parents before children. */
async function descendants(workflow: Workflow, id: string): Promise<Stream[]> {
  const found: Stream[] = [];
  const seen = new Set([id]);
  const waiting = [id];
  for (let parent = waiting.shift(); parent !== undefined; parent = waiting.shift()) {
    const children = await allPages((cursor) =>
      workflow.authority.call(listStreams, {
        repoId: workflow.repo.id,
        parent,
        open: true,
        limit: 200,
        cursor,
      }),
    );
    for (const child of children) {
      if (seen.has(child.id)) continue;
      seen.add(child.id);
      waiting.push(child.id);
      found.push(child);
    }
  }
  return found;
}

/** Clean is not idle: an agent that has read a file before the move would write its old copy back. */
async function mayMove(workflow: Workflow, stream: Stream, worktrees: Map<string, string>): Promise<boolean> {
  // Another machine moves what is written there, when its author comes to a rest.
  if (!(await isAtHome(workflow, stream))) return false;
  const ref = `refs/heads/${stream.branch}`;
  // Plain-git commits that are not adopted yet would be left behind by a move.
  if ((await findRef(workflow.git, ref)) !== stream.head) return false;
  const path = worktrees.get(ref);
  if (path === undefined) return true;
  if (listWorkspaceUses(workflow.machine, stream.id).length > 0) return false;
  const status = await worktreeStatus(workflow.git, path);
  return status.clean && status.inProgress === undefined && !status.indexLocked;
}

/** Moves the refs: those without a checkout together, the others one by one with theirs. Answers who did not move. */
async function moveAll(
  workflow: Workflow,
  result: CascadeResult,
  known: { below: Stream[]; worktrees: Map<string, string> },
): Promise<Set<string>> {
  const stuck = new Set<string>();
  const isBelowStuck = (id: string): boolean => {
    const parent = known.below.find((stream) => stream.id === id)?.parentStreamId;
    return parent != null && (stuck.has(parent) || isBelowStuck(parent));
  };
  await keepLeftHeads(workflow, result);
  for (const step of result.rebased) {
    const ref = `refs/heads/${known.below.find((stream) => stream.id === step.id)?.branch}`;
    const worktree = known.worktrees.get(ref);
    if (isBelowStuck(step.id)) stuck.add(step.id);
    else if (worktree !== undefined) {
      const moved = await moveCheckout(workflow.git, { worktree, ref, old: step.from, new: step.to });
      if (moved.kind !== 'moved') stuck.add(step.id);
    }
  }
  const free = result.rebased.filter((step) => !stuck.has(step.id)).map((step) => step.id);
  const updates = result.updates.filter((update) => {
    const id = known.below.find((stream) => `refs/heads/${stream.branch}` === update.ref)?.id;
    return !known.worktrees.has(update.ref) && id !== undefined && free.includes(id);
  });
  const applied = await applyCascade(workflow.git, updates, 'gitswarm: cascade');
  if (applied.kind === 'lost') {
    for (const update of updates) {
      const id = known.below.find((stream) => `refs/heads/${stream.branch}` === update.ref)?.id;
      if (id) stuck.add(id);
    }
  }
  return stuck;
}

async function keepLeftHeads(workflow: Workflow, result: CascadeResult): Promise<void> {
  const updates = [];
  for (const step of result.rebased) {
    const existing = await findRef(workflow.git, keepHead(step.id, step.from).ref);
    const update = keepUpdate(step.id, step.from, existing);
    if (update) updates.push(update);
  }
  await updateRefs(workflow.git, updates, 'gitswarm: keep rebased heads');
}

async function recordRebase(workflow: Workflow, stream: Stream, head: string): Promise<void> {
  const facts = await measureFacts(workflow, head, await forkPoints(workflow, stream));
  await workflow.authority.call(recordHead, {
    stream: stream.id,
    facts,
    cause: 'rebased',
    expectHead: stream.head,
  });
}
