import * as z from 'zod';
import { Id } from './common.ts';
import { endpoint } from './endpoint.ts';

/** What time alone makes due. Running it twice does nothing the second time. */
export const runDue = endpoint('housekeeping.run_due', () => ({
  method: 'POST',
  path: '/repos/:repoId/housekeeping',
  input: z.object({ repoId: Id }),
  output: z.object({
    released: z.number().int(),
    cancelled: z.number().int(),
    /** Terms that ended and proposals whose time was over. */
    resolved: z.number().int(),
    /** Notifications that were made of what has happened. */
    notified: z.number().int(),
    /** Elections that went on to their next phase. */
    elections: z.number().int(),
  }),
  internal: true,
}));
