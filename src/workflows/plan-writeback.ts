import { isoTime } from '../base/clock.ts';
import { isSwarmError } from '../contract/errors.ts';
import type { PlanPair } from '../domain/workplans/compare-plans.ts';
import { applySplices, type Splice, statusSplice, taskIdSplice } from '../domain/workplans/edit-workplan.ts';
import type { PlanFile } from '../domain/workplans/plan-entries.ts';
import { finding } from '../domain/workplans/plan-findings.ts';
import { withTrailers } from '../git/change-id.ts';
import { commitFiles, type FileCommitResult } from '../git/commit-files.ts';
import { signaturesOf } from './authorship.ts';
import { needsWriteback, uncommittedFinding } from './plan-check.ts';
import { whyNoCommit } from './plan-place.ts';
import type { FixRun, PlanChange } from './plan-report.ts';
import { changedLocally, type PlanView } from './plan-view.ts';
import { actorOf, type Workflow } from './workflow.ts';

/** Marks the commits that only wrote back what the database says, so that they may be made anew. */
export const WRITEBACK_TRAILER = 'GitSwarm-Writeback';

interface FileEdit {
  file: PlanFile;
  splices: Splice[];
  changes: PlanChange[];
}

/**
 * Writes what the database says into status lines, and new ids into their blocks, and commits that alone. Files with
 * changes of somebody are left alone (C-14); a commit that fails is told (C-18), and the next run tries again.
 */
export async function writeBack(
  workflow: Workflow,
  view: PlanView,
  run: FixRun,
): Promise<string | undefined> {
  const wanted = editsOf(view.comparison.pairs);
  if (wanted.length === 0) return undefined;
  const reason = await whyNoCommit(workflow, view);
  if (reason !== undefined || view.head.kind !== 'branch') {
    run.findings.push(finding('C-18', `Nothing was written back: ${reason}`));
    return undefined;
  }
  const local = await changedLocally(workflow, view.worktree);
  const edits = wanted.filter(({ file }) => !local.has(file.path));
  for (const { file } of wanted.filter((edit) => !edits.includes(edit))) {
    run.findings.push(uncommittedFinding(file.path, 'WARN'));
  }
  if (edits.length === 0) return undefined;
  const changes = edits.flatMap((edit) => edit.changes);
  const result = await commitEdits(workflow, view, { head: view.head, edits, changes });
  if (result.kind === 'committed') {
    run.changed = [...run.changed, ...changes];
    return result.commit;
  }
  if (result.kind !== 'nothing')
    run.findings.push(finding('C-18', `Nothing was written back: ${whyNot(result)}`));
  return undefined;
}

function editsOf(pairs: readonly PlanPair[]): FileEdit[] {
  const edits = new Map<PlanFile, FileEdit>();
  for (const pair of pairs) {
    if (!needsWriteback(pair)) continue;
    const { file } = pair.entry;
    const edit = edits.get(file) ?? { file, splices: [], changes: [] };
    edits.set(file, edit);
    addEdits(edit, pair);
  }
  return [...edits.values()];
}

function addEdits({ file, splices, changes }: FileEdit, { entry, task, comparison }: PlanPair): void {
  const about = { task: entry.blockId, taskId: task.taskId, file: file.path };
  if (entry.taskId === undefined) {
    splices.push(taskIdSplice(entry.block, task.taskId));
    changes.push({ kind: 'id_written', ...about });
  }
  if (comparison.kind !== 'database_ahead' && comparison.kind !== 'set_back') return;
  const splice = statusSplice(entry.block, task.status);
  if (!splice) return;
  splices.push(splice);
  changes.push({ kind: 'file', ...about, from: entry.status, to: task.status });
}

type Failure = { kind: 'failed'; message: string };

async function commitEdits(
  workflow: Workflow,
  { worktree }: PlanView,
  given: { head: { branch: string; oid: string }; edits: FileEdit[]; changes: PlanChange[] },
): Promise<FileCommitResult | Failure> {
  const { head, edits, changes } = given;
  try {
    return await commitFiles(workflow.git, worktree, {
      ref: `refs/heads/${head.branch}`,
      head: head.oid,
      files: edits.map(({ file, splices }) => ({
        path: file.path,
        bytes: applySplices(file.bytes, splices),
      })),
      message: messageOf(changes, isoTime(workflow.clock.now()).slice(0, 10)),
      ...(await signaturesOf(workflow, actorOf(workflow))),
    });
  } catch (error) {
    // The database is right already: a commit that git refuses does not undo that.
    if (isSwarmError(error)) return { kind: 'failed', message: error.message };
    throw error;
  }
}

/** In the form that people know, with a trailer by which we know it again. */
function messageOf(changes: readonly PlanChange[], day: string): string {
  const lines = changes.map((change) =>
    change.kind === 'file'
      ? `- ${change.task}: ${change.from} → ${change.to}`
      : `- ${change.task}: linked to task ${change.taskId}`,
  );
  const body = [
    'chore(consistency): sync task status from DB [auto]',
    '',
    `Updated by fix-consistency on ${day}:`,
  ];
  return withTrailers([...body, ...lines, ''].join('\n'), { [WRITEBACK_TRAILER]: String(changes.length) });
}

const BEHIND = {
  other_branch: 'the checkout is on another branch now',
  in_progress: 'a merge, rebase or the like was begun here and is not finished',
  index_locked: 'another git process holds the index',
  local_changes: 'somebody has changed the files meanwhile',
};

function whyNot(result: Exclude<FileCommitResult | Failure, { kind: 'committed' | 'nothing' }>): string {
  if (result.kind === 'behind') return BEHIND[result.reason];
  return result.kind === 'lost' ? `somebody else was quicker: ${result.message}` : result.message;
}
