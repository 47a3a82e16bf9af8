import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import { suspendAgent } from '../contract/agents.ts';
import { listEvents } from '../contract/events.ts';
import { archiveRepo, setConfig } from '../contract/repos.ts';
import { claimTask, createTask, listTasks } from '../contract/tasks.ts';
import { agentOperations } from './agents.ts';
import { eventOperations } from './events.ts';
import { forgetReceipts } from './receipts.ts';
import { repoOperations } from './repos.ts';
import { taskOperations } from './tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const all = [...agentOperations, ...repoOperations, ...taskOperations, ...eventOperations];
    const kernel = makeKernel(await makeDatabase(), all);
    const seed = await kernel.seedRepo({ agents: ['coder', 'rival'] });
    const { repoId, owner } = seed;
    const titles = async () => {
      const { items } = await kernel.call(listTasks, { repoId }, { as: owner });
      return items.map((task) => task.title);
    };
    return { ...kernel, ...seed, titles };
  }

  it('answers the same key with the same answer and runs it once', async () => {
    const { call, repoId, coder, titles } = await start();
    const create = () => call(createTask, { repoId, title: 'one' }, { as: coder, key: 'k' });
    const answers = await Promise.all([create(), create(), create()]);
    expect(new Set(answers.map((task) => task.id)).size).toBe(1);
    expect(answers[1]).toEqual(answers[0]);
    expect(await titles()).toEqual(['one']);
    const { items } = await call(listEvents, { repoId, type: 'task.created' }, { as: coder });
    expect(items).toHaveLength(1);
  });

  it('refuses a key that was used for another request', async () => {
    const { call, repoId, coder, titles } = await start();
    const task = await call(createTask, { repoId, title: 'one' }, { as: coder, key: 'k' });
    const other = call(createTask, { repoId, title: 'two' }, { as: coder, key: 'k' });
    await expect(other).rejects.toMatchObject({ code: 'conflict' });
    await expect(call(claimTask, { task: task.id }, { as: coder, key: 'k' })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await titles()).toEqual(['one']);
  });

  it('keeps the keys of one caller apart from those of another', async () => {
    const { call, repoId, coder, rival, titles } = await start();
    await call(createTask, { repoId, title: 'one' }, { as: coder, key: 'k' });
    await call(createTask, { repoId, title: 'two' }, { as: rival, key: 'k' });
    expect(await titles()).toEqual(['one', 'two']);
  });

  it('leaves no receipt of a failure, so that the same key may try again', async () => {
    const { call, clock, repoId, coder, rival } = await start();
    const task = await call(createTask, { repoId, title: 'one' }, { as: coder });
    await call(claimTask, { task: task.id, leaseMs: 60_000 }, { as: rival });
    const claim = () => call(claimTask, { task: task.id }, { as: coder, key: 'k' });
    await expect(claim()).rejects.toMatchObject({ code: 'claim_taken' });
    clock.advance(60_000);
    expect((await claim()).claim.agentId).toBe(coder.id);
  });

  it('still answers from the receipt where the caller may only read by now', async () => {
    const { call, repoId, owner, coder } = await start();
    const create = () => call(createTask, { repoId, title: 'one' }, { as: coder, key: 'k' });
    const first = await create();
    await call(archiveRepo, { repoId }, { as: owner });
    expect(await create()).toEqual(first);
  });

  it('shows a suspended caller no remembered answer', async () => {
    const { call, repoId, owner, coder } = await start();
    const create = () => call(createTask, { repoId, title: 'one' }, { as: coder, key: 'k' });
    await create();
    await call(suspendAgent, { agent: 'coder' }, { as: owner });
    await expect(create()).rejects.toMatchObject({ code: 'not_allowed' });
  });

  it('shows no remembered answer of a repository that has become private', async () => {
    const { call, repoId, owner, coder } = await start();
    const create = () => call(createTask, { repoId, title: 'one' }, { as: coder, key: 'k' });
    await create();
    await call(setConfig, { repoId, changes: { is_private: true } }, { as: owner });
    await expect(create()).rejects.toMatchObject({ code: 'not_allowed' });
  });

  it('forgets receipts that are old enough', async () => {
    const { call, clock, database, repoId, coder, titles } = await start();
    const create = () => call(createTask, { repoId, title: 'one' }, { as: coder, key: 'k' });
    await create();
    const later = new Date(clock.now() + 1).toISOString();
    expect(await database.write((tx) => forgetReceipts(tx, later))).toBe(1);
    await create();
    expect(await titles()).toEqual(['one', 'one']);
  });

  it('says what does not fit in the input, and does nothing', async () => {
    const { call, repoId, coder, titles } = await start();
    const bad = call(createTask, { repoId, title: 'two\nlines' }, { as: coder });
    await expect(bad).rejects.toMatchObject({ code: 'invalid', details: { issues: [{ path: ['title'] }] } });
    const nobody = { id: '00000000-0000-7000-8000-000000000000' };
    await expect(call(createTask, { repoId, title: 'x' }, { as: nobody })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(call(listTasks, { repoId }, { as: nobody })).rejects.toMatchObject({ code: 'not_found' });
    expect(await titles()).toEqual([]);
  });
});
