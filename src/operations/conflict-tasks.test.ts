import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, startStory } from '../../test/support/stream-story.ts';
import { runDue } from '../contract/housekeeping.ts';
import { abandonStream, markConflicted } from '../contract/streams.ts';
import { listTasks } from '../contract/tasks.ts';

const HALF_AN_HOUR = 30 * 60_000;

forEachDatabase((_kind, makeDatabase) => {
  async function start({ clone }: { clone: 'server' | 'client' }) {
    const database = await makeDatabase();
    const story = await startStory(database, { agents: ['coder'] });
    const { call, clock, repoId, coder } = story;
    const row = { repo_id: repoId, clone, clone_url: null, created_at: '2026-01-01T00:00:00.000Z' };
    await database.write((tx) => tx.insertInto('repo_clone').values(row).execute());
    const conflicted = async (name: string) => {
      const { id } = await story.stream(coder, name);
      const files = [{ path: `${name}.txt`, kind: 'content' }];
      const conflict = { stream: id, with: 'buffer' as const, onto: oid('other'), files };
      await call(markConflicted, conflict, { as: coder });
      return id;
    };
    const after = async (ms: number) => {
      clock.advance(ms);
      await call(runDue, { repoId });
      return (await call(listTasks, { repoId, label: 'conflict' }, { as: coder })).items;
    };
    return { ...story, conflicted, after };
  }

  it('a conflict that nobody resolves in time becomes one task for the author, done with the resolution', async () => {
    const { coder, conflicted, after, record } = await start({ clone: 'server' });
    const [slow, quick] = [await conflicted('slow'), await conflicted('quick')];
    await record(coder, quick, factsOf('quick resolved'), 'resolved');
    expect(await after(HALF_AN_HOUR - 60_000)).toEqual([]);
    const opened = await after(60_000);
    expect(opened).toMatchObject([
      {
        status: 'open',
        priority: 'high',
        paths: ['slow.txt'],
        labels: expect.arrayContaining([`for:${coder.id}`]),
      },
    ]);
    expect(opened[0]?.description).toMatch(
      new RegExp(`slow\\.txt \\(content\\)[\\s\\S]*/streams/${slow}/resolve`),
    );
    expect(await after(HALF_AN_HOUR)).toHaveLength(1);
    await record(coder, slow, factsOf('slow resolved'), 'resolved');
    expect(await after(HALF_AN_HOUR)).toMatchObject([{ id: opened[0]?.id, status: 'completed' }]);
  });

  it('a stream that is given up needs no resolution, and where there is a checkout none is asked for', async () => {
    const { call, coder, conflicted, after } = await start({ clone: 'server' });
    const id = await conflicted('given up');
    expect(await after(HALF_AN_HOUR)).toMatchObject([{ status: 'open' }]);
    await call(abandonStream, { stream: id }, { as: coder });
    expect(await after(HALF_AN_HOUR)).toMatchObject([{ status: 'cancelled' }]);
    const local = await start({ clone: 'client' });
    await local.conflicted('there');
    expect(await local.after(2 * HALF_AN_HOUR)).toEqual([]);
  });
});
