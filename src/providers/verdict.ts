import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import * as z from 'zod';
import { plain } from '../base/plain-text.ts';

/** The variable that names a file in which a reviewer may leave its verdict. */
export const VERDICT_FILE_VARIABLE = 'GITSWARM_VERDICT_FILE';

const LONGEST_VERDICT = 64 * 1024;
const LONGEST_FEEDBACK = 8000;
export const Verdict = z.object({
  verdict: z.enum(['approve', 'request_changes', 'comment']),
  feedback: z
    .string()
    .transform((text) => plain(text).slice(0, LONGEST_FEEDBACK).toWellFormed())
    .optional(),
  /** The reviewer says it has run the tests. */
  tested: z.boolean().optional(),
});
export type Verdict = z.infer<typeof Verdict>;

/**
 * What a reviewer decided: the last line of its standard output where that is a verdict, else the content of its
 * verdict file. Prose is never searched for one: an agent that quotes "approve" has not approved.
 */
export async function readVerdict(from: {
  stdoutTail: string;
  verdictFile?: string | undefined;
}): Promise<Verdict | undefined> {
  const spoken = parseVerdict(from.stdoutTail.trimEnd().split('\n').at(-1) ?? '');
  if (spoken || from.verdictFile === undefined) return spoken;
  const written = await readShortFile(from.verdictFile);
  return written === undefined ? undefined : parseVerdict(written);
}

export function parseVerdict(text: string): Verdict | undefined {
  if (text.length > LONGEST_VERDICT || !text.trimStart().startsWith('{')) return undefined;
  try {
    return Verdict.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Undefined where there is no ordinary file of a sensible size: the agent may have left a pipe, a device or a link. */
async function readShortFile(path: string): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    return stats.isFile() && stats.size <= LONGEST_VERDICT ? await file.readFile('utf8') : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
