import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { isoTime } from '../base/clock.ts';
import { registerAgent } from '../contract/agents.ts';
import { depositBudget, listBudgetEntries, showBudget, withdrawBudget } from '../contract/budgets.ts';
import { runDue } from '../contract/housekeeping.ts';
import type { Merge } from '../contract/merges.ts';
import { addMaintainer } from '../contract/repos.ts';
import {
  cancelTask,
  claimTask,
  createTask,
  reviewTask,
  showTask,
  submitTask,
  updateTask,
} from '../contract/tasks.ts';
import { reopenTask } from '../contract/workplans.ts';

const HOUR = 3_600_000;

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

  it('opens no cancelled or expired bounty again, because nothing is put aside for it any more', async () => {
    const { call, clock, repoId, owner, deposit, bounty, budget } = await start();
    await deposit(100);
    const expired = await bounty(50, { expiresAt: isoTime(clock.now() + 60_000) });
    const cancelled = await bounty(40);
    const free = await bounty(0, { expiresAt: isoTime(clock.now() + 60_000) });
    const reopen = (task: string) => call(reopenTask, { task, reason: 'needed after all' }, { as: owner });
    await call(cancelTask, { task: cancelled.id }, { as: owner });
    clock.advance(61_000);
    await call(runDue, { repoId });
    for (const { id } of [expired, cancelled]) {
      await expect(reopen(id)).rejects.toMatchObject({ code: 'wrong_state' });
      expect(await call(showTask, { task: id }, { as: owner })).toMatchObject({ status: 'cancelled' });
    }
    expect(await reopen(free.id)).toMatchObject({ status: 'open', ready: true, expiresAt: null });
    expect(await budget()).toMatchObject({ available: 100, reserved: 0 });
  });

  it('balances after every random history of bounties', { timeout: 120_000 }, async () => {
    const words = [
      'deposit',
      'withdraw',
      'create',
      'cancel',
      'claim',
      'submit',
      'approve',
      'reject',
    ] as const;
    const more = ['reopen', 'label', 'wait', 'start', 'land', 'revert', 'take', 'approve claim'] as const;
    const step = fc.tuple(fc.constantFrom(...words, ...more), fc.integer({ min: 1, max: 90 }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (history) => {
        const story = await start();
        const { call, clock, repoId, owner, coder, judge, other, deposit, bounty, budget } = story;
        const tasks: string[] = [];
        const streams: { id: string; name: string; task: string }[] = [];
        const landings: Merge[] = [];
        const claims: string[] = [];
        for (const [i, [what, n]] of history.entries()) {
          const task = tasks[n % Math.max(1, tasks.length)] ?? 'none';
          const stream = streams[n % Math.max(1, streams.length)] ?? { id: 'none', name: 'none', task };
          const claim = claims[n % Math.max(1, claims.length)] ?? 'none';
          const approve = (ref: string) =>
            call(reviewTask, { claim: ref, verdict: 'approve' }, { as: judge });
          const take = async (as: { id: string }) =>
            claims.push((await call(claimTask, { task }, { as })).claim.id);
          const acts = {
            deposit: () => deposit(n),
            withdraw: () => call(withdrawBudget, { repoId, amount: n }, { as: owner }),
            create: async () => {
              const expiresAt = n % 3 === 0 ? isoTime(clock.now() + 3 * HOUR) : null;
              tasks.push((await bounty(n, { expiresAt })).id);
            },
            cancel: () => call(cancelTask, { task }, { as: owner }),
            claim: () => take(coder),
            take: () => take(other),
            submit: () => call(submitTask, { claim: task }, { as: coder }),
            approve: () => approve(task),
            'approve claim': () => approve(claim),
            reject: () => call(reviewTask, { claim: task, verdict: 'reject' }, { as: judge }),
            reopen: () => call(reopenTask, { task, reason: 'again' }, { as: owner }),
            label: () => call(updateTask, { task, labels: [`conflict:${stream.id}`] }, { as: owner }),
            wait: async () => {
              clock.advance(2 * HOUR);
              await call(runDue, { repoId });
            },
            start: async () => {
              const name = `work ${i}`;
              const { id } = await story.stream(coder, name, { task });
              streams.push({ id, name, task });
              await story.submit(coder, id, factsOf(name));
              await story.verdict(judge, id);
            },
            land: async () => {
              const { merge } = await story.merge(coder, stream.id, factsOf(stream.name));
              landings.push((await story.land(coder, merge)).merge);
            },
            revert: async () => {
              const landing = landings[n % Math.max(1, landings.length)];
              if (landing) await story.revert(judge, landing);
            },
          } satisfies Record<typeof what, () => Promise<unknown>>;
          await refusedWith(acts[what]());
        }
        const { items } = await call(listBudgetEntries, { repoId, limit: 200 }, { as: owner });
        const sum = (types: string[], among = items) =>
          among.filter(({ type }) => types.includes(type)).reduce((total, { amount }) => total + amount, 0);
        const held = await budget();
        expect(held.available + held.reserved + held.paid).toBe(sum(['deposit']) - sum(['withdrawal']));
        expect(held.reserved).toBe(sum(['bounty_reserve']) - sum(['bounty_release', 'payout']));
        expect(held.paid).toBe(sum(['payout']));
        expect(items.map(({ position }) => position)).toEqual(items.map((_, i) => items.length - i));
        for (const id of tasks) {
          const { status, amount } = await call(showTask, { task: id }, { as: owner });
          const own = items.filter(({ taskId }) => taskId === id);
          const isUnfinished = status !== 'completed' && status !== 'cancelled';
          expect(sum(['bounty_reserve'], own) - sum(['bounty_release', 'payout'], own)).toBe(
            isUnfinished ? amount : 0,
          );
          expect(own.filter(({ type }) => type === 'payout').length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 12 },
    );
  });
});
