import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import { newId } from '../base/ids.ts';
import { registerAgent } from '../contract/agents.ts';
import { isSwarmError } from '../contract/errors.ts';
import { addMaintainer } from '../contract/repos.ts';
import {
  abandonClaim,
  blockTask,
  cancelTask,
  claimTask,
  createTask,
  showTask,
  submitTask,
} from '../contract/tasks.ts';
import {
  completeTask,
  linkPlanTasks,
  listPlanTasks,
  type PlanBlock,
  type PlanLink,
  reopenTask,
} from '../contract/workplans.ts';
import { operations } from './index.ts';

const HOUR = 3_600_000;

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (isSwarmError(error)) return error.code;
    throw error;
  }
}

function taskOf(link: PlanLink | undefined) {
  if (link?.kind !== 'linked') throw new Error(`not linked: ${JSON.stringify(link)}`);
  return link.task;
}

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const kernel = makeKernel(await makeDatabase(), operations);
    const seed = await kernel.seedRepo({ agents: ['coder', 'judge'] });
    const { repoId, owner } = seed;
    await kernel.call(addMaintainer, { repoId, agent: 'judge' }, { as: owner });
    const block = (blockId: string, more: Partial<PlanBlock> = {}) => ({
      blockId,
      file: 'workplans/a.md',
      taskId: newId(),
      isWritten: false,
      title: `Do ${blockId}`,
      ...more,
    });
    const link = async (...blocks: ReturnType<typeof block>[]) =>
      (await kernel.call(linkPlanTasks, { repoId, blocks }, { as: owner })).items;
    const list = async () => (await kernel.call(listPlanTasks, { repoId }, { as: owner })).items;
    return { ...kernel, ...seed, block, link, list };
  }

  it('makes the task of a block once, whoever asks how often', async () => {
    const { block, link, list, call, owner } = await start();
    const [first] = await link(block('A', { description: 'At length.', priority: 'high' }));
    expect(first).toMatchObject({
      kind: 'linked',
      isNew: true,
      task: { blockId: 'A', status: 'todo', reached: 'todo' },
    });
    const again = await link(block('A'), block('B'));
    expect(again).toMatchObject([{ isNew: false, task: { taskId: taskOf(first).taskId } }, { isNew: true }]);
    expect((await list()).map((task) => task.blockId)).toEqual(['A', 'B']);
    expect(await call(showTask, { task: taskOf(first).taskId }, { as: owner })).toMatchObject({
      title: 'Do A',
      description: 'At length.',
      priority: 'high',
      status: 'open',
    });
  });

  it('takes over an id that another machine has given', async () => {
    const { block, link, list } = await start();
    const taskId = newId();
    expect(await link(block('A', { taskId, isWritten: true }))).toMatchObject([
      { isNew: true, task: { taskId } },
    ]);
    expect(await link(block('A', { taskId, isWritten: true }))).toMatchObject([
      { isNew: false, task: { taskId } },
    ]);
    // The block was given another id: the task goes with it.
    expect(await link(block('A2', { taskId, isWritten: true }))).toMatchObject([
      { isNew: false, task: { taskId } },
    ]);
    expect((await list()).map((task) => task.blockId)).toEqual(['A2']);
  });

  it('ties a task that was there before', async () => {
    const { block, link, call, owner, repoId } = await start();
    const { id } = await call(createTask, { repoId, title: 'Old', amount: 0 }, { as: owner });
    expect(await link(block('A', { taskId: id, isWritten: true }))).toMatchObject([
      { isNew: false, task: { title: 'Old' } },
    ]);
  });

  it('keeps what a block has, unless it is told that the file is right', async () => {
    const { block, link, list, call, owner, repoId } = await start();
    await link(block('A'));
    const wish = block('A', { isWritten: true });
    expect(await link(wish)).toEqual([{ kind: 'refused', blockId: 'A', reason: 'other_task' }]);
    await call(linkPlanTasks, { repoId, blocks: [wish], replace: true }, { as: owner });
    expect(await list()).toMatchObject([{ blockId: 'A', taskId: wish.taskId }]);
  });

  it('never reaches into another repository', async () => {
    const { block, link, list, call, owner, database } = await start();
    const otherId = newId();
    // As on a server, where one database holds many.
    await database.write(async (tx) => {
      const row = await tx.selectFrom('repo').selectAll().executeTakeFirstOrThrow();
      await tx
        .insertInto('repo')
        .values({ ...row, id: otherId, handle: otherId })
        .execute();
      const seat = await tx
        .selectFrom('maintainer')
        .selectAll()
        .where('role', '=', 'owner')
        .executeTakeFirstOrThrow();
      await tx
        .insertInto('maintainer')
        .values({ ...seat, repo_id: otherId })
        .execute();
    });
    const theirs = block('A');
    const asOther = { as: owner, repoId: otherId };
    await call(linkPlanTasks, { repoId: otherId, blocks: [theirs] }, asOther);
    expect(await link({ ...theirs, isWritten: true })).toEqual([
      { kind: 'refused', blockId: 'A', reason: 'other_repository' },
    ]);
    const [own] = await link(theirs);
    expect(taskOf(own).taskId).not.toBe(theirs.taskId);
    expect(await list()).toHaveLength(1);
    const { items } = await call(listPlanTasks, { repoId: otherId, tasks: [taskOf(own).taskId] }, asOther);
    expect(items).toEqual([]);
  });

  it('shows the status in the words of workplans, leases that are over as released', async () => {
    const { block, link, list, call, coder, judge, clock } = await start();
    const [free, held, marked, handedIn, over] = (
      await link(...['A', 'B', 'C', 'D', 'E'].map((id) => block(id)))
    ).map((each) => taskOf(each).taskId);
    for (const task of [held, marked, handedIn, over])
      await call(claimTask, { task: task ?? '' }, { as: coder });
    await call(blockTask, { task: marked ?? '', reason: 'waits' }, { as: coder });
    await call(submitTask, { claim: handedIn ?? '' }, { as: coder });
    await call(cancelTask, { task: over ?? '' }, { as: judge });
    const seen = async () => Object.fromEntries((await list()).map((task) => [task.taskId, task.status]));
    expect(await seen()).toEqual({
      [free ?? '']: 'todo',
      [held ?? '']: 'in_progress',
      [marked ?? '']: 'blocked',
      [handedIn ?? '']: 'in_progress',
      [over ?? '']: 'cancelled',
    });
    expect((await list()).map((task) => task.holderId)).toEqual([null, coder.id, coder.id, coder.id, null]);
    clock.advance(3 * HOUR);
    expect(await seen()).toMatchObject({ [held ?? '']: 'todo', [handedIn ?? '']: 'in_progress' });
  });

  it('what was reached only rises', async () => {
    const { block, link, list } = await start();
    for (const reached of ['blocked', 'todo', 'done', 'in_progress'] as const)
      await link(block('A', { reached }));
    expect(await list()).toMatchObject([{ reached: 'done' }]);
  });

  it('gives long lists page by page', async () => {
    const { block, link, call, owner, repoId } = await start();
    await link(...Array.from({ length: 25 }, (_, i) => block(`T${String(i).padStart(2, '0')}`)));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await call(listPlanTasks, { repoId, limit: 10, cursor }, { as: owner });
      seen.push(...page.items.map((task) => task.blockId ?? ''));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `T${String(i).padStart(2, '0')}`));
  });

  it('completes by word of a maintainer what is free or their own', async () => {
    const { call, owner, coder, judge, repoId } = await start();
    const create = async () => (await call(createTask, { repoId, title: 'x' }, { as: owner })).id;
    const [free, own, taken, dropped] = [await create(), await create(), await create(), await create()];
    expect(await codeOf(call(completeTask, { task: free }, { as: coder }))).toBe('not_allowed');
    expect(await call(completeTask, { task: free }, { as: judge })).toMatchObject({ status: 'completed' });
    expect(await call(completeTask, { task: free }, { as: judge })).toMatchObject({ status: 'completed' });
    await call(claimTask, { task: own }, { as: judge });
    expect(await call(completeTask, { task: own }, { as: judge })).toMatchObject({
      status: 'completed',
      claim: { status: 'approved', agentId: judge.id },
    });
    const { claim } = await call(claimTask, { task: taken }, { as: coder });
    expect(await codeOf(call(completeTask, { task: taken }, { as: judge }))).toBe('claim_taken');
    await call(abandonClaim, { claim: claim.id }, { as: coder });
    expect(await call(completeTask, { task: taken }, { as: judge })).toMatchObject({ status: 'completed' });
    await call(cancelTask, { task: dropped }, { as: judge });
    expect(await codeOf(call(completeTask, { task: dropped }, { as: judge }))).toBe('wrong_state');
  });

  it('never completes a bounty without its review', async () => {
    const { call, owner, database, repoId } = await start();
    const { id } = await call(createTask, { repoId, title: 'x' }, { as: owner });
    await database.write((tx) => tx.updateTable('task').set({ amount: 5 }).where('id', '=', id).execute());
    expect(await codeOf(call(completeTask, { task: id }, { as: owner }))).toBe('gate_not_met');
    await database.write((tx) =>
      tx.updateTable('task').set({ status: 'completed' }).where('id', '=', id).execute(),
    );
    expect(await codeOf(call(reopenTask, { task: id, reason: 'no' }, { as: owner }))).toBe('wrong_state');
  });

  it('opens again what is over, for maintainers', async () => {
    const { call, owner, coder, repoId } = await start();
    const { id } = await call(createTask, { repoId, title: 'x' }, { as: owner });
    await call(claimTask, { task: id }, { as: owner });
    await call(completeTask, { task: id }, { as: owner });
    expect(await codeOf(call(reopenTask, { task: id, reason: 'no' }, { as: coder }))).toBe('not_allowed');
    expect(await call(reopenTask, { task: id, reason: 'not yet' }, { as: owner })).toMatchObject({
      status: 'open',
      claim: null,
      completedAt: null,
    });
    await call(cancelTask, { task: id }, { as: owner });
    expect(await call(reopenTask, { task: id, reason: 'yes' }, { as: owner })).toMatchObject({
      status: 'open',
    });
    expect(await call(claimTask, { task: id }, { as: coder })).toMatchObject({ task: { status: 'claimed' } });
  });

  it('keeps agents without write access from making tasks of blocks', async () => {
    const { block, call, owner, repoId, database } = await start();
    const { agent } = await call(registerAgent, { name: 'reader' });
    await database.write((tx) =>
      tx.updateTable('repo').set({ settings: '{"agent_access":"allowlist"}' }).execute(),
    );
    const asked = { repoId, blocks: [block('A')] };
    expect(await codeOf(call(linkPlanTasks, asked, { as: agent }))).toBe('not_allowed');
    expect(await codeOf(call(linkPlanTasks, asked, { as: owner }))).toBe('done');
  });
});
