import { allPages } from '../base/all-pages.ts';
import { SwarmError } from '../contract/errors.ts';
import { listReviews } from '../contract/reviews.ts';
import { type Stream, showStream } from '../contract/streams.ts';
import { type DiffStat, diffStat, diffText } from '../git/diff.ts';
import { mergeTrees } from '../git/merge.ts';
import { resolveCommit } from '../git/refs.ts';
import { withScratchObjects } from '../git/scratch-objects.ts';
import { measureStream, standingHead } from './facts.ts';
import { rememberSeen } from './review-stream.ts';
import { isAtHome } from './shared/at-home.ts';
import { actorOf, bufferTip, targetTip, type Workflow } from './workflow.ts';

export interface DiffRequest {
  stream: string;
  /** `buffer`, `target` or another stream; else the commit the stream began at. */
  against?: string | undefined;
  /** What changed since the actor's last verdict. */
  sinceReview?: boolean;
  /** The actor is shown it: a later verdict is about this head. */
  remember: boolean;
  withPatch: boolean;
}

export interface StreamDiff {
  stream: Stream;
  /** A commit; a tree where the judged change was put on the stream's new base first. */
  base: string;
  head: string;
  stat: DiffStat;
  patch: string;
}

/** What a stream changes. Reads only: work done with plain git is seen, not taken in. */
export async function diffStream(workflow: Workflow, request: DiffRequest): Promise<StreamDiff> {
  const stream = await workflow.authority.call(showStream, { stream: request.stream });
  const own = await rangeOf(workflow, stream);
  const head = own.head;
  const from = request.sinceReview
    ? await judgedHead(workflow, stream)
    : request.against === undefined
      ? own.base
      : await otherHead(workflow, request.against);
  if (request.remember) rememberSeen(workflow, { ...stream, head });
  return withScratchObjects(workflow.git, async (scratch) => {
    let base = from;
    if (request.sinceReview) {
      // What came in with a new base is not the author's: the judged change is compared as it would be there.
      const [moved] = await mergeTrees(scratch, [{ ours: own.base, theirs: from }]);
      if (moved?.kind === 'clean') base = moved.tree;
    }
    const [stat, patch] = await Promise.all([
      diffStat(scratch, base, head),
      request.withPatch ? diffText(scratch, base, head) : '',
    ]);
    return { stream, base, head, stat, patch };
  });
}

/** An open stream is what its branch holds now; one that has landed or whose branch is gone what was recorded last. */
async function rangeOf(workflow: Workflow, stream: Stream): Promise<{ base: string; head: string }> {
  const recorded = { base: stream.baseCommit, head: stream.head };
  if (stream.state === 'merged') return recorded;
  const exists = (await resolveCommit(workflow.git, `refs/heads/${stream.branch}`)) !== undefined;
  if (!exists && (await isAtHome(workflow, stream))) return recorded;
  return measureStream(workflow, stream);
}

async function judgedHead(workflow: Workflow, stream: Stream): Promise<string> {
  const actor = actorOf(workflow);
  const reviews = await allPages((cursor) =>
    workflow.authority.call(listReviews, { stream: stream.id, limit: 200, cursor }),
  );
  const [last] = reviews
    .filter((review) => review.reviewerId === actor.id)
    .sort((a, b) => (a.reviewedAt < b.reviewedAt || (a.reviewedAt === b.reviewedAt && a.id < b.id) ? 1 : -1));
  if (!last) {
    throw new SwarmError('not_found', `${actor.name} has not judged stream ${stream.handle} yet.`, {
      fix: `gitswarm diff ${stream.handle}`,
    });
  }
  const head = await resolveCommit(workflow.git, last.head);
  if (head) return head;
  throw new SwarmError('lost_work', `The commit ${last.head.slice(0, 10)} that was judged is gone.`, {
    fix: `gitswarm diff ${stream.handle}`,
  });
}

async function otherHead(workflow: Workflow, against: string): Promise<string> {
  if (against === 'buffer') return bufferTip(workflow);
  if (against === 'target') return targetTip(workflow);
  const other = await workflow.authority.call(showStream, { stream: against });
  return standingHead(workflow, other);
}
