import { isSwarmError } from '../../contract/errors.ts';
import { type Stream, showStream } from '../../contract/streams.ts';
import type { Task } from '../../contract/tasks.ts';
import { findMarkers } from '../../git/conflict-markers.ts';
import { runGit } from '../../git/run-git.ts';
import { worktreeStatus } from '../../git/worktree-files.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import { adoptBranch } from '../adopt.ts';
import { type CommitResult, commitStream } from '../commit-stream.ts';
import { takeSnapshot } from '../destroy-workspace.ts';
import { continueResolution } from '../resolve-stream.ts';
import type { Workflow } from '../workflow.ts';
import type { Feedback } from './prompts.ts';

export type Committed =
  | { kind: 'committed'; merge: CommitResult['merge'] }
  /** The files cannot be committed as they are; they stay in the worktree, and in a snapshot. */
  | { kind: 'refused'; feedback: Feedback };

/** Commits what an agent left in its worktree: what counts is what is there, whatever the agent says of it. */
export async function commitLeft(workflow: Workflow, begun: Stream, task: Task | null): Promise<Committed> {
  const path = findWorkspace(workflow.machine, begun.id)?.path;
  // The agent may have committed, or resolved a conflict, by itself.
  const stream = await adoptBranch(workflow, await workflow.authority.call(showStream, { stream: begun.id }));
  try {
    const inMerge = path !== undefined && (await worktreeStatus(workflow.git, path)).inProgress === 'merge';
    if (inMerge) await stageDecided(workflow, path);
    const done = inMerge
      ? await continueResolution(workflow, stream.id)
      : await commitStream(workflow, {
          stream: stream.id,
          message: messageFor(stream, task),
          allowEmpty: stream.state === 'conflicted',
        });
    return { kind: 'committed', merge: 'merge' in done ? done.merge : null };
  } catch (error) {
    if (!isSwarmError(error) || !ABOUT_THE_FILES.has(error.code)) throw error;
    if (path !== undefined) await takeSnapshot(workflow, stream, path, 'because it could not be committed');
    const details = error.fix ? `${error.message}\n${error.fix}` : error.message;
    return {
      kind: 'refused',
      feedback: { summary: 'What is in the worktree cannot be committed.', details },
    };
  }
}

/** Markers, another branch, a refusing hook: the agent can mend these. */
const ABOUT_THE_FILES = new Set<string>([
  'conflict',
  'wrong_branch',
  'wrong_state',
  'command_failed',
  'busy',
  'git_failed',
]);

/** Agents edit files in conflict and do not tell git: those without markers are decided. */
async function stageDecided(workflow: Workflow, path: string): Promise<void> {
  const { unmerged } = await worktreeStatus(workflow.git, path);
  const open = new Set(await findMarkers(workflow.git, path, unmerged, undefined));
  const decided = unmerged.filter((file) => !open.has(file));
  if (decided.length === 0) return;
  await runGit(workflow.git, ['add', '--all', '--sparse', '--pathspec-from-file=-', '--pathspec-file-nul'], {
    cwd: path,
    input: decided.map((file) => `${file}\0`).join(''),
    env: { GIT_LITERAL_PATHSPECS: '1' },
  });
}

function messageFor(stream: Stream, task: Task | null): string {
  const subject = task?.title ?? stream.name;
  const body = task?.description.trim();
  return body ? `${subject}\n\n${body}\n` : `${subject}\n`;
}
