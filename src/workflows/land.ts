import { retry } from '../base/retry.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import type { OutputOf } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';
import { endMerge, landMerge, type Merge, prepareMerge } from '../contract/merges.ts';
import type { ConflictFile, Stream } from '../contract/streams.ts';
import { withTrailers } from '../git/change-id.ts';
import { isAncestor } from '../git/commits.ts';
import { mergeCommits } from '../git/merge.ts';
import type { Signature } from '../git/person.ts';
import { signaturesOf } from './authorship.ts';
import { moveBranch } from './move-branch.ts';
import { moveShared } from './shared/move-shared.ts';
import { refused } from './shared/shared-errors.ts';
import { actorOf, bufferTip, type Workflow } from './workflow.ts';

export type Landing =
  | {
      kind: 'merged';
      commit: string;
      bufferBefore: string;
      bufferAfter: string;
      landed: OutputOf<typeof landMerge>;
    }
  | { kind: 'conflict'; files: ConflictFile[]; stream: Stream | null };

/** Makes the commit that is to land on a given tip of the buffer. */
export type Compose = (
  tip: string,
  as: { author: Signature; committer: Signature },
) => Promise<
  | { kind: 'merged'; commit: string; tree: string }
  | { kind: 'up_to_date' }
  | { kind: 'conflict'; files: { path: string; kind: string }[] }
  /** More would land than the gate was asked for. */
  | { kind: 'refused'; error: SwarmError }
>;

export const LANDING_TRIES = 12;

/**
 * Lands one intent: compose the commit in memory, record it with the authority, move the buffer by compare-and-swap,
 * record the landing. A lost race composes anew on the new tip. What happens at a crash in between is decided by
 * recover.ts from the recorded commit.
 */
export async function landMergeIntent(workflow: Workflow, merge: Merge, compose: Compose): Promise<Landing> {
  const { authority } = workflow;
  const as = await signaturesOf(workflow, actorOf(workflow));
  let recorded: string | null = null;
  const landing = await retry<Landing>(LANDING_TRIES, async () => {
    const tip = await bufferTip(workflow);
    const made = await compose(tip, as);
    if (made.kind === 'refused') throw made.error;
    if (made.kind === 'conflict') return stopAtConflict(workflow, merge, made.files, tip);
    const commit = made.kind === 'merged' ? made.commit : tip;
    workflow.reach('merge.composed');
    await authority.call(prepareMerge, {
      merge: merge.id,
      commit,
      bufferBefore: tip,
      holder: workflow.holder,
      expectCommit: recorded,
    });
    recorded = commit;
    workflow.reach('merge.prepared');
    if (commit !== tip && !(await advanceBuffer(workflow, merge, { from: tip, to: commit }))) return 'again';
    workflow.reach('merge.moved');
    const landed = await recordLanding(workflow, merge, commit);
    workflow.reach('merge.landed');
    return { kind: 'merged', commit, bufferBefore: tip, bufferAfter: commit, landed };
  });
  if (landing) return landing;
  await authority.call(endMerge, { merge: merge.id, state: 'withdrawn', reason: 'the buffer kept moving' });
  throw new SwarmError('busy', `The buffer moved ${LANDING_TRIES} times while ${merge.handle} was landing.`, {
    fix: 'Try again.',
  });
}

/** The buffer has moved: where the server went away just before it is told, whoever waits is told what has happened. */
export async function recordLanding(
  workflow: Workflow,
  merge: Merge,
  commit: string,
): Promise<OutputOf<typeof landMerge>> {
  try {
    return await workflow.authority.call(landMerge, { merge: merge.id, commit });
  } catch (error) {
    if (!(error instanceof AuthorityAway) || !error.kept) throw error;
    const { kept, fix } = error;
    const what = `${merge.handle} has landed as ${commit.slice(0, 10)}, and the server is told when it is back.`;
    throw new AuthorityAway(`${what} ${error.message}`, { kept, fix, cause: error });
  }
}

/** Moves the buffer; false where somebody else was quicker. Ends `merge` and throws where it cannot move now. */
export async function advanceBuffer(
  workflow: Workflow,
  merge: Merge,
  move: { from: string; to: string },
): Promise<boolean> {
  const moved = await moveBuffer(workflow, move);
  if (moved.kind !== 'stuck') return moved.kind === 'moved';
  const { reason, requeue, error } = moved;
  await workflow.authority.call(endMerge, { merge: merge.id, state: 'withdrawn', reason, requeue });
  throw error;
}

export type BufferMove =
  | { kind: 'moved' | 'lost' }
  /** It stands where it was thought to stand, and cannot move. */
  | { kind: 'stuck'; reason: string; requeue: boolean; error: SwarmError };

/** Moves the buffer where it counts: in the remote in which clones meet, and here with whoever has it checked out. */
export async function moveBuffer(
  workflow: Workflow,
  move: { from: string; to: string },
): Promise<BufferMove> {
  const { repo, shared } = workflow;
  const branch = repo.bufferBranch;
  const moved = shared
    ? await moveShared(workflow, { branch, ...move }, () => workflow.reach('merge.shared'))
    : await moveBranch(workflow, { branch, old: move.from, new: move.to, reason: 'land' });
  if (moved.kind === 'moved' || moved.kind === 'lost') return { kind: moved.kind };
  if (moved.kind === 'refused') {
    const error = refused(workflow, branch, moved.why);
    return { kind: 'stuck', reason: `the remote refused it: ${moved.why}`, requeue: true, error };
  }
  const files = moved.files.length > 0 ? ` (${moved.files.join(', ')})` : '';
  const error = new SwarmError(
    'target_checked_out',
    `The branch ${branch} is checked out and cannot move: ${moved.reason.replace('_', ' ')}${files}.`,
    {
      fix: 'Commit or stash the changes there, or check out another branch.',
      details: { reason: moved.reason },
    },
  );
  return { kind: 'stuck', reason: 'the buffer is checked out and edited', requeue: false, error };
}

/** Ends an intent whose merge conflicts; its stream is `conflicted`. */
export async function stopAtConflict(
  workflow: Workflow,
  merge: Merge,
  files: { path: string; kind: string }[],
  onto: string,
): Promise<Landing> {
  const plain = files.map(({ path, kind }) => ({ path, kind }));
  const ended = await workflow.authority.call(endMerge, {
    merge: merge.id,
    state: 'conflicted',
    files: plain,
    onto,
  });
  return { kind: 'conflict', files: plain, stream: ended.stream };
}

/**
 * A landing of a stream: its recorded head merged into the buffer, always as a commit of its own. What is merged is all
 * that the head has and the tip lacks, so the tip must hold what the stream's own commits stand on: a stream that stayed
 * behind a rewritten parent would bring back commits which nobody judged.
 */
export function composeStream(
  workflow: Workflow,
  merge: Pick<Merge, 'id' | 'head'>,
  stream: Pick<Stream, 'id' | 'handle' | 'name' | 'paths' | 'head' | 'baseCommit'>,
): Compose {
  return async (tip, as) => {
    if (!(await isAncestor(workflow.git, stream.baseCommit, tip)))
      return { kind: 'refused', error: standsElsewhere(stream) };
    return mergeCommits(workflow.git, {
      ours: tip,
      theirs: merge.head,
      ...(stream.head === merge.head ? { touched: stream.paths } : {}),
      message: landingMessage(`Merge ${stream.name}`, { streamId: stream.id, mergeId: merge.id }),
      ...as,
    });
  };
}

function standsElsewhere({ handle, baseCommit }: Pick<Stream, 'handle' | 'baseCommit'>): SwarmError {
  return new SwarmError(
    'gate_not_met',
    `Stream ${handle} stands on ${baseCommit.slice(0, 10)}, which has not landed: what it builds on was rewritten.`,
    { fix: `gitswarm workspace sync ${handle}`, details: { base: baseCommit } },
  );
}

/** The message of a landing. Its trailers are enough to rebuild the ledger of landings from git alone. */
export function landingMessage(
  subject: string,
  ids: { streamId?: string | undefined; mergeId: string; reverts?: string | undefined },
): string {
  return withTrailers(`${subject}\n`, {
    ...(ids.streamId ? { 'GitSwarm-Stream': ids.streamId } : {}),
    'GitSwarm-Merge': ids.mergeId,
    ...(ids.reverts ? { 'GitSwarm-Reverts': ids.reverts } : {}),
    'Change-Id': `I${ids.mergeId.replaceAll('-', '')}00000000`,
  });
}
