import { existsSync } from 'node:fs';
import { isoTime } from '../base/clock.ts';
import { unlessAway } from '../contract/authority-away.ts';
import { SwarmError } from '../contract/errors.ts';
import {
  type Consensus,
  checkConsensus,
  nextReview,
  type Review,
  submitReview,
  type Verdict,
} from '../contract/reviews.ts';
import { finishStream, type Stream, showStream, submitStream } from '../contract/streams.ts';
import { mergeBase } from '../git/commits.ts';
import { patchBetween } from '../git/patches.ts';
import { resolveCommit } from '../git/refs.ts';
import { worktreeStatus } from '../git/worktree-files.ts';
import { findSeenHead, recordSeenHead } from '../machine/seen-heads.ts';
import { findWorkspace } from '../machine/workspaces.ts';
import { adoptBranch } from './adopt.ts';
import { cascadeStreams } from './cascade-streams.ts';
import { measureStream } from './facts.ts';
import { isAtHome } from './shared/at-home.ts';
import { bringCommit } from './shared/bring-stream.ts';
import { isAuthor } from './stream-rights.ts';
import { followParent } from './sync-worktree.ts';
import { actorOf, type Workflow } from './workflow.ts';

export type ReviewResult =
  | {
      kind: 'requested';
      stream: Stream;
      /** Null where the server that decides is away: it is asked for review when it is back. */
      consensus: Consensus | null;
      finished: boolean;
      uncommitted: string[];
    }
  | { kind: 'verdict'; stream: Stream; consensus: Consensus; review: Review };

/** Asks for review of what the branch holds now; in swarm mode, where all has landed, it says that the work is done. */
export async function requestReview(workflow: Workflow, ref: string, note?: string): Promise<ReviewResult> {
  const found = await comeUp(
    workflow,
    await adoptBranch(workflow, await workflow.authority.call(showStream, { stream: ref })),
  );
  const facts = await measureStream(workflow, found);
  const finished = workflow.repo.mergeMode === 'swarm';
  const stream = finished
    ? await workflow.authority.call(finishStream, { stream: found.id, facts, note })
    : await workflow.authority.call(submitStream, { stream: found.id, facts, note });
  const consensus = await unlessAway(workflow.authority.call(checkConsensus, { stream: stream.id }), null);
  return {
    kind: 'requested',
    stream,
    consensus,
    finished,
    uncommitted: await uncommittedFiles(workflow, stream),
  };
}

/** What is judged should stand on what it builds on now; so it is with the streams that build on it. */
async function comeUp(workflow: Workflow, stream: Stream): Promise<Stream> {
  if (!isAuthor(stream, actorOf(workflow))) return stream;
  const followed = await unlessAway(followParent(workflow, stream), stream);
  if (followed.head !== stream.head)
    await cascadeStreams(workflow, { id: stream.id, oldHead: stream.head, newHead: followed.head });
  return followed;
}

async function uncommittedFiles(workflow: Workflow, stream: Stream): Promise<string[]> {
  const path = findWorkspace(workflow.machine, stream.id)?.path;
  if (path === undefined || !existsSync(path)) return [];
  const status = await worktreeStatus(workflow.git, path);
  return [...new Set([...status.staged, ...status.unstaged, ...status.untracked])].sort();
}

export interface VerdictRequest {
  stream: string;
  verdict: Verdict;
  feedback?: string | undefined;
  tested?: boolean;
  /** The commit that was judged. Default: the head this reviewer was shown last. */
  head?: string | undefined;
  /** One block of it, by its number or id. */
  block?: string | undefined;
}

/** Gives a verdict on exactly the head the reviewer saw; it is stale when the stream's change is another one by now. */
export async function judgeStream(
  workflow: Workflow,
  request: VerdictRequest,
): Promise<Extract<ReviewResult, { kind: 'verdict' }>> {
  const actor = actorOf(workflow);
  const stream = await adoptBranch(
    workflow,
    await workflow.authority.call(showStream, { stream: request.stream }),
  );
  const head = await judgedHead(workflow, stream, request.head, actor.id);
  const given = await workflow.authority.call(submitReview, {
    stream: stream.id,
    verdict: request.verdict,
    feedback: request.feedback ?? '',
    tested: request.tested ?? false,
    head,
    block: request.block,
  });
  return { kind: 'verdict', stream: given.stream, consensus: given.consensus, review: given.review };
}

async function judgedHead(
  workflow: Workflow,
  stream: Stream,
  asked: string | undefined,
  agentId: string,
): Promise<string> {
  const named = asked === undefined ? undefined : await resolveCommit(workflow.git, asked);
  if (asked !== undefined && named === undefined) {
    throw new SwarmError('not_found', `There is no commit "${asked}".`);
  }
  const seen = named ?? findSeenHead(workflow.machine, stream.id, agentId)?.head ?? stream.head;
  if (seen === stream.head) return stream.head;
  // The same change on another base is what the reviewer saw.
  const isSame = stream.patchId !== '' && (await patchOf(workflow, seen, stream)) === stream.patchId;
  return isSame ? stream.head : seen;
}

async function patchOf(workflow: Workflow, head: string, stream: Stream): Promise<string | undefined> {
  try {
    const base = await mergeBaseOf(workflow, head, stream);
    return (await patchBetween(workflow.git, base, head)).patchId;
  } catch {
    return undefined;
  }
}

async function mergeBaseOf(workflow: Workflow, head: string, stream: Stream): Promise<string> {
  return (await mergeBase(workflow.git, head, stream.baseCommit)) ?? stream.baseCommit;
}

/** Remembers which head a reviewer was shown; a later verdict is about that one. */
export function rememberSeen(workflow: Workflow, stream: Stream): void {
  if (!workflow.actor) return;
  recordSeenHead(workflow.machine, {
    streamId: stream.id,
    agentId: workflow.actor.id,
    head: stream.head,
    at: isoTime(workflow.clock.now()),
  });
}

export interface NextForReview {
  stream: Stream | null;
  why: string;
  /** Streams that would have come before it, but what they hold has not come from their authors' machines. */
  skipped: Stream[];
}

const MOST_SKIPPED = 100;

/** The stream that most needs the actor's verdict and can be shown here; remembers its head as shown. */
export async function nextForReview(workflow: Workflow): Promise<NextForReview> {
  const skipped: Stream[] = [];
  for (;;) {
    const tried = skipped.map((each) => each.id);
    const next = await workflow.authority.call(nextReview, { repoId: workflow.repo.id, tried });
    if (!next.stream) return { ...next, skipped };
    if (skipped.length < MOST_SKIPPED && !(await canShow(workflow, next.stream))) {
      skipped.push(next.stream);
      continue;
    }
    const stream = await adoptBranch(workflow, next.stream);
    rememberSeen(workflow, stream);
    return { stream, why: next.why, skipped };
  }
}

async function canShow(workflow: Workflow, stream: Stream): Promise<boolean> {
  return (await isAtHome(workflow, stream)) || bringCommit(workflow, stream.branch, stream.head);
}
