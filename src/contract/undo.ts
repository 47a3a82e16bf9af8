import * as z from 'zod';
import { Id, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/** A past operation of the caller that can be taken back; `plan` is what the workflow needs to do so in git. */
export const UndoRecord = z.object({
  id: Id,
  operation: z.string(),
  summary: z.string(),
  data: z.record(z.string(), z.unknown()),
  createdAt: Time,
  undoneAt: Time.nullable(),
});
export type UndoRecord = z.infer<typeof UndoRecord>;

export const listUndo = endpoint('undo.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/undo',
  input: z.object({ repoId: Id, limit: z.number().int().min(1).max(200).default(20) }),
  output: z.object({ items: z.array(UndoRecord) }),
}));

/** Remembers how a workflow's effect in git can be taken back (a rebase, a resolution, a destroyed workspace). */
export const recordUndo = endpoint('undo.record', () => ({
  method: 'POST',
  path: '/repos/:repoId/undo/records',
  input: z.object({
    repoId: Id,
    operation: z.string().max(100),
    summary: z.string().max(500),
    data: z.record(z.string(), z.unknown()),
  }),
  output: UndoRecord,
  internal: 'clone',
}));

/** Takes back the part of an operation that lives in the database and answers what is left to do in git. */
export const undo = endpoint('undo.run', () => ({
  method: 'POST',
  path: '/repos/:repoId/undo',
  input: z.object({ repoId: Id, record: Ref.optional() }),
  output: UndoRecord,
}));
