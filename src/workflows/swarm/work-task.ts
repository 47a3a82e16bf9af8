import type { Agent } from '../../contract/agents.ts';
import { isSwarmError, SwarmError } from '../../contract/errors.ts';
import { checkConsensus } from '../../contract/reviews.ts';
import { type Stream, showStream } from '../../contract/streams.ts';
import type { Task } from '../../contract/tasks.ts';
import { requestReview } from '../review-stream.ts';
import { giveBack } from './give-back.ts';
import { landStream } from './land-stream.ts';
import type { Begun, Passage } from './passage.ts';
import type { Feedback } from './prompts.ts';
import { currentReviews, reviewRound } from './review-round.ts';
import {
  asAgent,
  meetFault,
  mustStop,
  type Stage,
  type SwarmRun,
  type TaskEnd,
  type TaskOutcome,
} from './swarm-run.ts';
import { workOnce } from './work-once.ts';
import { workspaceFor } from './workspace-for.ts';

export const ATTEMPTS = 3;

/**
 * Brings one claimed task as far as it gets: work, review, landing, and back to the agent with what went wrong. The
 * recorded state of the stream decides what comes next, so that a task begun in an earlier run goes on where it stands.
 */
export async function workTask(run: SwarmRun, worker: Agent, task: Task): Promise<TaskOutcome> {
  let passage: Passage | undefined;
  try {
    const stream = await workspaceFor(run, worker, task);
    passage = { worker, task, stream, attempts: 0, feedback: undefined };
    return await goThrough(run, passage);
  } catch (error) {
    const begun = passage ?? { worker, task, stream: undefined, attempts: 0, feedback: undefined };
    if (run.signal.aborted) return outcome(begun, 'interrupted', null);
    const refusal = isSwarmError(error) ? error : unforeseen(error);
    if (!MENDABLE_BY_OTHERS.has(refusal.code)) return giveUp(run, begun, refusal);
    meetFault(run, error);
    return outcome(begun, 'interrupted', refusal.message);
  }
}

/** An agent can do things to its worktree that nobody thought of; that costs its task, not the swarm. */
function unforeseen(error: unknown): SwarmError {
  const message = error instanceof Error ? error.message : String(error);
  return new SwarmError('lost_work', `Its worktree or stream could not be used: ${message}`, {
    cause: error,
  });
}

/** What stops every lane alike: it is told once, and no task is given back for it. */
const MENDABLE_BY_OTHERS = new Set<string>([
  ...['internal', 'git_too_old', 'newer_schema', 'read_only', 'command_failed', 'untrusted_command'],
  ...['baseline_red', 'target_checked_out', 'unavailable'],
]);

async function goThrough(run: SwarmRun, passage: Passage): Promise<TaskOutcome> {
  for (;;) {
    if (mustStop(run)) return outcome(passage, 'interrupted', null);
    const end = await nextStep(run, passage);
    if (end) return end;
    passage.stream = await asAgent(run, passage.worker).authority.call(showStream, {
      stream: passage.stream.id,
    });
  }
}

/** One step; an answer ends the passage. */
async function nextStep(run: SwarmRun, passage: Passage): Promise<TaskOutcome | undefined> {
  const { stream } = passage;
  if (stream.state === 'merged') return outcome(passage, 'done', null);
  if (stream.state === 'abandoned' || stream.state === 'paused') {
    return outcome(passage, 'given_back', `stream ${stream.handle} is ${stream.state}`);
  }
  if (passage.feedback === undefined && stream.state === 'in_review') return review(run, passage);
  if (passage.feedback === undefined && (stream.state === 'approved' || stream.state === 'queued')) {
    return land(run, passage);
  }
  return work(run, passage);
}

async function work(run: SwarmRun, passage: Passage): Promise<TaskOutcome | undefined> {
  if (passage.attempts >= ATTEMPTS) return fail(run, passage);
  passage.feedback ??= await feedbackFromRecord(run, passage.stream);
  passage.attempts++;
  stage(run, passage, 'work', passage.feedback?.summary ?? '');
  const done = await workOnce(run, passage, ATTEMPTS);
  if (done.kind === 'interrupted') return outcome(passage, 'interrupted', null);
  passage.feedback = done.kind === 'again' ? done.feedback : undefined;
  if (done.kind === 'again') return undefined;
  return submit(run, passage);
}

/** In swarm mode the work has landed by now, and asking for review says that it is finished. */
async function submit(run: SwarmRun, passage: Passage): Promise<TaskOutcome | undefined> {
  try {
    await requestReview(asAgent(run, passage.worker), passage.stream.id);
    if (run.base.repo.mergeMode === 'swarm') noteLanding(run);
  } catch (error) {
    if (!isSwarmError(error, 'gate_not_met')) throw error;
    passage.feedback = { summary: error.message, ...(error.fix ? { details: error.fix } : {}) };
  }
  return undefined;
}

/** What an earlier run, a person or a landing left for the author to do. */
async function feedbackFromRecord(run: SwarmRun, stream: Stream): Promise<Feedback | undefined> {
  if (stream.state === 'conflicted') {
    return { summary: 'Your change conflicts with what has landed since.' };
  }
  if (stream.state === 'changes_requested') return changesAsked(run, stream);
  return undefined;
}

async function changesAsked(run: SwarmRun, stream: Stream): Promise<Feedback> {
  const reviews = await currentReviews(run, stream);
  const wishes = reviews.filter((review) => review.verdict === 'request_changes');
  return {
    summary: 'Reviewers ask for changes.',
    details: wishes
      .map((review) => `${review.reviewerName}: ${review.feedback || '(no reason given)'}`)
      .join('\n\n'),
  };
}

async function review(run: SwarmRun, passage: Passage): Promise<TaskOutcome | undefined> {
  const { stream, task } = passage;
  if (run.reviewers.length === 0) return waits(run, passage, 'waits for a verdict');
  stage(run, passage, 'review', run.reviewers.map((reviewer) => reviewer.name).join(', '));
  const after = await reviewRound(run, stream, task);
  if (mustStop(run) || after.state !== 'in_review') return undefined;
  const consensus = await run.base.authority.call(checkConsensus, { stream: stream.id });
  if (consensus.reached) return undefined;
  // Asked for changes, but by too few for the state to change: the author may still convince them.
  const wishes = (await currentReviews(run, after)).some((each) => each.verdict === 'request_changes');
  if (wishes) passage.feedback = await changesAsked(run, after);
  else return waits(run, passage, consensus.reasons.join('; '));
  return undefined;
}

function waits(run: SwarmRun, passage: Passage, reason: string): TaskOutcome {
  stage(run, passage, 'in_review', reason);
  return outcome(passage, 'in_review', reason);
}

async function land(run: SwarmRun, passage: Passage): Promise<TaskOutcome | undefined> {
  stage(run, passage, 'merge', '');
  const landed = await landStream(run, passage);
  if (landed.kind === 'landed') {
    noteLanding(run);
    return undefined;
  }
  if (landed.kind === 'waits') return outcome(passage, landed.as, landed.reason);
  passage.feedback = landed.feedback;
  return undefined;
}

function noteLanding(run: SwarmRun): void {
  run.landings++;
  run.untested++;
}

async function fail(run: SwarmRun, passage: Passage): Promise<TaskOutcome> {
  const reason = passage.feedback?.summary ?? 'the agent did not finish it';
  await giveBack(run, passage, reason);
  stage(run, passage, 'given_back', reason);
  return outcome(passage, 'given_back', reason);
}

/** A refusal that no attempt of the agent can mend: the task goes back, its work is kept. */
async function giveUp(run: SwarmRun, passage: Begun, error: SwarmError): Promise<TaskOutcome> {
  await giveBack(run, passage, error.message);
  stage(run, passage, 'given_back', error.message);
  return outcome(passage, 'given_back', error.fix ? `${error.message} (${error.fix})` : error.message);
}

function stage(run: SwarmRun, { worker, task }: Begun, at: Stage, detail: string): void {
  run.tell({ kind: 'stage', agent: worker.name, task: task.handle, title: task.title, stage: at, detail });
}

function outcome(passage: Begun, state: TaskEnd, reason: string | null): TaskOutcome {
  const { task, stream, worker, attempts } = passage;
  return {
    taskId: task.id,
    handle: task.handle,
    title: task.title,
    agent: worker.name,
    streamId: stream?.id ?? null,
    stream: stream?.handle ?? null,
    state,
    attempts,
    commits: stream?.commitCount ?? 0,
    merged: stream?.state === 'merged',
    reason,
  };
}
