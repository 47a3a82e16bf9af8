import { isoTime } from '../base/clock.ts';
import { sha256 } from '../base/digest.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Kernel } from './execute.ts';
import { findReceipt, insertReceipt } from './receipts.ts';

export interface Remembered {
  actorId: string;
  key: string;
  /** The route that was asked. */
  operation: string;
  input: unknown;
}

/**
 * Answers what spans several operations once under its key: the same request again gets the same answer. What failed
 * is not remembered. Two at the same moment are kept apart by the caller.
 */
export async function remember<T>(kernel: Kernel, asked: Remembered, run: () => Promise<T>): Promise<T> {
  const { actorId, key, operation } = asked;
  const bodyHash = sha256(`${operation}\n${JSON.stringify(asked.input)}`);
  const known = await kernel.database.write((tx) => findReceipt(tx, { actorId, key }));
  if (known && (known.operation !== operation || known.bodyHash !== bodyHash))
    throw new SwarmError('conflict', `The idempotency key "${key}" was used for another request.`);
  if (known) return known.answer as T;
  const answer = await run();
  const now = isoTime(kernel.clock.now());
  await kernel.database.write((tx) => insertReceipt(tx, { actorId, key, operation, bodyHash, answer, now }));
  return answer;
}
