import type { Endpoint } from '../contract/endpoint.ts';

/**
 * The route answers more than the operation of its name where it serves two kinds of callers; this is the operation's
 * part of it.
 */
export function answerOf({ name }: Pick<Endpoint, 'name'>, told: unknown): unknown {
  if (typeof told !== 'object' || told === null) return told;
  const answer = told as Record<string, unknown>;
  if (name === 'stabilization.record') return { ...answer, mayPromote: answer.promote };
  if (name === 'promotion.record') return answer.promotion;
  return answer;
}
