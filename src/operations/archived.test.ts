import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { CASES, type Caller, seed, withoutTrace } from '../../test/support/permission-cases.ts';
import { refusedWith } from '../../test/support/stream-story.ts';
import { archiveRepo } from '../contract/repos.ts';
import { ensureServer } from '../contract/server-admin.ts';
import { localAuthority } from './authority.ts';
import { execute } from './execute.ts';
import { operations } from './index.ts';

/** What an agent does with its own things, and what time or git alone brings about. */
const GOES_ON = [
  'housekeeping.run_due',
  'notification.read',
  'notification.set',
  'key.create',
  'agent.update',
  'agent.rotate_key',
  'agent.register',
  'org.create',
  'repo.report_config',
];
const CHANGING: Caller[] = ['reader', 'writer', 'author', 'maintainer', 'owner'];

forEachDatabase((_kind, makeDatabase) => {
  it('an archived repository is changed by nobody, and agents look after what is their own', async () => {
    const database = await makeDatabase();
    const seeded = await seed(database);
    const { clock, repoId } = seeded;
    const owner = localAuthority({ database, clock }, { repoId, callerId: seeded.idOf('owner') });
    await owner.call(archiveRepo, { repoId });
    const kernel = { database: withoutTrace(database), clock };
    const through = new Set<string>();
    for (const operation of operations.filter(({ kind }) => kind === 'write')) {
      const { name } = operation.endpoint;
      for (const { input } of CASES[name] ?? [])
        for (const caller of CHANGING) {
          const call = { callerId: seeded.idOf(caller), repoId };
          const refusal = await refusedWith(execute(kernel, operation, { repoId, ...input(seeded) }, call));
          if (refusal !== 'not_allowed' && (operation.on !== 'none' || GOES_ON.includes(name)))
            through.add(name);
        }
    }
    expect([...through].sort()).toEqual([...GOES_ON, 'push.intend', 'push.record'].sort());
  });

  it('a server still notes there what has happened', async () => {
    const database = await makeDatabase();
    const seeded = await seed(database);
    const { clock, repoId } = seeded;
    const anyone = localAuthority({ database, clock }, { repoId });
    await anyone.as(seeded.idOf('owner')).call(archiveRepo, { repoId });
    const server = await anyone.call(ensureServer, {});
    const land = operations.find(({ endpoint }) => endpoint.name === 'merge.land');
    if (!land) throw new Error('there is no such operation');
    const input = { merge: seeded.landing, commit: seeded.landed };
    const call = { callerId: server.id, repoId };
    await expect(execute({ database, clock }, land, input, call)).resolves.toMatchObject({
      merge: { state: 'landed' },
    });
  });
});
