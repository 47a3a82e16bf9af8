import { isoTime } from '../base/clock.ts';
import { SwarmError } from '../contract/errors.ts';
import { hashBody, type Kernel } from './execute.ts';
import { findReceipt, insertReceipt } from './receipts.ts';

export interface Remembered {
  actorId: string;
  key: string;
  /** The route that was asked. */
  operation: string;
  input: unknown;
  /** Throws where the caller may not be told any more what it was told then. */
  recheck(): Promise<unknown>;
}

/**
 * Answers what spans several operations once under its key: the same request again gets the same answer. What failed
 * is not remembered. Two at the same moment are kept apart by the caller. A route whose last write bears the receipt
 * itself (`ends`) is done once even if the process dies in between.
 */
export async function remember<T>(kernel: Kernel, asked: Remembered, run: () => Promise<T>): Promise<T> {
  const { actorId, key, operation } = asked;
  const bodyHash = hashBody(operation, asked.input);
  const known = await kernel.database.write((tx) => findReceipt(tx, { actorId, key }));
  if (known && (known.operation !== operation || known.bodyHash !== bodyHash))
    throw new SwarmError('conflict', `The idempotency key "${key}" was used for another request.`);
  if (known) {
    await asked.recheck();
    return known.answer as T;
  }
  const answer = await run();
  const now = isoTime(kernel.clock.now());
  await kernel.database.write(async (tx) => {
    if (await findReceipt(tx, { actorId, key })) return;
    await insertReceipt(tx, { actorId, key, operation, bodyHash, answer, now });
  });
  return answer;
}

/** Whether something was done under a key of this agent. */
export async function isRemembered(
  { database }: Kernel,
  asked: { actorId: string; key: string },
): Promise<boolean> {
  return (await findReceipt(database.read, asked)) !== undefined;
}
