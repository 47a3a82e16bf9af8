import { readEnvironment } from '../../src/app/environment.ts';
import { initApp } from '../../src/app/init-app.ts';
import { openApp } from '../../src/app/open-app.ts';
import { showAgent } from '../../src/contract/agents.ts';
import { endpoints } from '../../src/contract/api.ts';
import { isSwarmError } from '../../src/contract/errors.ts';
import { claimTask, nextTask } from '../../src/contract/tasks.ts';
import { castVote } from '../../src/workflows/carry-out-proposal.ts';
import { commitStream } from '../../src/workflows/commit-stream.ts';
import { createWorkspace, type WorkspaceRequest } from '../../src/workflows/create-workspace.ts';
import { destroyWorkspace, restoreWorkspace } from '../../src/workflows/destroy-workspace.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import { landLeadingBlocks } from '../../src/workflows/land-blocks.ts';
import { mergeStream } from '../../src/workflows/merge-stream.ts';
import { promote } from '../../src/workflows/promote.ts';
import { recover } from '../../src/workflows/recover.ts';
import { resolveStream } from '../../src/workflows/resolve-stream.ts';
import { revertStream } from '../../src/workflows/revert-stream.ts';
import { stabilize } from '../../src/workflows/stabilize.ts';
import { syncStream } from '../../src/workflows/sync-worktree.ts';
import { tick } from '../../src/workflows/tick.ts';
import { trackBranch } from '../../src/workflows/track-branch.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';

/** One thing a process is to do, as it is passed to it. */
export type Job =
  | { op: 'workspace'; request?: WorkspaceRequest }
  | { op: 'commit'; stream: string; message: string }
  | { op: 'merge' | 'blocks' | 'revert' | 'sync' | 'resolve' | 'restore'; stream: string }
  | { op: 'destroy'; stream: string; force?: boolean; abandon?: boolean }
  | { op: 'track'; branch: string }
  | { op: 'stabilize' | 'promote' | 'next' | 'tick' | 'queue' }
  | { op: 'claim'; task: string }
  | { op: 'vote'; proposal: string; vote: 'for' | 'against' | 'abstain' }
  /** Asks for an operation by its name. */
  | { op: 'call'; name: string; input: object }
  | { op: 'init'; buffer?: string };

/**
 * The program that the tests of crashes and of rivalry run, many times at once and to be killed: it opens the
 * repository, does one thing as one agent, and prints what came of it. `go` on stdin starts it where it is told to wait.
 */
if (process.argv[1] === import.meta.filename) {
  const [dir = '', as = '', text = ''] = process.argv.slice(2);
  const job = JSON.parse(text) as Job;
  const environment = readEnvironment();
  try {
    const data = job.op === 'init' ? await start(dir, as, job) : await act(dir, as, job);
    process.stdout.write(`${JSON.stringify({ ok: true, data })}\n`);
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    process.stdout.write(`${JSON.stringify({ ok: false, code: error.code, message: error.message })}\n`);
  }

  async function start(place: string, owner: string, { buffer }: { buffer?: string }): Promise<unknown> {
    await isTold();
    return initApp({ dir: place, environment, request: { owner, ...(buffer ? { buffer } : {}) } });
  }

  async function act(place: string, name: string, wanted: Job): Promise<unknown> {
    const app = await openApp({ dir: place, environment });
    try {
      const actor = await app.workflow().authority.call(showAgent, { agent: name });
      const own = app.workflow({ actor });
      const remote = process.env.DRIVE_SHARED;
      const workflow = remote === undefined ? own : { ...own, shared: { remote } };
      await isTold();
      await recover(workflow);
      return await perform(workflow, wanted);
    } finally {
      await app.close();
    }
  }
}

async function perform(workflow: Workflow, job: Job): Promise<unknown> {
  switch (job.op) {
    case 'workspace':
      return createWorkspace(workflow, job.request ?? {});
    case 'commit':
      return commitStream(workflow, { stream: job.stream, message: job.message });
    case 'merge':
      return mergeStream(workflow, job.stream);
    case 'blocks':
      return landLeadingBlocks(workflow, job.stream);
    case 'queue':
      return driveQueue(workflow);
    case 'revert':
      return revertStream(workflow, job.stream);
    case 'sync':
      return syncStream(workflow, job.stream);
    case 'resolve':
      return resolveStream(workflow, { stream: job.stream });
    case 'destroy':
      return destroyWorkspace(workflow, job.stream, job);
    case 'restore':
      return restoreWorkspace(workflow, job.stream);
    case 'track':
      return trackBranch(workflow, { branch: job.branch });
    case 'stabilize':
      return stabilize(workflow);
    case 'promote':
      return promote(workflow);
    case 'claim':
      return workflow.authority.call(claimTask, { task: job.task });
    case 'vote':
      return castVote(workflow, job);
    case 'tick':
      return tick(workflow);
    case 'call': {
      const endpoint = endpoints.find((each) => each.name === job.name);
      if (!endpoint) throw new Error(`there is no operation ${job.name}`);
      return workflow.authority.call(endpoint, { repoId: workflow.repo.id, ...job.input });
    }
    case 'next':
      return workflow.authority.call(nextTask, { repoId: workflow.repo.id, claim: true });
    case 'init':
      return undefined;
  }
}

/** Says that it is ready and waits until it may begin, so that many begin at the same moment. */
async function isTold(): Promise<void> {
  if (process.env.DRIVE_WAITS !== '1') return;
  process.stdout.write('ready\n');
  await new Promise<void>((done) => {
    process.stdin.once('data', () => done());
    process.stdin.once('end', () => done());
  });
  process.stdin.destroy();
}
