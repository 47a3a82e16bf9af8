import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { allPages } from '../../base/all-pages.ts';
import { newId } from '../../base/ids.ts';
import type { Agent } from '../../contract/agents.ts';
import { isSwarmError } from '../../contract/errors.ts';
import { listReviews, type Review } from '../../contract/reviews.ts';
import { type Stream, showStream } from '../../contract/streams.ts';
import type { Task } from '../../contract/tasks.ts';
import { diffText } from '../../git/diff.ts';
import { readVerdict, VERDICT_FILE_VARIABLE, type Verdict } from '../../providers/verdict.ts';
import { withCheckout } from '../checkout-pool.ts';
import { judgeStream, rememberSeen } from '../review-stream.ts';
import { playAgent } from './play-agent.ts';
import { reviewPrompt } from './prompts.ts';
import { asAgent, type SwarmRun } from './swarm-run.ts';

const ASKINGS = 2;

/** Lets every reviewer judge the stream who has not judged this change yet. Answers the stream as it is afterwards. */
export async function reviewRound(run: SwarmRun, stream: Stream, task: Task | null): Promise<Stream> {
  await Promise.all(
    run.reviewers.map((reviewer) => {
      const desk = run.desks.get(reviewer.id);
      return desk ? desk(() => reviewOnce(run, { reviewer, stream, task })) : undefined;
    }),
  );
  return run.base.authority.call(showStream, { stream: stream.id });
}

interface Job {
  reviewer: Agent;
  stream: Stream;
  task: Task | null;
}

async function reviewOnce(run: SwarmRun, job: Job): Promise<void> {
  for (let asking = 1; asking <= ASKINGS && !run.signal.aborted; asking++) {
    if (await hasJudged(run, job)) return;
    const verdict = await askFor(run, job, asking);
    if (verdict && (await record(run, job, verdict))) return;
    if (!verdict)
      run.tell({
        kind: 'note',
        text: `${job.reviewer.name} gave no verdict on ${job.stream.handle} that could be read`,
      });
  }
}

/** A reviewer may also have judged by command, or in an earlier run. */
async function hasJudged(run: SwarmRun, { reviewer, stream }: Job): Promise<boolean> {
  const reviews = await currentReviews(run, stream);
  return reviews.some((review) => review.reviewerId === reviewer.id);
}

/** The standing verdicts on what the stream holds now. */
export async function currentReviews(run: SwarmRun, stream: Stream): Promise<Review[]> {
  const reviews = await allPages((cursor) =>
    run.base.authority.call(listReviews, { stream: stream.id, limit: 200, cursor }),
  );
  return reviews.filter((review) => review.standing && !review.stale);
}

/** The reviewer works in a checkout of exactly what it judges, which nobody else uses. */
async function askFor(
  run: SwarmRun,
  { reviewer, stream, task }: Job,
  asking: number,
): Promise<Verdict | undefined> {
  const adapter = run.request.reviewer;
  if (!adapter) return undefined;
  const workflow = asAgent(run, reviewer);
  const diff = await diffText(workflow.git, stream.baseCommit, stream.head);
  const folder = join(workflow.home, 'local', 'verdicts');
  mkdirSync(folder, { recursive: true });
  const verdictFile = join(folder, `${newId()}.json`);
  rememberSeen(workflow, stream);
  try {
    return await withCheckout(workflow, stream.head, async (directory) => {
      const tests = workflow.repo.config.stabilize_command;
      const result = await playAgent(run, {
        adapter,
        agent: reviewer,
        role: 'reviewer',
        stream,
        task,
        attempt: asking,
        directory,
        prompt: reviewPrompt({ task, stream, diff, directory, tests, isSecondAsking: asking > 1 }),
        variables: { [VERDICT_FILE_VARIABLE]: verdictFile },
      });
      if (result.kind !== 'finished') return undefined;
      return readVerdict({ stdoutTail: result.stdoutTail, verdictFile });
    });
  } finally {
    rmSync(verdictFile, { force: true, recursive: true });
  }
}

/** False where the stream moved while it was judged: the verdict was about something else. */
async function record(run: SwarmRun, { reviewer, stream }: Job, verdict: Verdict): Promise<boolean> {
  try {
    await judgeStream(asAgent(run, reviewer), {
      stream: stream.id,
      verdict: verdict.verdict,
      feedback: verdict.feedback,
      tested: verdict.tested ?? false,
      head: stream.head,
    });
    return true;
  } catch (error) {
    if (isSwarmError(error, 'stale') || isSwarmError(error, 'wrong_state')) return true;
    throw error;
  }
}
