import { beforeAll, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { startStory } from '../../test/support/stream-story.ts';
import { SwarmError } from '../contract/errors.ts';
import { createTask, listTasks } from '../contract/tasks.ts';
import type { Database } from '../db/database.ts';
import { localAuthority } from './authority.ts';
import { hashBody } from './execute.ts';
import { isRemembered, remember } from './remember.ts';

forEachDatabase((_kind, makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  it('a route that died after its last write has been done: asked again it answers, and does nothing', async () => {
    const { clock, repoId, author } = await startStory(database, { agents: ['author'] });
    const kernel = { database, clock };
    const authority = localAuthority(kernel, { callerId: author.id });
    const [key, operation, input] = ['k', 'route.of_many', { title: 'x' }];
    const bodyHash = hashBody(operation, input);
    const ends = { operation, bodyHash, answerOf: () => ({ told: 'by the route' }) };
    const told = await authority.call(createTask, { repoId, title: 'x' }, { key, ends });
    expect(told).toEqual({ told: 'by the route' });
    const asked = { actorId: author.id, key, operation, input, recheck: async () => undefined };
    const run = async () => authority.call(createTask, { repoId, title: 'twice' });
    expect(await remember(kernel, asked, run)).toEqual(told);
    // Another server was quicker: the write itself finds the receipt.
    expect(await authority.call(createTask, { repoId, title: 'x' }, { key, ends })).toEqual(told);
    expect((await authority.call(listTasks, { repoId })).items).toHaveLength(1);
    expect(await isRemembered(kernel, { actorId: author.id, key })).toBe(true);
    await expect(remember(kernel, { ...asked, input: { title: 'y' } }, run)).rejects.toMatchObject({
      code: 'conflict',
    });
    const recheck = () => Promise.reject(new SwarmError('not_found', 'gone'));
    await expect(remember(kernel, { ...asked, recheck }, run)).rejects.toMatchObject({ code: 'not_found' });
  });
});
