import type { BudgetEntryType } from '../../contract/budgets.ts';

/** What a budget holds. Deposits less withdrawals are always `available + reserved + paid`. */
export interface Holdings {
  available: number;
  reserved: number;
  paid: number;
}

export const NOTHING: Holdings = { available: 0, reserved: 0, paid: 0 };

type Effect = Record<keyof Holdings, -1 | 0 | 1>;

const EFFECTS: Record<BudgetEntryType, Effect> = {
  deposit: { available: 1, reserved: 0, paid: 0 },
  withdrawal: { available: -1, reserved: 0, paid: 0 },
  bounty_reserve: { available: -1, reserved: 1, paid: 0 },
  bounty_release: { available: 1, reserved: -1, paid: 0 },
  payout: { available: 0, reserved: -1, paid: 1 },
};

export type Booking = { kind: 'booked'; holdings: Holdings } | { kind: 'refused'; lacks: keyof Holdings };

/** What is held after one movement of `amount` credits, or what there is too little of; nothing falls below 0. */
export function book(holdings: Holdings, type: BudgetEntryType, amount: number): Booking {
  const effect = EFFECTS[type];
  const after: Holdings = {
    available: holdings.available + effect.available * amount,
    reserved: holdings.reserved + effect.reserved * amount,
    paid: holdings.paid + effect.paid * amount,
  };
  if (after.available < 0) return { kind: 'refused', lacks: 'available' };
  if (after.reserved < 0) return { kind: 'refused', lacks: 'reserved' };
  return { kind: 'booked', holdings: after };
}

/** Why a task may not promise this much, or null. */
export function whyNotBounty(
  amount: number,
  budget: { available: number; maxBountyPerIssue: number },
): { reason: string; fix: string } | null {
  if (amount > budget.maxBountyPerIssue) {
    return {
      reason: `one task may pay ${budget.maxBountyPerIssue} at most`,
      fix: `gitswarm config set max_bounty_per_issue ${amount}`,
    };
  }
  if (amount > budget.available) {
    return {
      reason: `the budget has ${budget.available} available`,
      fix: `gitswarm budget deposit ${amount - budget.available}`,
    };
  }
  return null;
}
