import * as z from 'zod';
import { Id } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Repo } from './repos.ts';
import { Promotion, Stabilization } from './stabilizations.ts';
import { StreamState } from './streams.ts';

/** One open stream and the one who acts next on it, with the command that does it. */
export const Attention = z.object({
  kind: z.enum(['review', 'changes', 'conflict', 'merge', 'task', 'stuck', 'frozen', 'behind', 'claim']),
  agentId: Id.nullable(),
  agentName: z.string().nullable(),
  subject: z.object({ type: z.string(), id: z.string(), handle: z.string(), title: z.string() }),
  text: z.string(),
  next: z.string(),
});
export type Attention = z.infer<typeof Attention>;

/** The part of `status` that the authority knows. */
export const repoStatus = endpoint('status.show', () => ({
  method: 'GET',
  path: '/repos/:repoId/status',
  input: z.object({ repoId: Id }),
  output: z.object({
    repo: Repo,
    streams: z.record(StreamState, z.number().int()),
    tasks: z.object({
      open: z.number(),
      ready: z.number(),
      claimed: z.number(),
      submitted: z.number(),
      completed: z.number(),
      cancelled: z.number(),
    }),
    queue: z.object({ length: z.number().int(), paused: z.boolean(), frozenReason: z.string().nullable() }),
    lastStabilization: Stabilization.nullable(),
    lastPromotion: Promotion.nullable(),
    agents: z.number().int(),
    attention: z.array(Attention),
    /** Open streams beyond those: of each group the oldest 200 are looked at. */
    attentionOmitted: z.number().int(),
  }),
}));
