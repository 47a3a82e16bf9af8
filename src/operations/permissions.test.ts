import { beforeAll, describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import {
  ALLOWED,
  CALLERS,
  CASES,
  type Seeded,
  seed,
  withoutTrace,
} from '../../test/support/permission-cases.ts';
import { refusedWith, startStory } from '../../test/support/stream-story.ts';
import { addMaintainer, removeMaintainer, setConfig } from '../contract/repos.ts';
import { recordUndo, undo } from '../contract/undo.ts';
import type { Database } from '../db/database.ts';
import { execute } from './execute.ts';
import { operations } from './index.ts';

/** As if an owner had only just made the repository less strict. */
const forged = {
  operation: 'repo.set_config',
  summary: 'x',
  data: { changes: [{ key: 'ownership_model', before: 'open', after: 'guild' }] },
};

const writes = operations.filter((operation) => operation.kind === 'write');

it('knows how to call every operation that writes, and no other', () => {
  expect(Object.keys(CASES).sort()).toEqual(writes.map((operation) => operation.endpoint.name).sort());
});

forEachDatabase((_kind, makeDatabase) => {
  let database: Database;
  let seeded: Seeded;
  beforeAll(async () => {
    database = await makeDatabase();
    seeded = await seed(database);
  });

  it('gives nobody a right by a record of what was never done', async () => {
    const { call, repoId, author } = await startStory(await makeDatabase(), { agents: ['author'] });
    expect(await refusedWith(call(recordUndo, { repoId, ...forged }, { as: author }))).toBe('invalid');
  });

  it('lets one who is no owner any more undo no settings', async () => {
    const { call, repoId, owner, second } = await startStory(await makeDatabase(), { agents: ['second'] });
    await call(addMaintainer, { repoId, agent: 'second', role: 'owner' }, { as: owner });
    await call(setConfig, { repoId, changes: { min_reviews: 2 } }, { as: second });
    await call(removeMaintainer, { repoId, agent: 'second' }, { as: owner });
    expect(await refusedWith(call(undo, { repoId }, { as: second }))).toBe('not_allowed');
  });

  const rows = writes.flatMap((operation) =>
    (CASES[operation.endpoint.name] ?? []).map((each) => {
      const what = each.because ? `${operation.endpoint.name} ${each.because}` : operation.endpoint.name;
      return { what, name: operation.endpoint.name, needs: operation.needs, ...each };
    }),
  );

  describe.each(rows)('$what', ({ name, needs, input, only, code = 'allowed' }) => {
    const allowed = (only ?? ALLOWED[needs]).filter((caller) => ALLOWED[needs].includes(caller));

    it(`is for ${allowed.join(', ') || 'no one'}`, async () => {
      const operation = operations.find((each) => each.endpoint.name === name);
      if (!operation) throw new Error(`there is no ${name}`);
      const kernel = { database: withoutTrace(database), clock: seeded.clock };
      const answers: Record<string, string> = {};
      for (const caller of CALLERS) {
        const call = { callerId: seeded.idOf(caller), repoId: seeded.repoId };
        const asked = { repoId: seeded.repoId, ...input(seeded) };
        answers[caller] = await refusedWith(execute(kernel, operation, asked, call));
      }
      const expected = CALLERS.map((caller) => [caller, allowed.includes(caller) ? code : 'not_allowed']);
      expect(answers).toEqual(Object.fromEntries(expected));
    });
  });
});
