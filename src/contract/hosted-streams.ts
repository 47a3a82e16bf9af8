import * as z from 'zod';
import { BranchName, Id, line, Oid, Priority, prose, Ref } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Merge } from './merges.ts';
import { Consensus, Review, Verdict } from './reviews.ts';
import { ConflictFile, createStream, Facts, Stream } from './streams.ts';

/**
 * What callers over the network ask for where the server may have the clone: it measures then itself what workflows
 * otherwise measure. Where the clone is with the clients, `head` and `facts` are their word.
 */

const Known = { head: Oid.optional(), facts: Facts.optional() };
export type ClientFacts = Facts | undefined;

export const Cascade = z.object({
  rebased: z.array(Id),
  deferred: z.array(Id),
  conflicted: z.array(z.object({ streamId: Id, files: z.array(ConflictFile) })),
});

export const openStream = endpoint('stream.create', () => ({
  method: 'POST',
  path: '/repos/:repoId/streams',
  // Where the clone is the server's, branch and base are the server's to choose.
  input: createStream.input.extend({
    baseBranch: BranchName.optional(),
    baseCommit: Oid.optional(),
    source: createStream.input.shape.source.unwrap().default('api'),
  }),
  output: Stream,
}));

/** 001's words for what becomes of a stream: `merged` records a landing that the client has made. */
export const updateStream = endpoint('stream.update', () => ({
  method: 'PATCH',
  path: '/streams/:stream',
  input: z.object({
    stream: Ref,
    status: z.enum(['merged', 'abandoned', 'paused', 'active']),
    mergeCommit: Oid.optional(),
    bufferBefore: Oid.optional(),
    reason: line(500).optional(),
  }),
  output: Stream,
}));

export const commitOnStream = endpoint('stream.commit', () => ({
  method: 'POST',
  path: '/streams/:stream/commits',
  input: z.object({
    stream: Ref,
    message: prose(10_000).refine((text) => text.trim() !== '', 'must not be empty'),
    commit: Oid.optional(),
    changeId: line(100).optional(),
    facts: Facts.optional(),
  }),
  output: z.object({
    commit: Oid.nullable(),
    changeId: z.string().nullable(),
    stream: Stream,
    files: z.array(z.string()),
    merged: z.boolean(),
    conflict: z.array(ConflictFile).nullable(),
    /** In swarm mode: why the commit, which is kept, has not landed yet. */
    waitsFor: z.string().nullable(),
    cascade: Cascade.nullable(),
  }),
}));

export const askForReview = endpoint('stream.submit', () => ({
  method: 'POST',
  path: '/streams/:stream/submit',
  input: z.object({ stream: Ref, note: prose(2000).optional(), ...Known }),
  output: Stream,
}));

export const sayFinished = endpoint('stream.finish', () => ({
  method: 'POST',
  path: '/streams/:stream/finish',
  input: z.object({ stream: Ref, note: prose(2000).optional(), ...Known }),
  output: Stream,
}));

export const judge = endpoint('review.submit', () => ({
  method: 'POST',
  path: '/streams/:stream/reviews',
  input: z.object({
    stream: Ref,
    verdict: Verdict,
    feedback: prose(50_000).default(''),
    tested: z.boolean().default(false),
    /** Judges one block only: its number in the stream, from 1, or its id. */
    block: z.string().max(100).optional(),
    ...Known,
  }),
  output: z.object({ review: Review, stream: Stream, consensus: Consensus }),
}));

/** At a server's clone it lands; elsewhere the answer is the permit to land exactly this head. */
export const askForMerge = endpoint('merge.request', () => ({
  method: 'POST',
  path: '/streams/:stream/merge',
  input: z.object({
    stream: Ref,
    id: Id.optional(),
    force: z.boolean().default(false),
    reason: line(500).optional(),
    priority: Priority.optional(),
    wait: z.boolean().default(true),
    ...Known,
  }),
  output: z.object({
    approved: z.literal(true),
    merged: z.boolean(),
    commit: Oid.nullable(),
    bufferBranch: z.string(),
    position: z.number().int().nullable(),
    waitsFor: z.string().nullable(),
    merge: Merge.nullable(),
    stream: Stream,
  }),
}));
