import { plain } from '../base/plain-text.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Merge } from '../contract/merges.ts';
import { listStabilizations, type Stabilization } from '../contract/stabilizations.ts';
import type { Stream } from '../contract/streams.ts';
import { showStream } from '../contract/streams.ts';
import type { Task } from '../contract/tasks.ts';
import { isAncestor } from '../git/commits.ts';
import { withLock } from '../machine/locks.ts';
import { findCulprit, suspectsSince } from './find-culprit.ts';
import { tagGreen } from './green-tag.ts';
import { intake } from './plain-landings.ts';
import { promote } from './promote.ts';
import { withQueue } from './queue-lock.ts';
import { endOf, recordRed, recordResult, thaw } from './record-result.ts';
import { revertLanding } from './revert-stream.ts';
import { type CheckRequest, type CheckRun, runChecks } from './run-checks.ts';
import { runPlugin } from './run-plugin.ts';
import { meetShared } from './shared/fetch-shared.ts';
import { isHere } from './shared/shared-refs.ts';
import { actorOf, bufferTip, targetTip, type Workflow } from './workflow.ts';

export interface StabilizeResult {
  result: 'green' | 'red' | 'error';
  commit: string;
  tag: string | null;
  durationMs: number;
  culprit: { merge: Merge; stream: Stream | null } | null;
  reverted: { commit: string; bufferAfter: string; paused: string[] } | null;
  task: Task | null;
  /** The tip after the revert was tested and is green. */
  healed: boolean;
  promoted: boolean;
  frozen: boolean;
  reason: string | null;
  runs: number;
  output: string;
}

export interface StabilizeOptions {
  timeoutMs?: number | undefined;
  revert?: boolean;
}

/**
 * Tests the tip of the buffer in a checkout of its own. Green: a tag, and promotion where the settings say so. Red:
 * once more; then the landing that broke it is found, reverted, and its author gets one critical task.
 */
export async function stabilize(
  workflow: Workflow,
  options: StabilizeOptions = {},
): Promise<StabilizeResult> {
  actorOf(workflow);
  const { config } = workflow.repo;
  const command = config.stabilize_command;
  if (command === null) {
    throw new SwarmError('not_configured', 'There is no command that tests the buffer.', {
      fix: 'gitswarm config set stabilize_command "npm test"',
    });
  }
  return withLock(workflow.home, 'stabilize', async () => {
    await withQueue(workflow, async () => {
      await meetShared(workflow);
      await intake(workflow);
    });
    const commit = await bufferTip(workflow);
    const request: CheckRequest = {
      command,
      timeoutMs: options.timeoutMs ?? config.stabilize_timeout,
      kind: 'stabilize',
      subject: commit,
    };
    workflow.notify(`testing ${workflow.repo.bufferBranch} @ ${commit.slice(0, 10)}: ${command}`);
    const first = await runChecks(workflow, commit, { ...request, fresh: true });
    if (first.result === 'green') return green(workflow, commit, { run: first, runs: 1 });
    if (first.result === 'error') return failed(workflow, commit, { run: first, runs: 1 });
    return red(workflow, commit, { run: first, request, mayRevert: options.revert ?? true });
  });
}

async function green(
  workflow: Workflow,
  commit: string,
  { run, runs }: { run: CheckRun; runs: number },
): Promise<StabilizeResult> {
  const tag = await tagGreen(workflow, commit);
  workflow.reach('stabilize.tagged');
  const recorded = await recordResult(workflow, {
    repoId: workflow.repo.id,
    result: 'green',
    commit,
    tag,
    durationMs: run.durationMs,
    runs,
  });
  workflow.reach('stabilize.recorded');
  await thaw(workflow);
  const promoted = recorded.mayPromote ? await promoteQuietly(workflow, recorded.stabilization.id) : false;
  return { ...summary('green', commit, run), tag, promoted, runs };
}

/** Auto-promotion never fails a green run: what stands in its way is told. */
async function promoteQuietly(workflow: Workflow, run: string): Promise<boolean> {
  const trigger = { plugin: 'promote_buffer_to_main', key: run } as const;
  const result = await runPlugin(workflow, trigger, () => promote(workflow, { automatic: true }));
  return result?.promoted ?? false;
}

async function failed(
  workflow: Workflow,
  commit: string,
  { run, runs, reason }: { run: CheckRun; runs: number; reason?: string },
): Promise<StabilizeResult> {
  // Whoever stops a run learns nothing about the buffer, so nothing is recorded.
  if (workflow.signal?.aborted) {
    throw new SwarmError(
      'interrupted',
      `The test of ${commit.slice(0, 10)} was stopped; nothing was recorded.`,
      {
        fix: 'gitswarm stabilize',
      },
    );
  }
  await recordResult(workflow, {
    repoId: workflow.repo.id,
    result: 'error',
    commit,
    durationMs: run.durationMs,
    runs,
    details: endOf(run.output),
  });
  return { ...summary('error', commit, run), runs, reason: reason ?? 'the command could not be run' };
}

async function red(
  workflow: Workflow,
  commit: string,
  { run, request, mayRevert }: { run: CheckRun; request: CheckRequest; mayRevert: boolean },
): Promise<StabilizeResult> {
  const baseline = await lastGreen(workflow, commit);
  const suspects = await suspectsSince(workflow, baseline, commit);
  let known: Stabilization | undefined;
  const search = await findCulprit(workflow, suspects, {
    request,
    output: run.output,
    onRed: async (second) => {
      known = await recordRed(workflow, commit, second);
    },
  });
  const runs = 1 + search.runs;
  if (search.kind === 'flaky') return green(workflow, commit, { run: search.run, runs });
  if (search.kind === 'baseline_red' || search.kind === 'error') {
    const output = `${search.output}`;
    const reason = search.kind === 'error' ? 'the command could not be run' : 'baseline_red';
    return failed(workflow, commit, { run: { ...run, output }, runs, reason });
  }
  const culprit = search.kind === 'culprit' && search.merge.kind === 'stream' ? search.merge : null;
  const stream = culprit?.streamId
    ? await workflow.authority.call(showStream, { stream: culprit.streamId })
    : null;
  const reverts = culprit !== null && mayRevert && workflow.repo.config.auto_revert_on_red;
  workflow.reach('stabilize.found');
  // Before the revert: once the buffer is green again nobody would come back to open the task.
  const recorded = await recordResult(workflow, {
    repoId: workflow.repo.id,
    result: 'red',
    commit,
    completes: known?.id ?? null,
    culpritMerge: culprit?.id ?? null,
    durationMs: run.durationMs,
    runs,
    details: endOf(run.output),
  });
  workflow.reach('stabilize.recorded_red');
  const reverted = reverts && culprit ? await takeBack(workflow, culprit, run) : null;
  workflow.reach('stabilize.reverted');
  const healed = reverted !== null && (await heal(workflow, reverted.bufferAfter, request));
  return {
    ...summary('red', commit, run),
    culprit: culprit ? { merge: culprit, stream } : null,
    reverted: reverted && {
      commit: reverted.commit,
      bufferAfter: reverted.bufferAfter,
      paused: reverted.paused,
    },
    task: recorded.task,
    healed,
    frozen: !healed,
    reason: culprit ? null : 'no landing since the last green commit could be blamed',
    runs,
  };
}

async function takeBack(workflow: Workflow, culprit: Merge, run: CheckRun) {
  workflow.notify(`${culprit.handle} turned the buffer red; reverting it`);
  const reason = `turned the buffer red: ${run.output.trim().split('\n').at(-1)?.slice(0, 200) ?? ''}`;
  const trigger = { plugin: 'auto_revert_on_red', key: culprit.id } as const;
  const result = await runPlugin(workflow, trigger, () =>
    withQueue(workflow, () => revertLanding(workflow, culprit, { reason: oneLine(reason), automatic: true })),
  );
  if (result === null) return null;
  if (result.kind === 'conflict') {
    workflow.notify('the revert clashes with what landed since; the queue is frozen instead');
    return null;
  }
  return {
    commit: result.commit,
    bufferAfter: result.bufferAfter,
    paused: result.paused.map((stream) => stream.id),
  };
}

/** Tests the tip after the revert, so that a green commit is there to be promoted. */
async function heal(workflow: Workflow, tip: string, request: CheckRequest): Promise<boolean> {
  const run = await runChecks(workflow, tip, request);
  if (run.result !== 'green') return false;
  await green(workflow, tip, { run, runs: run.cached ? 0 : 1 });
  return true;
}

/** The newest green commit below this one; the target's tip where none is known. */
async function lastGreen(workflow: Workflow, below: string): Promise<string> {
  const { items } = await workflow.authority.call(listStabilizations, {
    repoId: workflow.repo.id,
    result: 'green',
    limit: 50,
  });
  for (const { commit } of items) {
    if ((await isHere(workflow, commit)) && (await isAncestor(workflow.git, commit, below))) return commit;
  }
  return targetTip(workflow);
}

function summary(result: StabilizeResult['result'], commit: string, run: CheckRun): StabilizeResult {
  return {
    result,
    commit,
    tag: null,
    durationMs: run.durationMs,
    culprit: null,
    reverted: null,
    task: null,
    healed: false,
    promoted: false,
    frozen: false,
    reason: null,
    runs: 0,
    output: run.output,
  };
}

function oneLine(text: string): string {
  return plain(text).replace(/\s+/g, ' ').trim().slice(0, 500);
}
