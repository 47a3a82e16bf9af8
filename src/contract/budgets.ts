import * as z from 'zod';
import { Id, line, PageInput, page, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

const LARGEST = 1_000_000_000;

/** What a repository can pay for tasks. `total` is what it holds now: available and reserved together. */
export const Budget = z.object({
  repoId: Id,
  total: z.number().int(),
  available: z.number().int(),
  /** Promised to bounties that are not settled yet. */
  reserved: z.number().int(),
  paid: z.number().int(),
  maxBountyPerIssue: z.number().int(),
});
export type Budget = z.infer<typeof Budget>;

export const BudgetEntryType = z.enum([
  'deposit',
  'withdrawal',
  'bounty_reserve',
  'bounty_release',
  'payout',
]);
export type BudgetEntryType = z.infer<typeof BudgetEntryType>;

/** One line of the ledger, with what was there after it. */
export const BudgetEntry = z.object({
  id: Id,
  /** 1, 2, 3 … in the order of booking. */
  position: z.number().int(),
  type: BudgetEntryType,
  amount: z.number().int(),
  availableAfter: z.number().int(),
  reservedAfter: z.number().int(),
  description: z.string(),
  agentId: Id.nullable(),
  agentName: z.string().nullable(),
  recipientId: Id.nullable(),
  recipientName: z.string().nullable(),
  taskId: Id.nullable(),
  createdAt: Time,
});
export type BudgetEntry = z.infer<typeof BudgetEntry>;

export const showBudget = endpoint('budget.show', () => ({
  method: 'GET',
  path: '/repos/:repoId/budget',
  input: z.object({ repoId: Id }),
  output: Budget,
}));

const Move = z.object({
  repoId: Id,
  amount: z.number().int().min(1).max(LARGEST),
  description: line(500).optional(),
});

export const depositBudget = endpoint('budget.deposit', () => ({
  method: 'POST',
  path: '/repos/:repoId/budget/deposit',
  input: Move,
  output: Budget,
}));

/** Takes back what is available; what is reserved stays. */
export const withdrawBudget = endpoint('budget.withdraw', () => ({
  method: 'POST',
  path: '/repos/:repoId/budget/withdraw',
  input: Move,
  output: Budget,
}));

/** Newest first. */
export const listBudgetEntries = endpoint('budget.transactions', () => ({
  method: 'GET',
  path: '/repos/:repoId/budget/transactions',
  input: z.object({ repoId: Id, ...PageInput, type: BudgetEntryType.optional() }),
  output: page(BudgetEntry),
}));
