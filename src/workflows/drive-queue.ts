import { unlessAway } from '../contract/authority-away.ts';
import { isSwarmError } from '../contract/errors.ts';
import { endMerge, listQueue, nextInQueue } from '../contract/merges.ts';
import type { Repo } from '../contract/repos.ts';
import { branchPolicy } from '../domain/repos/branch-rules.ts';
import { withLock } from '../machine/locks.ts';
import { composeFor, type Queued } from './compose-for.ts';
import { refreshConfig, reportSettings } from './config-in-force.ts';
import { landMergeIntent } from './land.ts';
import { intake } from './plain-landings.ts';
import { driveTested, LEAVES_QUEUE } from './queue/drive-tested.ts';
import { isBrought, isElsewhere, NOT_PUSHED } from './queue/elsewhere.ts';
import { landedSettings, type QueueRun } from './queue/queue-run.ts';
import { LONGEST_WAIT_MS, withQueue } from './queue-lock.ts';
import { meetShared } from './shared/fetch-shared.ts';
import type { Workflow } from './workflow.ts';

/**
 * Takes in what reached the target another way, then lands what is queued until nothing more can land or the landing
 * `until` has left the queue. Settings that land are in force for all that lands after them. One process at a time
 * drives; others wait for it and find their work done.
 */
export async function driveQueue(workflow: Workflow, until?: string): Promise<QueueRun> {
  const run: QueueRun = { landed: [], conflicted: [], evicted: [], refused: [], waiting: [], runs: 0 };
  let current = workflow;
  for (;;) {
    const since = run.landed.length;
    run.waiting.length = 0;
    await driveBySettings(current, run, until);
    if (!landedSettings(run, since)) return run;
    current = await bySettingsNow(current);
    if (run.landed.some(({ merge }) => merge.id === until)) return run;
  }
}

/**
 * Without tests before a landing one follows the other in the queue's order; with them the scheduler says what is tested
 * with what. Ends as well when settings have landed.
 */
async function driveBySettings(workflow: Workflow, run: QueueRun, until: string | undefined): Promise<void> {
  if (testsBeforeMerge(workflow)) {
    await asDriver(workflow, async () => {
      await withQueue(workflow, () => meetTarget(workflow));
      await driveTested(workflow, run, until);
    });
    return;
  }
  await withQueue(workflow, async () => {
    await meetTarget(workflow);
    const since = run.landed.length;
    const tried: string[] = [];
    while (!landedSettings(run, since)) {
      const { next, goesOn } = await workflow.authority.call(nextInQueue, {
        repoId: workflow.repo.id,
        tried,
        until,
      });
      if (!next || !goesOn) break;
      tried.push(next.merge.id);
      await landNext(workflow, next, run);
    }
    await noteWaiting(workflow, run);
  });
}

async function meetTarget(workflow: Workflow): Promise<void> {
  await meetShared(workflow);
  const { kind } = await intake(workflow);
  if (kind === 'taken_in') await bySettingsNow(workflow);
}

/**
 * The workflow under what the buffer's tip says now. How commands are run was settled when it began: no landing changes
 * that for who carries it.
 */
async function bySettingsNow(workflow: Workflow): Promise<Workflow> {
  const repo = await settingsNow(workflow);
  return {
    ...workflow,
    repo: { ...repo, config: { ...repo.config, sandbox: workflow.repo.config.sandbox } },
  };
}

async function settingsNow(workflow: Workflow): Promise<Repo> {
  if (workflow.authority.kind !== 'server') {
    const { repo, warnings } = await refreshConfig(workflow, { readOnly: false });
    for (const warning of warnings) workflow.notify(warning);
    return repo;
  }
  // The landing has happened; whoever syncs next tells of it otherwise.
  const told = await unlessAway(reportSettings(workflow), undefined);
  if (told?.kind === 'refused')
    workflow.notify("the settings that landed are in force after a maintainer's gitswarm sync");
  return told?.kind === 'reported' ? told.repo : workflow.repo;
}

/** Tests take long, and the buffer must stay free for reverts meanwhile: the queue itself is held for landings only. */
function asDriver(workflow: Workflow, drive: () => Promise<void>): Promise<void> {
  return withLock(workflow.home, 'queue-driver', drive, {
    waitMs: LONGEST_WAIT_MS,
    onWait: (holder) => workflow.notify(`waiting for the queue, driven by ${holder}`),
  });
}

/** What is still there and may not move, with its reason. */
async function noteWaiting(workflow: Workflow, run: QueueRun): Promise<void> {
  const queue = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  for (const { merge, stream, waitsFor } of queue.items) {
    if (waitsFor.length > 0) run.waiting.push({ merge, stream, reason: waitsFor.join('; ') });
  }
}

async function landNext(workflow: Workflow, { merge, stream }: Queued, run: QueueRun): Promise<void> {
  try {
    if (!(await isBrought(workflow, { merge, stream }))) {
      run.waiting.push({ merge, stream, reason: NOT_PUSHED });
      return;
    }
    const landing = await landMergeIntent(workflow, merge, composeFor(workflow, { merge, stream }));
    if (landing.kind === 'merged')
      run.landed.push({ merge, stream: landing.landed.stream ?? stream, landing });
    else run.conflicted.push({ merge, stream: landing.stream ?? stream, files: landing.files });
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    // What became of it, the ledger tells whoever waits for it.
    if (isElsewhere(workflow, error)) return;
    if (error.code === 'not_allowed') {
      // Somebody else may carry it; it keeps its place.
      run.waiting.push({ merge, stream, reason: error.message });
      return;
    }
    if (!LEAVES_QUEUE.has(error.code)) throw error;
    const ended = await workflow.authority.call(endMerge, {
      merge: merge.id,
      state: 'refused',
      reason: error.message,
    });
    run.refused.push({ merge, stream: ended.stream ?? stream, error });
  }
}

/** On by default where there is a command; swarm mode lands first and tests the buffer. A branch rule may insist. */
export function testsBeforeMerge({ repo }: Workflow): boolean {
  if (branchPolicy(repo.bufferBranch, repo.config).requireTests) return true;
  if (repo.mergeMode === 'swarm' || repo.config.stabilize_command === null) return false;
  return repo.config.test_before_merge ?? true;
}
