import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/reviews.ts';
import type { AgentRow, RepoRow, StreamRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf, findMaintainer } from '../domain/access/access-store.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import { whyVoiceless } from '../domain/reviews/consensus.ts';
import { consensusOf, rulesFor } from '../domain/reviews/consensus-store.ts';
import { insertReview, listReviewRows, toReviews } from '../domain/reviews/reviews-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { isOpen, refuseState } from '../domain/streams/stream-states.ts';
import {
  handleOfStream,
  listAuthorIds,
  listStreamRows,
  stateOf,
  toStream,
} from '../domain/streams/streams-store.ts';
import { operation, query, type ReadContext } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';
import { refreshApproval } from './stream-effects.ts';

/** A verdict on exactly the head the reviewer saw. */
const submit = operation(contract.submitReview, {
  on: 'stream',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, stream, now, emit } = context;
    const handle = handleOfStream(stream);
    if ((await listAuthorIds(db, stream)).includes(actor.id)) {
      throw new SwarmError(
        'not_allowed',
        `${actor.name} is an author of stream ${handle} and cannot judge it.`,
        {
          fix: `gitswarm review submit ${handle} ${input.verdict} --as <another agent>`,
        },
      );
    }
    if (!isOpen(stateOf(stream))) refuseState(handle, stateOf(stream), 'be judged');
    const head = input.head ?? input.facts?.head ?? stream.head;
    if (head !== stream.head) {
      throw new SwarmError(
        'stale',
        `Stream ${handle} has moved on since ${head.slice(0, 10)}: look at it again.`,
        {
          fix: `gitswarm diff ${handle} --since-review`,
          details: { judged: head, head: stream.head },
        },
      );
    }
    const review = {
      id: newId(context.clock.now()),
      stream_id: stream.id,
      reviewer_id: actor.id,
      review_block_id: null,
      verdict: input.verdict,
      feedback: input.feedback,
      is_human: actor.kind === 'human' ? 1 : 0,
      tested: input.tested ? 1 : 0,
      head,
      patch_id: stream.patch_id,
      standing: input.verdict === 'comment' ? 0 : 1,
      reviewed_at: now,
    };
    await insertReview(db, review);
    emit({
      type: 'review.submitted',
      subject: { type: 'stream', id: stream.id },
      data: { verdict: input.verdict, head, tested: input.tested },
    });
    const judged = await applyVerdict(context, stream, input.verdict);
    const consensus = await consensusOf(db, repo, judged, now);
    const [shown] = await toReviews(db, [review], judged);
    if (!shown) throw new SwarmError('internal', 'The review could not be shown.');
    return { review: shown, stream: await toStream(db, judged), consensus };
  },
});

async function applyVerdict(
  context: Parameters<typeof refreshApproval>[0],
  stream: StreamRow,
  verdict: contract.Verdict,
): Promise<StreamRow> {
  const refreshed = await refreshApproval(context, stream);
  if (verdict !== 'request_changes') return refreshed;
  const consensus = await consensusOf(context.db, context.repo, refreshed, context.now);
  const counts = consensus.votes.some((vote) => vote.reviewer === context.actor.id && vote.counts);
  if (!counts || consensus.reached || refreshed.state !== 'in_review') return refreshed;
  return moveStream(context, refreshed, 'request_changes');
}

const list = query(contract.listReviews, {
  on: 'stream',
  needs: 'read',
  async run({ db, stream }, input) {
    const rows = await listReviewRows(db, {
      streamId: stream.id,
      afterId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: await toReviews(db, page.items, stream), nextCursor: page.nextCursor };
  },
});

const check = query(contract.checkConsensus, {
  on: 'stream',
  needs: 'read',
  run: ({ db, repo, stream, now }) => consensusOf(db, repo, stream, now),
});

const MOST_LOOKED_AT = 500;

/** Oldest first among the streams in review on which the caller's verdict would count and is still missing. */
const next = query(contract.nextReview, {
  on: 'repo',
  needs: 'read',
  async run(context) {
    const { db, repo, caller } = context;
    if (!caller) return { stream: null, why: 'nobody asks' };
    const rows = await listStreamRows(db, { repoId: repo.id, states: ['in_review'], limit: MOST_LOOKED_AT });
    for (const stream of rows) {
      if (await awaitsVerdict(context, stream, caller)) {
        return { stream: await toStream(db, stream), why: `${handleOfStream(stream)} waits for a verdict` };
      }
    }
    return {
      stream: null,
      why: rows.length === 0 ? 'nothing is in review' : `nothing waits for ${caller.name}`,
    };
  },
});

/** True where this agent's verdict would count, and none of it stands on what the stream holds now. */
export async function awaitsVerdict(
  context: ReadContext & { repo: RepoRow },
  stream: StreamRow,
  agent: AgentRow,
): Promise<boolean> {
  const { db, repo, now } = context;
  const rules = rulesFor(repo, configInForce(repo), JSON.parse(stream.paths) as string[]);
  const role = (await findMaintainer(db, repo.id, agent.id))?.role ?? null;
  if (whyVoiceless(rules, role as 'owner' | 'maintainer' | null)) return false;
  if (!includesLevel((await accessOf(db, repo, agent, now)).level, 'write')) return false;
  if ((await listAuthorIds(context.db, stream)).includes(agent.id)) return false;
  const standing = await listReviewRows(context.db, { streamId: stream.id, standing: true, limit: 1000 });
  return !standing.some((row) => row.reviewer_id === agent.id && row.patch_id === stream.patch_id);
}

export const reviewOperations = [submit, list, check, next];
