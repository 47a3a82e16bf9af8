import * as z from 'zod';
import { Id, Oid, PageInput, page, Ref } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Cascade } from './hosted-streams.ts';
import { Stream } from './streams.ts';

const Encoding = z.enum(['utf8', 'base64']);
export const FileMode = z.enum(['100644', '100755']);

export const showDiff = endpoint('stream.diff', () => ({
  method: 'GET',
  path: '/streams/:stream/diff',
  input: z.object({ stream: Ref, against: Ref.optional() }),
  output: z.object({
    streamId: Id,
    base: z.string(),
    head: Oid,
    files: z.number().int(),
    insertions: z.number().int(),
    deletions: z.number().int(),
    perFile: z.array(
      z.object({ path: z.string(), insertions: z.number().nullable(), deletions: z.number().nullable() }),
    ),
  }),
}));

export const showFullDiff = endpoint('stream.diff_full', () => ({
  method: 'GET',
  path: '/streams/:stream/diff/full',
  input: z.object({ stream: Ref, against: Ref.optional() }),
  output: z.object({ streamId: Id, base: z.string(), head: Oid, diff: z.string() }),
}));

export const listFiles = endpoint('stream.tree', () => ({
  method: 'GET',
  path: '/streams/:stream/tree',
  input: z.object({ stream: Ref, ...PageInput }),
  output: page(z.object({ path: z.string(), mode: z.string(), oid: Oid })),
}));

const Side = z.object({ oid: Oid, mode: z.string(), content: z.string(), encoding: Encoding }).nullable();
export const ConflictedFile = z.object({
  path: z.string(),
  kind: z.string(),
  base: Side,
  ours: Side,
  theirs: Side,
  markers: z.string().nullable(),
});

export const showConflicts = endpoint('stream.conflicts', () => ({
  method: 'GET',
  path: '/streams/:stream/conflicts',
  input: z.object({ stream: Ref }),
  output: z.object({ onto: Oid, head: Oid, files: z.array(ConflictedFile) }),
}));

/** `ours` is the stream, `theirs` what it takes in. */
export const resolveConflicts = endpoint('stream.resolve', () => ({
  method: 'POST',
  path: '/streams/:stream/resolve',
  input: z.object({
    stream: Ref,
    files: z
      .record(
        z.string().max(4096),
        z.union([
          z.object({ content: z.string(), encoding: Encoding.default('utf8'), mode: FileMode.optional() }),
          z.object({ take: z.enum(['ours', 'theirs', 'delete']) }),
        ]),
      )
      .default({}),
    strategy: z.enum(['ours', 'theirs']).optional(),
  }),
  output: z.object({ commit: Oid, stream: Stream, cascade: Cascade }),
}));
