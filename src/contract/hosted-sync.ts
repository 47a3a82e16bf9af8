import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { errorCodes } from './errors.ts';

export const MOST_EVENTS = 500;

/**
 * Something that was done while the server was away, as the call that it would have been: `type` is the name of an
 * operation, `data` its input. `seq` is the sender's own number and comes back with the result.
 */
export const SyncEvent = z
  .object({
    seq: z.number().int().min(0),
    type: z.string().min(1).max(100),
    data: z.record(z.string(), z.unknown()).default({}),
    /** When the sender did it: tells two events of its own apart; times in the log are the server's. */
    createdAt: z.string().min(1).max(50).optional(),
    /** The idempotency key under which the call was made, or would have been. */
    key: z
      .string()
      .regex(/^[\x21-\x7e]{1,200}$/, 'has to be 1 to 200 visible ASCII characters')
      .optional(),
  })
  .refine((event) => event.key !== undefined || event.createdAt !== undefined, {
    message: 'an event needs a key, or createdAt: without either it cannot be told from another',
  });
export type SyncEvent = z.infer<typeof SyncEvent>;

/** `duplicate`: it had been done before, and was not done again. `id` is what was made or changed. */
export const SyncResult = z.object({
  seq: z.number().int(),
  status: z.enum(['ok', 'duplicate', 'error']),
  id: z.string().optional(),
  handle: z.string().optional(),
  error: z
    .object({
      code: z.enum(errorCodes),
      message: z.string(),
      fix: z.string().optional(),
      details: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});
export type SyncResult = z.infer<typeof SyncResult>;

/** Done in order, each as if it had been called directly, up to the first that fails: nothing after it is touched. */
export const syncBatch = endpoint('sync.batch', () => ({
  method: 'POST',
  path: '/sync/batch',
  input: z.object({ events: z.array(SyncEvent) }),
  output: z.object({ results: z.array(SyncResult) }),
}));
