import * as z from 'zod';
import { type QueueEvent, URGENCIES } from './queue-events.ts';
import type { Rates } from './rates.ts';

const Footprint = z.object({ root: z.boolean(), keys: z.array(z.string()) });
const Ids = z.array(z.string());
const Run = z.string();

const Wish = z.object({
  id: z.string(),
  stream: z.string(),
  author: z.string(),
  urgency: z.enum(URGENCIES),
  rank: z.number(),
  askedAt: z.number(),
  footprint: Footprint,
  isFix: z.boolean(),
  isTested: z.boolean(),
  after: Ids,
});

/** What was recorded of the queue, read back. */
export const QueueEventRecord: z.ZodType<QueueEvent> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('queued'), wish: Wish }),
  z.object({ kind: z.literal('moved'), id: z.string(), urgency: z.enum(URGENCIES), rank: z.number() }),
  z.object({ kind: z.literal('left'), id: z.string() }),
  z.object({ kind: z.literal('deferred'), id: z.string(), behind: Ids }),
  z.object({ kind: z.enum(['paused', 'resumed', 'frozen', 'unfrozen']) }),
  z.object({
    kind: z.literal('finished'),
    run: Run,
    result: z.enum(['green', 'red']),
    ms: z.number(),
    tree: z.string(),
  }),
  z.object({ kind: z.enum(['lost', 'cancel']), run: Run }),
  z.object({ kind: z.enum(['landed', 'returned']), ids: Ids }),
  z.object({ kind: z.literal('evicted'), id: z.string() }),
  z.object({ kind: z.literal('outdated'), footprint: Footprint }),
  z.object({
    kind: z.literal('start'),
    run: Run,
    purpose: z.enum(['batch', 'search', 'confirm']),
    on: Ids,
    about: Ids,
    at: z.number(),
  }),
  z.object({ kind: z.literal('land'), ids: Ids, run: Run.nullable(), tree: z.string().nullable() }),
  z.object({ kind: z.literal('evict'), id: z.string(), runs: Ids }),
]);

export const RatesRecord: z.ZodType<Rates> = z.object({
  failure: z.number().min(0).max(1),
  flake: z.number().min(0).max(1),
  runMs: z.number().min(0),
});
