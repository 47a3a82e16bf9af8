import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import { oid } from '../../test/support/stream-story.ts';
import { addMaintainer, getRepo, removeMaintainer, setConfig } from '../contract/repos.ts';
import { createStream } from '../contract/streams.ts';
import { cancelTask, claimTask, createTask, showTask, updateTask } from '../contract/tasks.ts';
import { listUndo, recordUndo, undo } from '../contract/undo.ts';
import { operations } from './index.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const kernel = makeKernel(await makeDatabase(), operations);
    const seed = await kernel.seedRepo({ agents: ['coder', 'rival'] });
    const { repoId, owner } = seed;
    const task = await kernel.call(createTask, { repoId, title: 'one' }, { as: owner });
    const takeBack = (as: { id: string }, record?: string) =>
      kernel.call(undo, { repoId, ...(record ? { record } : {}) }, { as });
    return { ...kernel, ...seed, task, takeBack };
  }

  it('gives a claim back that nothing has happened to', async () => {
    const { call, task, coder, rival, takeBack } = await start();
    await call(claimTask, { task: task.id }, { as: coder });
    const record = await takeBack(coder);
    expect(record).toMatchObject({ operation: 'task.claim', summary: `claim of ${task.handle}` });
    expect(record.undoneAt).not.toBeNull();
    expect(await call(showTask, { task: task.id }, { as: coder })).toMatchObject({
      status: 'open',
      ready: true,
    });
    await call(claimTask, { task: task.id }, { as: rival });
    await expect(takeBack(coder)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('does not undo a claim that has been renewed since', async () => {
    const { call, task, coder, takeBack } = await start();
    await call(claimTask, { task: task.id }, { as: coder });
    await call(claimTask, { task: task.id }, { as: coder });
    await expect(takeBack(coder)).rejects.toMatchObject({ code: 'conflict' });
    expect(await call(showTask, { task: task.id }, { as: coder })).toMatchObject({ status: 'claimed' });
  });

  it('takes back only what the caller did, the last first', async () => {
    const { call, repoId, task, owner, coder, takeBack } = await start();
    const edit = (change: object) => call(updateTask, { task: task.id, ...change }, { as: owner });
    await edit({ title: 'two', labels: ['x'] });
    await edit({ priority: 'high' });
    await expect(takeBack(coder)).rejects.toMatchObject({ code: 'not_found' });
    expect((await call(listUndo, { repoId }, { as: coder })).items).toEqual([]);
    expect((await call(listUndo, { repoId }, { as: owner })).items).toHaveLength(2);
    await takeBack(owner);
    expect(await call(showTask, { task: task.id }, { as: owner })).toMatchObject({
      title: 'two',
      priority: 'medium',
    });
    await takeBack(owner);
    expect(await call(showTask, { task: task.id }, { as: owner })).toMatchObject({
      title: 'one',
      labels: [],
    });
  });

  it('does not undo an edit of a task that is finished, nor one that would have it wait for itself', async () => {
    const { call, repoId, task, owner, takeBack } = await start();
    const other = await call(createTask, { repoId, title: 'other', dependsOn: [] }, { as: owner });
    await call(updateTask, { task: task.id, dependsOn: [other.id] }, { as: owner });
    await call(updateTask, { task: task.id, dependsOn: [] }, { as: owner });
    const [emptied] = (await call(listUndo, { repoId }, { as: owner })).items;
    await call(updateTask, { task: other.id, dependsOn: [task.id] }, { as: owner });
    await expect(takeBack(owner, emptied?.id)).rejects.toThrow(/would wait for itself/);
    await call(cancelTask, { task: task.id }, { as: owner });
    await expect(takeBack(owner, emptied?.id)).rejects.toMatchObject({ code: 'wrong_state' });
  });

  it('does not undo an edit for who may not edit any more', async () => {
    const { call, repoId, task, owner, coder, takeBack } = await start();
    await call(addMaintainer, { repoId, agent: 'coder' }, { as: owner });
    await call(updateTask, { task: task.id, title: 'mine' }, { as: coder });
    await call(removeMaintainer, { repoId, agent: 'coder' }, { as: owner });
    await expect(takeBack(coder)).rejects.toMatchObject({ code: 'not_allowed' });
    expect(await call(showTask, { task: task.id }, { as: owner })).toMatchObject({ title: 'mine' });
  });

  it('does not undo an edit over a later one of the same field', async () => {
    const { call, repoId, task, owner, takeBack } = await start();
    const dependency = await call(createTask, { repoId, title: 'first' }, { as: owner });
    await call(updateTask, { task: task.id, dependsOn: [dependency.id] }, { as: owner });
    await call(updateTask, { task: task.id, dependsOn: [] }, { as: owner });
    const [, older] = (await call(listUndo, { repoId }, { as: owner })).items;
    await expect(takeBack(owner, older?.id)).rejects.toMatchObject({ code: 'conflict' });
    await takeBack(owner);
    expect(await call(showTask, { task: task.id }, { as: owner })).toMatchObject({
      dependsOn: [dependency.id],
    });
    await takeBack(owner, older?.id);
    expect(await call(showTask, { task: task.id }, { as: owner })).toMatchObject({ dependsOn: [] });
  });

  it('puts settings back, each as it was', async () => {
    const { call, repoId, owner, repo, takeBack } = await start();
    const changes = { min_karma: 5, 'queue.timeout': '10m', stabilize_command: 'npm test' };
    await call(setConfig, { repoId, changes }, { as: owner });
    await call(setConfig, { repoId, changes: { min_reviews: 2 } }, { as: owner });
    await takeBack(owner);
    await takeBack(owner, 'repo.set_config');
    expect(await call(getRepo, { repoId }, { as: owner })).toMatchObject({
      config: repo.config,
      settings: repo.settings,
    });
  });

  it('hands a workflow its own record back, with what to do in git', async () => {
    const { call, repoId, coder, takeBack } = await start();
    const data = { branch: 'stream/x', head: 'a'.repeat(40) };
    const made = await call(
      recordUndo,
      { repoId, operation: 'stream.rebase', summary: 'rebase', data },
      { as: coder },
    );
    expect(await takeBack(coder, made.id)).toMatchObject({ id: made.id, data });
    await expect(takeBack(coder, made.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('moves no branch back for one who may not move it any more', async () => {
    const { call, repoId, owner, coder, rival, takeBack } = await start();
    const begin = { repoId, name: 'x', baseBranch: 'buffer', baseCommit: oid('buffer') };
    const { id } = await call(createStream, begin, { as: coder });
    const rebased = async (as: { id: string }, operation: string) => {
      const data = { streamId: id, from: oid('from'), to: oid('to') };
      return call(recordUndo, { repoId, operation, summary: 'it', data }, { as });
    };
    await call(addMaintainer, { repoId, agent: 'rival' }, { as: owner });
    const records = [await rebased(rival, 'stream.rebase'), await rebased(rival, 'stream.resolve')];
    await call(removeMaintainer, { repoId, agent: 'rival' }, { as: owner });
    for (const record of records)
      await expect(takeBack(rival, record.id)).rejects.toMatchObject({ code: 'not_allowed' });
    expect((await call(listUndo, { repoId }, { as: rival })).items.map((each) => each.undoneAt)).toEqual([
      null,
      null,
    ]);
    const own = await rebased(coder, 'stream.rebase');
    expect(await takeBack(coder)).toMatchObject({ id: own.id });
  });

  it('never undoes a landing or a promotion, and says what to do', async () => {
    const { call, repoId, coder, takeBack } = await start();
    await expect(takeBack(coder, 'merge')).rejects.toMatchObject({
      code: 'wrong_state',
      fix: 'gitswarm revert <stream>',
    });
    const record = { repoId, operation: 'promotion.record', summary: 'promotion', data: {} };
    await call(recordUndo, record, { as: coder });
    await expect(takeBack(coder)).rejects.toThrow(/never undone/);
  });
});
