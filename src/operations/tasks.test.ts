import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { type KernelForTests, makeKernel } from '../../test/support/kernel.ts';
import { isoTime } from '../base/clock.ts';
import { registerAgent } from '../contract/agents.ts';
import { addMaintainer } from '../contract/repos.ts';
import {
  abandonClaim,
  blockTask,
  cancelTask,
  claimTask,
  createTask,
  listTasks,
  nextTask,
  reviewTask,
  showTask,
  submitTask,
  unblockTask,
  updateTask,
} from '../contract/tasks.ts';
import type { StreamRow } from '../db/tables.ts';
import type { EffectContext } from '../domain/events/effect-context.ts';
import { insertClaim, listClaims } from '../domain/tasks/claims-store.ts';
import { completeTracked, openCriticalTask } from '../domain/tasks/critical-task.ts';
import { cancelExpiredTasks, expireLeases } from '../domain/tasks/task-expiry.ts';
import { countTasks, updateTaskRow } from '../domain/tasks/tasks-store.ts';
import { agentOperations } from './agents.ts';
import { repoOperations } from './repos.ts';
import { taskOperations } from './tasks.ts';

const HOUR = 3_600_000;
const operations = [...agentOperations, ...repoOperations, ...taskOperations];

/** Runs an effect in a transaction of its own and answers with the types of its events. */
async function effect(
  kernel: KernelForTests,
  run: (ctx: EffectContext) => Promise<unknown>,
): Promise<string[]> {
  const types: string[] = [];
  const { clock } = kernel;
  await kernel.database.write((db) =>
    run({ db, clock, now: isoTime(clock.now()), emit: (event) => types.push(event.type) }),
  );
  return types;
}

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const kernel = makeKernel(await makeDatabase(), operations);
    const seed = await kernel.seedRepo({ agents: ['coder', 'rival', 'judge'] });
    const { repoId, owner } = seed;
    await kernel.call(addMaintainer, { repoId, agent: 'judge' }, { as: owner });
    const create = (title: string, more = {}) =>
      kernel.call(createTask, { repoId, title, ...more }, { as: owner });
    return { ...kernel, ...seed, kernel, create };
  }

  it('creates a task that is open and ready', async () => {
    const { create, repoId, owner } = await start();
    const task = await create('Add login', {
      paths: ['src/a b.ts'],
      acceptance: ['it works'],
      labels: ['ui'],
    });
    expect(task).toMatchObject({
      repoId,
      title: 'Add login',
      status: 'open',
      priority: 'medium',
      amount: 0,
      paths: ['src/a b.ts'],
      labels: ['ui'],
      acceptance: ['it works'],
      ready: true,
      claim: null,
      createdBy: owner.id,
    });
    expect(task.handle).toMatch(/^t-[0-9a-z]{4,}$/);
  });

  it('refuses a bounty without a budget, and a task that has expired before it begins', async () => {
    const { create, clock } = await start();
    await expect(create('paid', { amount: 5 })).rejects.toMatchObject({
      code: 'limited',
      fix: 'gitswarm budget deposit 5',
    });
    const expiresAt = isoTime(clock.now() - 1);
    await expect(create('late', { expiresAt })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('lets exactly one of 64 agents have a task', async () => {
    const { call, create, repoId } = await start();
    const agents = [];
    for (let i = 0; i < 64; i++) agents.push((await call(registerAgent, { name: `agent ${i}` })).agent);
    const task = await create('wanted');
    const results = await Promise.allSettled(agents.map((as) => call(claimTask, { task: task.id }, { as })));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(new Set(codes)).toEqual(new Set(['claim_taken']));
    const { items } = await call(listTasks, { repoId, status: 'claimed' }, { as: agents[0] });
    expect(items).toHaveLength(1);
  });

  it('gives each of many who ask for the next task one of its own', async () => {
    const { call, create, repoId, coder, rival, judge } = await start();
    for (const title of ['one', 'two', 'three']) await create(title);
    const asked = [coder, rival, judge, coder].map((as) => call(nextTask, { repoId, claim: true }, { as }));
    const answers = await Promise.all(asked);
    const ids = answers.flatMap(({ task }) => (task ? [task.id] : []));
    expect(new Set(ids).size).toBe(3);
    expect(answers.filter(({ claim }) => claim === null)).toHaveLength(1);
  });

  it('has the database refuse a second live claim, whatever the code believes', async () => {
    const { call, create, coder, rival, kernel } = await start();
    const task = await create('one');
    const { claim } = await call(claimTask, { task: task.id }, { as: coder });
    const [row] = await listClaims(kernel.database.read, { agentId: coder.id, limit: 1 });
    const second = kernel.database.write(async (tx) => {
      if (row) await insertClaim(tx, { ...row, id: row.id.replace(/^.{8}/, 'ffffffff'), agent_id: rival.id });
    });
    await expect(second).rejects.toMatchObject({ code: 'claim_taken' });
    expect(claim.status).toBe('active');
  });

  it('renews the lease of a holder who claims again', async () => {
    const { call, create, clock, coder } = await start();
    const task = await create('one');
    const first = await call(claimTask, { task: task.handle }, { as: coder });
    expect(first.claim.leaseUntil).toBe(isoTime(clock.now() + 2 * HOUR));
    clock.advance(HOUR);
    const second = await call(claimTask, { task: task.handle, leaseMs: HOUR }, { as: coder });
    expect(second.claim).toMatchObject({ id: first.claim.id, leaseUntil: isoTime(clock.now() + HOUR) });
  });

  it('treats a lease that is over as released, in reading and in claiming', async () => {
    const { call, create, clock, repoId, coder, rival, kernel } = await start();
    const task = await create('one');
    const { claim } = await call(claimTask, { task: task.id }, { as: coder });
    const count = () => countTasks(kernel.database.read, repoId, isoTime(clock.now()));
    expect(await count()).toMatchObject({ open: 0, ready: 0, claimed: 1 });
    clock.advance(2 * HOUR);
    expect(await count()).toMatchObject({ open: 1, ready: 1, claimed: 0 });
    expect(await call(showTask, { task: task.id }, { as: rival })).toMatchObject({
      status: 'open',
      ready: true,
      claim: null,
    });
    const list = (filter: object) => call(listTasks, { repoId, ...filter }, { as: rival });
    expect((await list({ status: 'open', ready: true })).items).toHaveLength(1);
    expect((await list({ status: 'claimed' })).items).toHaveLength(0);
    expect((await list({ claimedBy: 'coder' })).items).toHaveLength(0);
    const taken = await call(claimTask, { task: task.id }, { as: rival });
    expect(taken.task.claim?.agentId).toBe(rival.id);
    expect((await list({ claimedBy: 'rival' })).items).toHaveLength(1);
    await expect(call(submitTask, { claim: claim.id }, { as: coder })).rejects.toMatchObject({
      code: 'claim_lost',
    });
  });

  it('lets a holder whose lease ran out hand in, while the task is free', async () => {
    const { call, create, clock, coder, kernel } = await start();
    const task = await create('one');
    const { claim } = await call(claimTask, { task: task.id }, { as: coder });
    clock.advance(3 * HOUR);
    expect(await effect(kernel, expireLeases)).toEqual(['task.released']);
    expect(await effect(kernel, expireLeases)).toEqual([]);
    const submitted = await call(submitTask, { claim: claim.id, notes: 'done' }, { as: coder });
    expect(submitted).toMatchObject({
      task: { status: 'submitted' },
      claim: { status: 'submitted', notes: 'done' },
    });
  });

  it('named by its task, the claim that was taken back is meant, not a newer one that ran out', async () => {
    const { call, create, clock, coder, rival, judge } = await start();
    const task = await create('one');
    const { claim } = await call(claimTask, { task: task.id }, { as: coder });
    clock.advance(3 * HOUR);
    await call(claimTask, { task: task.id }, { as: rival });
    clock.advance(3 * HOUR);
    await call(submitTask, { claim: claim.id }, { as: coder });
    const approved = await call(reviewTask, { claim: task.handle, verdict: 'approve' }, { as: judge });
    expect(approved).toMatchObject({ task: { status: 'completed' }, claim: { id: claim.id } });
    const again = call(submitTask, { claim: task.handle }, { as: coder });
    await expect(again).rejects.toThrow(/is approved/);
  });

  it('is completed by a maintainer who is neither the claimant nor of the same operator', async () => {
    const { call, create, repoId, owner, coder, rival, judge } = await start();
    const task = await create('one');
    await call(claimTask, { task: task.id }, { as: coder });
    const approve = (as: { id: string }) =>
      call(reviewTask, { claim: task.handle, verdict: 'approve' }, { as });
    await expect(approve(judge)).rejects.toMatchObject({ code: 'wrong_state' });
    await expect(call(submitTask, { claim: task.handle }, { as: rival })).rejects.toMatchObject({
      code: 'not_allowed',
    });
    await call(submitTask, { claim: task.handle }, { as: coder });
    await expect(approve(rival)).rejects.toMatchObject({ code: 'not_allowed' });
    expect(await approve(judge)).toMatchObject({
      task: { status: 'completed', ready: false },
      claim: { status: 'approved', reviewedBy: [judge.id] },
    });

    const own = await create('two');
    await call(claimTask, { task: own.id }, { as: judge });
    await call(submitTask, { claim: own.id }, { as: judge });
    const mine = call(reviewTask, { claim: own.id, verdict: 'approve' }, { as: judge });
    await expect(mine).rejects.toMatchObject({ code: 'not_allowed' });

    const pair = [];
    for (const name of ['acme 1', 'acme 2']) {
      pair.push((await call(registerAgent, { name, operator: 'acme' }, { as: owner })).agent);
      await call(addMaintainer, { repoId, agent: name }, { as: owner });
    }
    const theirs = await create('three');
    await call(claimTask, { task: theirs.id }, { as: pair[0] });
    await call(submitTask, { claim: theirs.id }, { as: pair[0] });
    const friendly = call(reviewTask, { claim: theirs.id, verdict: 'approve' }, { as: pair[1] });
    await expect(friendly).rejects.toMatchObject({ code: 'not_allowed' });
  });

  it('is open again after a rejection, and for another to claim', async () => {
    const { call, create, coder, rival, judge } = await start();
    const task = await create('one');
    await call(claimTask, { task: task.id }, { as: coder });
    await call(submitTask, { claim: task.id }, { as: coder });
    const rejected = await call(
      reviewTask,
      { claim: task.id, verdict: 'reject', notes: 'no tests' },
      { as: judge },
    );
    expect(rejected).toMatchObject({
      task: { status: 'open', ready: true },
      claim: { status: 'rejected', reviewNotes: 'no tests' },
    });
    await call(claimTask, { task: task.id }, { as: rival });
  });

  it('is released when its claim is given up, by the claimant or a maintainer', async () => {
    const { call, create, coder, rival, judge } = await start();
    const task = await create('one');
    for (const as of [coder, judge]) {
      await call(claimTask, { task: task.id }, { as: coder });
      await expect(call(abandonClaim, { claim: task.id }, { as: rival })).rejects.toMatchObject({
        code: 'not_allowed',
      });
      const given = await call(abandonClaim, { claim: task.id }, { as });
      expect(given).toMatchObject({
        task: { status: 'open' },
        claim: { status: 'abandoned', leaseUntil: null },
      });
    }
    await expect(call(abandonClaim, { claim: task.id }, { as: coder })).rejects.toMatchObject({
      code: 'wrong_state',
    });
  });

  it('waits for what it depends on', async () => {
    const { call, create, repoId, coder, judge } = await start();
    const first = await create('first');
    const second = await create('second', { dependsOn: [first.handle], priority: 'critical' });
    expect(second).toMatchObject({ dependsOn: [first.id], waitsFor: [first.id], ready: false });
    await expect(call(claimTask, { task: second.id }, { as: coder })).rejects.toMatchObject({
      code: 'gate_not_met',
    });
    expect((await call(nextTask, { repoId }, { as: coder })).task?.id).toBe(first.id);
    await call(claimTask, { task: first.id }, { as: coder });
    await call(submitTask, { claim: first.id }, { as: coder });
    await call(reviewTask, { claim: first.id, verdict: 'approve' }, { as: judge });
    expect(await call(showTask, { task: second.id }, { as: coder })).toMatchObject({
      waitsFor: [],
      ready: true,
    });
    expect((await call(nextTask, { repoId }, { as: coder })).task?.id).toBe(second.id);
  });

  it('never comes to wait for itself', async () => {
    const { call, create, owner } = await start();
    const a = await create('a');
    const b = await create('b', { dependsOn: [a.id] });
    const c = await create('c', { dependsOn: [b.id] });
    const refused = call(updateTask, { task: a.id, dependsOn: [c.id] }, { as: owner });
    await expect(refused).rejects.toMatchObject({ code: 'conflict' });
    await expect(refused).rejects.toThrow(new RegExp([a, c, b, a].map((t) => t.handle).join(' -> ')));
  });

  it('offers the most urgent first, among those that were named', async () => {
    const { call, create, repoId, coder } = await start();
    const low = await create('low', { priority: 'low' });
    const old = await create('old');
    await create('young');
    const high = await create('high', { priority: 'high' });
    const next = async (among?: string[]) =>
      (await call(nextTask, { repoId, ...(among ? { among } : {}) }, { as: coder })).task?.id;
    expect(await next()).toBe(high.id);
    expect(await next([low.handle, old.handle])).toBe(old.id);
    expect(await next([])).toBeUndefined();
  });

  it('bears a mark while it is blocked', async () => {
    const { call, create, repoId, owner, coder, rival } = await start();
    const task = await create('one');
    await expect(call(blockTask, { task: task.id, reason: 'spite' }, { as: rival })).rejects.toMatchObject({
      code: 'not_allowed',
    });
    expect(await call(blockTask, { task: task.id, reason: 'no key' }, { as: owner })).toMatchObject({
      ready: false,
      blockedReason: 'no key',
    });
    await expect(call(claimTask, { task: task.id }, { as: coder })).rejects.toMatchObject({
      code: 'wrong_state',
    });
    expect((await call(nextTask, { repoId, claim: true }, { as: coder })).task).toBeNull();
    expect(await call(unblockTask, { task: task.id }, { as: owner })).toMatchObject({ ready: true });
    await call(claimTask, { task: task.id }, { as: coder });
    expect(await call(blockTask, { task: task.id, reason: 'mine' }, { as: coder })).toMatchObject({
      status: 'claimed',
    });
  });

  it('is changed and cancelled by its creator or a maintainer', async () => {
    const { call, create, coder, rival, judge } = await start();
    const task = await create('one');
    await expect(call(updateTask, { task: task.id, title: 'x' }, { as: rival })).rejects.toMatchObject({
      code: 'not_allowed',
    });
    expect(
      await call(updateTask, { task: task.id, title: 'new', labels: ['a'] }, { as: judge }),
    ).toMatchObject({ title: 'new', labels: ['a'] });
    await call(claimTask, { task: task.id }, { as: coder });
    await expect(call(cancelTask, { task: task.id }, { as: coder })).rejects.toMatchObject({
      code: 'not_allowed',
    });
    expect(await call(cancelTask, { task: task.id }, { as: judge })).toMatchObject({
      status: 'cancelled',
      claim: null,
    });
    await expect(call(claimTask, { task: task.id }, { as: coder })).rejects.toMatchObject({
      code: 'wrong_state',
    });
    await expect(call(updateTask, { task: task.id, title: 'y' }, { as: judge })).rejects.toMatchObject({
      code: 'wrong_state',
    });
  });

  it('is cancelled when its own time is over, unless it was handed in', async () => {
    const { call, create, clock, coder, kernel } = await start();
    const expiresAt = isoTime(clock.now() + HOUR);
    const idle = await create('idle', { expiresAt });
    const handed = await create('handed in', { expiresAt });
    await call(claimTask, { task: handed.id }, { as: coder });
    await call(submitTask, { claim: handed.id }, { as: coder });
    clock.advance(HOUR);
    expect(await call(showTask, { task: idle.id }, { as: coder })).toMatchObject({ ready: false });
    expect(await effect(kernel, cancelExpiredTasks)).toEqual(['task.cancelled']);
    expect(await call(showTask, { task: idle.id }, { as: coder })).toMatchObject({ status: 'cancelled' });
    expect(await call(showTask, { task: handed.id }, { as: coder })).toMatchObject({ status: 'submitted' });
  });

  it('bears no label that is given by the program alone, but keeps one that it was given', async () => {
    const { call, create, owner, coder, kernel } = await start();
    for (const label of ['conflict:x', 'evicted:x', 'culprit:x', `for:${coder.id}`]) {
      await expect(create('one', { labels: ['ui', label] })).rejects.toMatchObject({
        code: 'invalid',
        details: { label },
      });
    }
    const { id } = await create('one', { labels: ['ui'] });
    const relabel = (...labels: string[]) => call(updateTask, { task: id, labels }, { as: owner });
    await expect(relabel('conflict:x')).rejects.toMatchObject({ code: 'invalid' });
    await effect(kernel, ({ db }) => updateTaskRow(db, id, { labels: '["conflict:x"]' }));
    expect((await relabel('conflict:x', 'ui')).labels).toEqual(['conflict:x', 'ui']);
  });

  it('with an amount is never ended by a label', async () => {
    const { call, create, repoId, coder, kernel } = await start();
    const [paid, free] = [await create('paid'), await create('free')];
    const labels = '["conflict:x"]';
    await effect(kernel, async ({ db }) => {
      await updateTaskRow(db, paid.id, { labels, amount: 5 });
      await updateTaskRow(db, free.id, { labels });
    });
    const stream = { id: 'x', repo_id: repoId } as StreamRow;
    const label = 'conflict:x';
    expect(await effect(kernel, (ctx) => completeTracked(ctx, { stream, label }))).toEqual([
      'task.completed',
    ]);
    expect(await call(showTask, { task: paid.id }, { as: coder })).toMatchObject({ status: 'open' });
    const again = { title: 'x', description: '', paths: [], createdBy: coder.id, labels: [label], repoId };
    expect(await effect(kernel, (ctx) => openCriticalTask(ctx, again))).toEqual(['task.created']);
  });

  it('is listed by status, label and readiness, page by page', async () => {
    const { call, create, repoId, coder } = await start();
    await create('a', { labels: ['100%'] });
    await create('b', { labels: ['100'] });
    await create('c', { labels: ['1000', 'ü"x'] });
    const list = async (filter: object) => {
      const { items } = await call(listTasks, { repoId, ...filter }, { as: coder });
      return items.map((task) => task.title);
    };
    expect(await list({ label: '100%' })).toEqual(['a']);
    expect(await list({ label: '100' })).toEqual(['b']);
    expect(await list({ label: 'ü"x' })).toEqual(['c']);
    await call(claimTask, { task: 'b' }, { as: coder });
    expect(await list({ ready: true })).toEqual(['a', 'c']);
    expect(await list({ ready: false })).toEqual(['b']);
    expect(await list({ claimedBy: 'coder' })).toEqual(['b']);
    const first = await call(listTasks, { repoId, limit: 2 }, { as: coder });
    const rest = await call(listTasks, { repoId, limit: 2, cursor: first.nextCursor ?? '' }, { as: coder });
    expect([...first.items, ...rest.items].map((task) => task.title)).toEqual(['a', 'b', 'c']);
    expect(rest.nextCursor).toBeNull();
  });
});
