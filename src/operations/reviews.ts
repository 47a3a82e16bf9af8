import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/reviews.ts';
import type { StreamState } from '../contract/streams.ts';
import type { StreamRow } from '../db/tables.ts';
import { lacksVerdictOf } from '../domain/reviews/awaited.ts';
import type { Block } from '../domain/reviews/blocks.ts';
import { blocksOfStream } from '../domain/reviews/blocks-store.ts';
import { consensusOf } from '../domain/reviews/consensus-store.ts';
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
import { blockOperations } from './blocks.ts';
import { assignedReviewers, awaitingVerdicts, findVoter } from './next-reviewer.ts';
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
    const block = input.block === undefined ? undefined : await blockOf(context, input.block);
    const review = {
      id: newId(context.clock.now()),
      stream_id: stream.id,
      reviewer_id: actor.id,
      review_block_id: block?.id ?? null,
      verdict: input.verdict,
      feedback: input.feedback,
      is_human: actor.kind === 'human' ? 1 : 0,
      tested: input.tested ? 1 : 0,
      head,
      patch_id: block?.patchId ?? stream.patch_id,
      stream_patch_id: block ? stream.patch_id : null,
      standing: input.verdict === 'comment' || block ? 0 : 1,
      reviewed_at: now,
    };
    await insertReview(db, review);
    emit({
      type: 'review.submitted',
      subject: { type: 'stream', id: stream.id },
      data: {
        verdict: input.verdict,
        head,
        patchId: review.patch_id,
        block: block?.number ?? null,
        tested: input.tested,
      },
    });
    const judged = await applyVerdict(context, stream, input.verdict);
    const consensus = await consensusOf(db, repo, judged, now);
    const [shown] = await toReviews(db, [review], judged);
    if (!shown) throw new SwarmError('internal', 'The review could not be shown.');
    return { review: shown, stream: await toStream(db, judged), consensus };
  },
});

/** A block by its number or its id. */
async function blockOf({ db, stream }: ReadContext & { stream: StreamRow }, ref: string): Promise<Block> {
  const blocks = await blocksOfStream(db, stream);
  const found = blocks.find((block) => String(block.number) === ref || block.id === ref);
  if (found) return found;
  throw new SwarmError('not_found', `Stream ${handleOfStream(stream)} has no block "${ref}".`, {
    fix: `gitswarm review blocks ${handleOfStream(stream)}`,
  });
}

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

/**
 * Among the streams that wait for a verdict, those on which the caller's would count and is still missing: first the
 * oldest that names the caller as the next to act, then the oldest of the others.
 */
const next = query(contract.nextReview, {
  on: 'repo',
  needs: 'read',
  async run(context, { tried }) {
    const { db, repo, caller } = context;
    if (!caller) return { stream: null, why: 'nobody asks' };
    const ofState = (state: StreamState) =>
      listStreamRows(db, { repoId: repo.id, states: [state], limit: MOST_LOOKED_AT });
    const rows = [...(await ofState('in_review')), ...(await ofState('approved'))];
    const awaiting = await awaitingVerdicts(context, rows);
    const named = await assignedReviewers(context, awaiting);
    const voter = await findVoter(context, caller);
    const lacking = awaiting.filter(
      ({ row, facts }) => !tried.includes(row.id) && lacksVerdictOf(facts, voter),
    );
    const found = lacking.find(({ row }) => named.get(row.id)?.id === caller.id) ?? lacking[0];
    if (found) {
      const why = `${handleOfStream(found.row)} waits for a verdict`;
      return { stream: await toStream(db, found.row), why };
    }
    const nothing = tried.length === 0 ? 'nothing' : 'nothing else';
    return {
      stream: null,
      why: awaiting.length === 0 ? 'nothing is in review' : `${nothing} waits for ${caller.name}`,
    };
  },
});

export const reviewOperations = [submit, list, check, next, ...blockOperations];
