import * as z from 'zod';
import { Id, Oid } from './common.ts';
import { endpoint } from './endpoint.ts';

/** A ref as an upload found it and left it. */
export const MovedRef = z.object({ ref: z.string().max(1000), old: Oid.nullable(), new: Oid });
export type MovedRef = z.infer<typeof MovedRef>;

/** Records which refs an upload moves, before they move. */
export const recordUpload = endpoint('upload.record', () => ({
  method: 'POST',
  path: '/repos/:repoId/uploads',
  input: z.object({ repoId: Id, refs: z.array(MovedRef).max(10_000) }),
  output: z.object({ recorded: z.number().int() }),
  internal: true,
}));
