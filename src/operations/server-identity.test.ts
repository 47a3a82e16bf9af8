import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { CASES, seed, withoutTrace } from '../../test/support/permission-cases.ts';
import { refusedWith } from '../../test/support/stream-story.ts';
import { listAgents } from '../contract/agents.ts';
import { ensureServer } from '../contract/server-admin.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { authenticate } from './authenticate.ts';
import { localAuthority } from './authority.ts';
import { execute } from './execute.ts';
import { operations } from './index.ts';

/** Everything a server may write by itself, whatever it is given. */
const HOUSEWORK = [
  'delivery.record',
  'housekeeping.run_due',
  'merge.end',
  'merge.land',
  'plugin.begin',
  'plugin.finish',
  'promotion.record',
  'push.intend',
  'push.record',
  'stream.record_head',
];

forEachDatabase((_kind, makeDatabase) => {
  it('a server does housekeeping by itself, and is refused everything else that writes', async () => {
    const database = await makeDatabase();
    const seeded = await seed(database);
    const kernel = { database: withoutTrace(database), clock: seeded.clock };
    const { id } = await localAuthority({ database, clock: seeded.clock }, {}).call(ensureServer, {});
    const may = new Set<string>();
    for (const operation of operations.filter(({ kind }) => kind === 'write')) {
      const { name } = operation.endpoint;
      for (const { input } of CASES[name] ?? []) {
        const call = { callerId: id, repoId: seeded.repoId };
        const asked = { repoId: seeded.repoId, ...input(seeded) };
        if ((await refusedWith(execute(kernel, operation, asked, call))) !== 'not_allowed') may.add(name);
      }
    }
    expect([...may].filter((name) => !HOUSEWORK.includes(name))).toEqual([]);
  });

  it('it is one, stands in no list, and no key is its key', async () => {
    const database = await makeDatabase();
    const { clock } = await seed(database);
    const authority = localAuthority({ database, clock }, {});
    const server = await authority.call(ensureServer, {});
    expect(await authority.call(ensureServer, {})).toEqual(server);
    const { items } = await authority.call(listAgents, { limit: 200 });
    expect(items.map((agent) => agent.id)).not.toContain(server.id);
    const apiKey = 'gsw_somebody-gave-it-a-key';
    await database.write((tx) =>
      tx
        .updateTable('agent')
        .set({ api_key_hash: hashApiKey(apiKey) })
        .where('id', '=', server.id)
        .execute(),
    );
    await expect(authenticate({ database, clock }, apiKey)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });
});
