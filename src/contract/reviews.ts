import * as z from 'zod';
import { BranchName, Id, Oid, PageInput, page, prose, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Facts, Stream, StreamCommit } from './streams.ts';

export const Verdict = z.enum(['approve', 'request_changes', 'comment']);
export type Verdict = z.infer<typeof Verdict>;

/** One reviewer's judgement, bound to the head it saw. Only the last one that is not a comment stands. */
export const Review = z.object({
  id: Id,
  streamId: Id,
  reviewerId: Id,
  reviewerName: z.string(),
  verdict: Verdict,
  feedback: z.string(),
  isHuman: z.boolean(),
  tested: z.boolean(),
  head: Oid,
  patchId: z.string(),
  reviewBlockId: Id.nullable(),
  /** It is this reviewer's standing verdict. */
  standing: z.boolean(),
  /** The change it judged is no longer the stream's. */
  stale: z.boolean(),
  reviewedAt: Time,
});
export type Review = z.infer<typeof Review>;

export const ConsensusState = z.enum([
  'reached',
  'waiting',
  'blocked',
  'insufficient_reviews',
  'no_eligible_reviewers',
]);

export const Vote = z.object({
  reviewer: Id,
  reviewerName: z.string(),
  verdict: Verdict,
  weight: z.number(),
  counts: z.boolean(),
  why: z.string(),
});

export type Vote = z.infer<typeof Vote>;

/** The answer of the consensus rule with everything it was computed from. */
export const Consensus = z.object({
  state: ConsensusState,
  reached: z.boolean(),
  threshold: z.number(),
  score: z.number(),
  minReviews: z.number().int(),
  approvals: z.number().int(),
  rejections: z.number().int(),
  votes: z.array(Vote),
  reasons: z.array(z.string()),
  head: Oid,
  authority: z.enum(['local', 'server']),
});
export type Consensus = z.infer<typeof Consensus>;

export const submitReview = endpoint('review.submit', () => ({
  method: 'POST',
  path: '/streams/:stream/reviews',
  input: z.object({
    stream: Ref,
    verdict: Verdict,
    feedback: prose(50_000).default(''),
    tested: z.boolean().default(false),
    /** The head the reviewer judged; refused as stale when the stream has moved on. */
    head: Oid.optional(),
    facts: Facts.optional(),
    /** Judges one block only: its number in the stream, from 1, or its id. */
    block: z.string().max(100).optional(),
  }),
  output: z.object({ review: Review, stream: Stream, consensus: Consensus }),
}));

export const listReviews = endpoint('review.list', () => ({
  method: 'GET',
  path: '/streams/:stream/reviews',
  input: z.object({ stream: Ref, ...PageInput }),
  output: page(Review),
}));

export const checkConsensus = endpoint('review.check', () => ({
  method: 'GET',
  path: '/streams/:stream/consensus',
  input: z.object({ stream: Ref }),
  output: Consensus,
}));

/**
 * The stream that most needs this agent's judgement; null when none does. `tried` are left out: the caller cannot show
 * what they hold.
 */
export const nextReview = endpoint('review.next', () => ({
  method: 'GET',
  path: '/repos/:repoId/reviews/next',
  input: z.object({ repoId: Id, tried: z.array(Id).max(100).default([]) }),
  output: z.object({ stream: Stream.nullable(), why: z.string() }),
}));

/** A group of consecutive commits of a stream that can be judged on its own. */
export const ReviewBlock = z.object({
  id: Id,
  /** Its place in the stream, from 1. */
  number: z.number().int(),
  title: z.string(),
  commits: z.array(StreamCommit),
  /** The change it holds; a verdict on another one is stale. */
  patchId: z.string(),
  state: ConsensusState,
  reached: z.boolean(),
  approvals: z.number().int(),
  rejections: z.number().int(),
  reasons: z.array(z.string()),
});
export type ReviewBlock = z.infer<typeof ReviewBlock>;

/** `leading` is how many of the first blocks have consensus: they may land on their own. */
const Blocks = z.object({ items: z.array(ReviewBlock), leading: z.number().int() });

export const listBlocks = endpoint('block.list', () => ({
  method: 'GET',
  path: '/streams/:stream/blocks',
  input: z.object({ stream: Ref }),
  output: Blocks,
}));

/** The commit that is named begins a block of its own. */
export const splitBlock = endpoint('block.split', () => ({
  method: 'POST',
  path: '/streams/:stream/blocks/split',
  input: z.object({ stream: Ref, commit: z.string().min(4).max(100) }),
  output: Blocks,
}));

/** Neighbours become one. */
export const mergeBlocks = endpoint('block.merge', () => ({
  method: 'POST',
  path: '/streams/:stream/blocks/merge',
  input: z.object({ stream: Ref, from: z.number().int().min(1), to: z.number().int().min(1) }),
  output: Blocks,
}));

/** The leading blocks become a stream of their own that the rest builds on; verdicts go with what they judged. */
export const splitOffStream = endpoint('stream.split_off', () => ({
  method: 'POST',
  path: '/streams/:stream/split-off',
  input: z.object({ stream: Ref, id: Id, branch: BranchName, facts: Facts, rest: Facts }),
  output: z.object({ leading: Stream, rest: Stream }),
  internal: 'clone',
}));
