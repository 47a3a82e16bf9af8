import type { Priority } from '../../contract/common.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { TaskStatus } from '../../contract/tasks.ts';

/** Two hours; activity on the claim's stream begins the lease anew. */
export const DEFAULT_LEASE_MS = 2 * 3_600_000;

const RANK: Record<TaskStatus, number> = { open: 0, claimed: 1, submitted: 2, completed: 3, cancelled: 3 };

/** How far a task has come; completed and cancelled are equally final. */
export function statusRank(status: TaskStatus): number {
  return RANK[status];
}

export function isFinal(status: TaskStatus): boolean {
  return RANK[status] === RANK.completed;
}

/** True where an active claim's time is over: the task is free for whoever asks first. */
export function isLeaseOver(claim: { status: string; lease_until: string | null }, now: string): boolean {
  return claim.status === 'active' && claim.lease_until !== null && claim.lease_until <= now;
}

/** True where a claim was lost by time, not given up: its holder may take it back while the task is free. */
export function ranOut(claim: { status: string; lease_until: string | null }): boolean {
  return claim.status === 'abandoned' && claim.lease_until !== null;
}

export interface TaskFacts {
  /** With leases that are over seen as released. */
  status: TaskStatus;
  blockedReason: string | null;
  /** Handles of the dependencies that are not met. */
  waitsFor: string[];
  expiresAt: string | null;
  now: string;
}

/** Open, not blocked, not expired, and nothing it waits for. */
export function isReady(facts: TaskFacts): boolean {
  return facts.status === 'open' && !facts.blockedReason && facts.waitsFor.length === 0 && !isExpired(facts);
}

function isExpired({ expiresAt, now }: TaskFacts): boolean {
  return expiresAt !== null && expiresAt <= now;
}

export type Claimability =
  | { kind: 'free' }
  /** The agent who asks holds it already. */
  | { kind: 'held' }
  | { kind: 'refused'; code: ErrorCode; reason: string };

/** Whether an agent may claim a task, and if not, why; `holder` is who holds it now, with its lease unspent. */
export function claimability(
  facts: TaskFacts,
  holder: { agentId: string; name: string; status: string } | null,
  agentId: string,
): Claimability {
  const refused = (code: ErrorCode, reason: string): Claimability => ({ kind: 'refused', code, reason });
  if (isFinal(facts.status)) return refused('wrong_state', `it is ${facts.status}`);
  if (holder?.agentId === agentId) {
    return holder.status === 'active'
      ? { kind: 'held' }
      : refused('wrong_state', 'you have submitted it already');
  }
  if (holder) {
    const verb = holder.status === 'submitted' ? 'has submitted' : 'holds';
    return refused('claim_taken', `${holder.name} ${verb} it`);
  }
  if (facts.status !== 'open') return refused('wrong_state', `it is ${facts.status}`);
  if (isExpired(facts)) return refused('wrong_state', `it expired at ${facts.expiresAt}`);
  if (facts.blockedReason) return refused('wrong_state', `it is blocked: ${facts.blockedReason}`);
  if (facts.waitsFor.length > 0) return refused('gate_not_met', `it waits for ${facts.waitsFor.join(', ')}`);
  return { kind: 'free' };
}

type Party = { id: string; operator: string | null };

/** Why this agent may not judge a submission, or null: never the claimant, nor an agent of the same operator. */
export function whyNotReviewClaim(reviewer: Party, claimant: Party): string | null {
  if (reviewer.id === claimant.id) return 'nobody judges their own submission';
  if (reviewer.operator !== null && reviewer.operator === claimant.operator) {
    return `reviewer and claimant both act for ${reviewer.operator}`;
  }
  return null;
}

/** What the order of `next` depends on; `mine` marks a task that was opened for the one who asks. */
export interface NextPlace {
  id: string;
  priority: string;
  created_at: string;
  mine: boolean;
}

const URGENCY: Record<Priority, number> = { critical: 0, high: 1, medium: 2, low: 3 };

/** By priority; among equals what was opened for the one who asks, then the oldest. */
export function compareNext(a: NextPlace, b: NextPlace): number {
  return (
    urgencyOf(a) - urgencyOf(b) ||
    Number(b.mine) - Number(a.mine) ||
    compare(a.created_at, b.created_at) ||
    compare(a.id, b.id)
  );
}

function urgencyOf(place: NextPlace): number {
  return URGENCY[place.priority as Priority] ?? URGENCY.low;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
