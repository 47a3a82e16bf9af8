import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import type { OutputOf } from '../contract/endpoint.ts';
import { listEvents } from '../contract/events.ts';
import { createTask } from '../contract/tasks.ts';
import { agentOperations } from './agents.ts';
import { eventOperations } from './events.ts';
import { repoOperations } from './repos.ts';
import { taskOperations } from './tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const all = [...agentOperations, ...repoOperations, ...eventOperations, ...taskOperations];
    const kernel = makeKernel(await makeDatabase(), all);
    const seed = await kernel.seedRepo({ agents: ['coder'] });
    for (const title of ['one', 'two', 'three']) {
      await kernel.call(createTask, { repoId: seed.repoId, title }, { as: seed.coder });
    }
    return { ...kernel, ...seed };
  }

  it('shows the newest first, page by page to the beginning', async () => {
    const { call, repoId, coder } = await start();
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const page: OutputOf<typeof listEvents> = await call(
        listEvents,
        { repoId, limit: 2, ...(cursor ? { cursor } : {}) },
        { as: coder },
      );
      seen.push(...page.items.map((event) => event.seq));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...seen].sort((a, b) => b - a));
  });

  it('is followed from a cursor, oldest first, until there is nothing new', async () => {
    const { call, repoId, coder } = await start();
    const follow = (after: string) => call(listEvents, { repoId, limit: 5, after }, { as: coder });
    const first = await follow('');
    expect(first.items.map((event) => event.type).slice(0, 2)).toEqual(['repo.created', 'agent.registered']);
    const second = await follow(first.nextCursor ?? '');
    expect(second.items.map((event) => event.data.title)).toEqual(['two', 'three']);
    expect(await follow(second.nextCursor ?? '')).toEqual({ items: [], nextCursor: null });
    expect((await follow(String(first.items[0]?.seq))).items[0]).toEqual(first.items[1]);
    await expect(follow('nonsense')).rejects.toMatchObject({ code: 'invalid' });
  });

  it('names who did what, and can be narrowed to a type or a family', async () => {
    const { call, repoId, coder } = await start();
    const tasks = await call(listEvents, { repoId, type: 'task.*' }, { as: coder });
    expect(tasks.items).toHaveLength(3);
    expect(tasks.items[0]).toMatchObject({
      type: 'task.created',
      repoId,
      actorId: coder.id,
      actorName: 'coder',
      subject: { type: 'task' },
      data: { title: 'three' },
    });
    expect((await call(listEvents, { repoId, type: 'repo.created' }, { as: coder })).items).toHaveLength(1);
  });
});
