import type * as z from 'zod';
import { SwarmError } from '../contract/errors.ts';
import type { Ask, ServerLink } from './server-link.ts';

/** Asks, and takes the answer only in the words that are expected: the server is another machine. */
export async function askFor<Schema extends z.ZodType>(
  link: ServerLink,
  schema: Schema,
  ask: Ask,
): Promise<z.output<Schema>> {
  const result = schema.safeParse(await link.ask(ask));
  if (result.success) return result.data;
  throw new SwarmError(
    'not_configured',
    `${link.url} answers ${ask.path} in words this program does not know.`,
    {
      fix: 'Install the same version of gitswarm here and at the server.',
      cause: result.error,
    },
  );
}
