import * as z from 'zod';
import { Verdict } from './verdict.ts';

const Path = z.string().min(1).max(4096);

/** One thing a scripted agent does; each step has exactly one name. */
export const AgentStep = z.union([
  z.strictObject({ write: z.strictObject({ path: Path, content: z.string() }) }),
  z.strictObject({ append: z.strictObject({ path: Path, content: z.string() }) }),
  z.strictObject({ replace: z.strictObject({ path: Path, find: z.string().min(1), with: z.string() }) }),
  z.strictObject({ delete: z.strictObject({ path: Path }) }),
  /** A program with its arguments; anything but exit code 0 ends the script with that code. */
  z.strictObject({ run: z.array(z.string()).min(1) }),
  z.strictObject({ say: z.string() }),
  /** Waits until the workspace has this file, for as long as the job allows. */
  z.strictObject({ wait_for_file: Path }),
  /** Ends the script with exit code 1 and this as its last words. */
  z.strictObject({ fail: z.string() }),
  z.strictObject({ ...Verdict.shape, feedback: z.string().optional() }),
]);
export type AgentStep = z.infer<typeof AgentStep>;

export const AgentScript = z.strictObject({ steps: z.array(AgentStep).max(10_000) });
export type AgentScript = z.infer<typeof AgentScript>;
