import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { refusedWith, startStory } from '../../test/support/stream-story.ts';
import { registerAgent } from '../contract/agents.ts';
import { depositBudget, listBudgetEntries, showBudget, withdrawBudget } from '../contract/budgets.ts';
import { runDue } from '../contract/housekeeping.ts';
import { addMaintainer } from '../contract/repos.ts';
import { cancelTask, claimTask, createTask, reviewTask, showTask, submitTask } from '../contract/tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const story = await startStory(await makeDatabase(), {
      agents: ['coder', 'judge', 'other'],
      maintainers: ['judge'],
    });
    const { repoId, owner, call } = story;
    const deposit = (amount: number) => call(depositBudget, { repoId, amount }, { as: owner });
    const bounty = (amount: number, more = {}) =>
      call(createTask, { repoId, title: `pays ${amount}`, amount, ...more }, { as: owner });
    const budget = () => call(showBudget, { repoId }, { as: owner });
    const ledger = async () =>
      (await call(listBudgetEntries, { repoId, limit: 200 }, { as: owner })).items.map(
        ({ type, amount, availableAfter, reservedAfter }) => [type, amount, availableAfter, reservedAfter],
      );
    return { ...story, deposit, bounty, budget, ledger };
  }

  it('is filled and emptied by owners, within what is available', async () => {
    const { call, repoId, owner, judge, deposit, bounty, budget } = await start();
    expect(await budget()).toMatchObject({ total: 0, available: 0, reserved: 0, paid: 0 });
    await deposit(100);
    await bounty(60);
    const withdraw = (amount: number, as: { id: string }) => call(withdrawBudget, { repoId, amount }, { as });
    expect(await refusedWith(withdraw(1, judge))).toBe('not_allowed');
    expect(await refusedWith(withdraw(41, owner))).toBe('limited');
    expect(await withdraw(40, owner)).toMatchObject({ total: 60, available: 0, reserved: 60 });
  });

  it('promises no more than there is, and no more for one task than the settings allow', async () => {
    const { deposit, bounty } = await start();
    await deposit(5000);
    await expect(bounty(1001)).rejects.toMatchObject({
      code: 'limited',
      fix: 'gitswarm config set max_bounty_per_issue 1001',
    });
    for (let n = 0; n < 5; n++) await bounty(1000);
    expect(await refusedWith(bounty(1))).toBe('limited');
  });

  it('frees what a cancelled or an expired task had put aside, once', async () => {
    const { call, clock, repoId, owner, deposit, bounty, budget, ledger } = await start();
    await deposit(100);
    const cancelled = await bounty(30);
    await bounty(50, { expiresAt: new Date(clock.now() + 60_000).toISOString() });
    await call(cancelTask, { task: cancelled.id }, { as: owner });
    await call(cancelTask, { task: cancelled.id }, { as: owner });
    clock.advance(61_000);
    expect(await call(runDue, { repoId })).toMatchObject({ cancelled: 1 });
    expect(await budget()).toMatchObject({ available: 100, reserved: 0, paid: 0 });
    expect(await ledger()).toEqual([
      ['bounty_release', 50, 100, 0],
      ['bounty_release', 30, 50, 50],
      ['bounty_reserve', 50, 20, 80],
      ['bounty_reserve', 30, 70, 30],
      ['deposit', 100, 100, 0],
    ]);
  });

  it('pays the one who did it when a maintainer approves, and never by their own hand', async () => {
    const { call, repoId, owner, coder, judge, deposit, bounty, budget } = await start();
    await deposit(100);
    const { id } = await bounty(40);
    await call(claimTask, { task: id }, { as: coder });
    await call(submitTask, { claim: id }, { as: coder });
    const review = (as: { id: string }, verdict: 'approve' | 'reject' = 'approve') =>
      call(reviewTask, { claim: id, verdict }, { as });
    await call(addMaintainer, { repoId, agent: 'coder' }, { as: owner });
    expect(await refusedWith(review(coder))).toBe('not_allowed');
    await review(judge, 'reject');
    expect(await budget()).toMatchObject({ available: 60, reserved: 40, paid: 0 });
    await call(claimTask, { task: id }, { as: coder });
    await call(submitTask, { claim: id }, { as: coder });
    const { claim, task } = await review(judge);
    expect({ payout: claim.payoutAmount, status: task.status }).toEqual({ payout: 40, status: 'completed' });
    expect(await refusedWith(review(judge))).toBe('wrong_state');
    expect(await budget()).toMatchObject({ available: 60, reserved: 0, paid: 40 });
  });

  it('lets no agent of the operator of the claimant approve', async () => {
    const { call, repoId, owner, deposit, bounty } = await start();
    const as = { as: owner };
    const { agent: worker } = await call(registerAgent, { name: 'w', operator: 'acme' }, as);
    const { agent: twin } = await call(registerAgent, { name: 't', operator: 'acme' }, as);
    await call(addMaintainer, { repoId, agent: twin.id }, as);
    await deposit(10);
    const { id } = await bounty(10);
    await call(claimTask, { task: id }, { as: worker });
    await call(submitTask, { claim: id }, { as: worker });
    expect(await refusedWith(call(reviewTask, { claim: id, verdict: 'approve' }, { as: twin }))).toBe(
      'not_allowed',
    );
  });

  it('hands a bounty in when its stream lands, pays on approval, and pays no second time after a revert', async () => {
    const { call, owner, coder, judge, deposit, bounty, budget, landed, revert } = await start();
    await deposit(100);
    const { id } = await bounty(40);
    const { merge } = await landed(coder, 'work', judge, { task: id });
    expect((await call(showTask, { task: id }, { as: owner })).status).toBe('submitted');
    await call(reviewTask, { claim: id, verdict: 'approve' }, { as: judge });
    expect(await budget()).toMatchObject({ available: 60, reserved: 0, paid: 40 });
    await revert(judge, merge);
    expect(await call(showTask, { task: id }, { as: owner })).toMatchObject({ status: 'open', amount: 0 });
    await landed(coder, 'again', judge, { task: id });
    expect((await call(showTask, { task: id }, { as: owner })).status).toBe('completed');
    expect(await budget()).toMatchObject({ available: 60, reserved: 0, paid: 40 });
  });

  it('keeps what is reserved when the landing of a bounty that was not paid yet is reverted', async () => {
    const { call, coder, judge, owner, deposit, bounty, budget, landed, revert } = await start();
    await deposit(40);
    const { id } = await bounty(40);
    const { merge } = await landed(coder, 'work', judge, { task: id });
    await revert(judge, merge);
    expect(await call(showTask, { task: id }, { as: owner })).toMatchObject({ status: 'open', amount: 40 });
    expect(await budget()).toMatchObject({ available: 0, reserved: 40 });
  });

  it('balances after every random history of bounties', { timeout: 60_000 }, async () => {
    const step = fc.tuple(
      fc.constantFrom('deposit', 'withdraw', 'create', 'cancel', 'claim', 'submit', 'approve', 'reject'),
      fc.integer({ min: 1, max: 90 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (history) => {
        const { call, repoId, owner, coder, judge, deposit, bounty, budget } = await start();
        const tasks: string[] = [];
        for (const [what, n] of history) {
          const task = tasks[n % Math.max(1, tasks.length)] ?? 'none';
          await refusedWith(
            {
              deposit: () => deposit(n),
              withdraw: () => call(withdrawBudget, { repoId, amount: n }, { as: owner }),
              create: async () => tasks.push((await bounty(n)).id),
              cancel: () => call(cancelTask, { task }, { as: owner }),
              claim: () => call(claimTask, { task }, { as: coder }),
              submit: () => call(submitTask, { claim: task }, { as: coder }),
              approve: () => call(reviewTask, { claim: task, verdict: 'approve' as const }, { as: judge }),
              reject: () => call(reviewTask, { claim: task, verdict: 'reject' as const }, { as: judge }),
            }[what](),
          );
        }
        const { items } = await call(listBudgetEntries, { repoId, limit: 200 }, { as: owner });
        const sum = (...types: string[]) =>
          items.filter(({ type }) => types.includes(type)).reduce((total, { amount }) => total + amount, 0);
        const held = await budget();
        expect(held.available + held.reserved + held.paid).toBe(sum('deposit') - sum('withdrawal'));
        expect(held.reserved).toBe(sum('bounty_reserve') - sum('bounty_release', 'payout'));
        expect(held.paid).toBe(sum('payout'));
        expect(items.map(({ position }) => position)).toEqual(items.map((_, i) => items.length - i));
        const shown = [];
        for (const id of tasks) shown.push(await call(showTask, { task: id }, { as: owner }));
        const unsettled = shown.filter(({ status }) => status !== 'completed' && status !== 'cancelled');
        expect(held.reserved).toBe(unsettled.reduce((total, { amount }) => total + amount, 0));
      }),
      { numRuns: 12 },
    );
  });
});
