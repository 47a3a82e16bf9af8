import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BudgetEntryType } from '../../contract/budgets.ts';
import { book, type Holdings, NOTHING, whyNotBounty } from './budget-rules.ts';

it.each([
  ['deposit', { available: 15, reserved: 5, paid: 1 }],
  ['withdrawal', { available: 5, reserved: 5, paid: 1 }],
  ['bounty_reserve', { available: 5, reserved: 10, paid: 1 }],
  ['bounty_release', { available: 15, reserved: 0, paid: 1 }],
  ['payout', { available: 10, reserved: 0, paid: 6 }],
] as const)('%s moves credits where it says', (type, holdings) => {
  expect(book({ available: 10, reserved: 5, paid: 1 }, type, 5)).toEqual({ kind: 'booked', holdings });
});

it.each([
  ['withdrawal', 'available'],
  ['bounty_reserve', 'available'],
  ['bounty_release', 'reserved'],
  ['payout', 'reserved'],
] as const)('%s is refused where there is too little', (type, lacks) => {
  expect(book({ available: 4, reserved: 4, paid: 0 }, type, 5)).toEqual({ kind: 'refused', lacks });
});

it('balances after every history: what came in is what is held and what was paid', () => {
  const moves = fc.array(
    fc.record({ type: fc.constantFrom(...BudgetEntryType.options), amount: fc.integer({ min: 1, max: 50 }) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(moves, (history) => {
      let holdings: Holdings = NOTHING;
      let came = 0;
      for (const { type, amount } of history) {
        const booking = book(holdings, type, amount);
        if (booking.kind === 'refused') continue;
        holdings = booking.holdings;
        if (type === 'deposit') came += amount;
        if (type === 'withdrawal') came -= amount;
        expect(Math.min(holdings.available, holdings.reserved, holdings.paid)).toBeGreaterThanOrEqual(0);
        expect(holdings.available + holdings.reserved + holdings.paid).toBe(came);
      }
    }),
  );
});

it.each([
  [100, { available: 100, maxBountyPerIssue: 100 }, null],
  [101, { available: 200, maxBountyPerIssue: 100 }, 'one task may pay 100 at most'],
  [60, { available: 50, maxBountyPerIssue: 100 }, 'the budget has 50 available'],
])('a bounty of %i with %j', (amount, budget, reason) => {
  expect(whyNotBounty(amount, budget)?.reason ?? null).toBe(reason);
});
