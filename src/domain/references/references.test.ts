import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../../test/support/databases.ts';
import { ManualClock } from '../../base/clock.ts';
import { handleHash, SHORTEST_HANDLE } from '../../base/handles.ts';
import { newId } from '../../base/ids.ts';
import type { Database } from '../../db/database.ts';
import { insertAgent, listAgentRows } from '../agents/agents-store.ts';
import { handleOf, likePrefix, pickReference } from './references.ts';
import { resolveReference } from './references-store.ts';

const candidate = (id: string, handle: string, name: string) => ({ id, handle, handle_length: 4, name });

it('prefers the exact id, then the exact name, then the only beginning', () => {
  const one = candidate('id-one', 'aaaabbbb', 'same');
  const two = candidate('id-two', 'aaaacccc', 'other');
  expect(pickReference('agent', 'id-one', [one, { ...two, name: 'id-one' }])).toBe(one);
  expect(pickReference('agent', 'other', [one, two])).toBe(two);
  expect(pickReference('agent', 'aaaab', [one])).toBe(one);
  expect(() => pickReference('agent', 'aaaa', [])).toThrow(expect.objectContaining({ code: 'not_found' }));
});

it('lists the candidates of what may mean several', () => {
  const both = [candidate('id-one', 'aaaabbbb', 'one'), candidate('id-two', 'aaaacccc', 'two')];
  expect(() => pickReference('task', 'aaaa', both)).toThrow(
    expect.objectContaining({
      code: 'ambiguous',
      details: {
        candidates: [
          { id: 'id-one', handle: 't-aaaa', name: 'one' },
          { id: 'id-two', handle: 't-aaaa', name: 'two' },
        ],
      },
    }),
  );
});

it('takes the signs of a pattern for themselves', () => {
  expect(likePrefix('50%_\\x')).toBe('50\\%\\_\\\\x%');
});

async function addAgent(database: Database, id: string, name: string): Promise<void> {
  const at = '2026-01-01T00:00:00.000Z';
  await database.write((tx) =>
    insertAgent(tx, {
      id,
      name,
      slug: name,
      kind: 'agent',
      description: '',
      api_key_hash: null,
      status: 'active',
      karma: 0,
      role: null,
      operator: null,
      council_id: null,
      created_at: at,
      updated_at: at,
    }),
  );
}

/** Ids whose handles begin alike for at least so many characters; found by trying. */
function idsAlike(howMany: number, length: number): string[] {
  const found = new Map<string, string[]>();
  for (let n = 0; ; n++) {
    const id = newId(0, new Uint8Array([n >> 16, n >> 8, n, 0, 0, 0, 0, 0, 0, 0].map((byte) => byte & 255)));
    const prefix = handleHash(id).slice(0, length);
    const ids = [...(found.get(prefix) ?? []), id];
    if (new Set(ids).size === howMany) return [...new Set(ids)];
    found.set(prefix, ids);
  }
}

forEachDatabase((_kind, makeDatabase) => {
  it('makes handles longer where they would be the same, and keeps them unique', async () => {
    const database = await makeDatabase();
    const alike = idsAlike(3, SHORTEST_HANDLE);
    for (const [n, id] of alike.entries()) await addAgent(database, id, `agent-${n}`);
    const clock = new ManualClock();
    for (let n = 0; n < 200; n++) await addAgent(database, newId(clock.now()), `other-${n}`);
    const rows = await listAgentRows(database.read, { limit: 1000 });
    const handles = rows.map((row) => handleOf('agent', row));
    expect(new Set(handles).size).toBe(rows.length);
    for (const row of rows) {
      expect(await resolveReference(database.read, 'agent', handleOf('agent', row))).toBe(row.id);
      const shorter = handleHash(row.id).slice(0, row.handle_length - 1);
      const sharing = rows.filter((other) => other.handle.startsWith(shorter));
      if (row.handle_length > SHORTEST_HANDLE) expect(sharing.length).toBeGreaterThan(1);
    }
    for (const id of alike)
      expect(handles).toContain(
        handleOf('agent', rows.find((row) => row.id === id) ?? rows[0] ?? { handle: '', handle_length: 4 }),
      );
    const common = handleHash(alike[0] ?? '').slice(0, SHORTEST_HANDLE);
    for (const text of [common, `a-${common}`]) {
      await expect(resolveReference(database.read, 'agent', text)).rejects.toMatchObject({
        code: 'ambiguous',
      });
    }
  });

  it('finds a thing by any text that begins its handle or id, and by nothing shorter than four', async () => {
    const database = await makeDatabase();
    const id = newId(1);
    await addAgent(database, id, 'coder');
    const hash = handleHash(id);
    for (const text of [
      id,
      id.slice(0, 9),
      hash.slice(0, 4),
      `a-${hash.slice(0, 6)}`,
      `A-${hash.toUpperCase()}`,
      'coder',
    ]) {
      expect(await resolveReference(database.read, 'agent', text)).toBe(id);
    }
    for (const text of ['code', 'coderx', hash.slice(0, 3), `t-${hash.slice(0, 4)}`, '%', '____', 'Coder']) {
      await expect(resolveReference(database.read, 'agent', text)).rejects.toMatchObject({
        code: 'not_found',
      });
    }
  });

  it('finds a thing by its exact name, even where many ids begin so', async () => {
    const database = await makeDatabase();
    const ids = Array.from({ length: 30 }, () => newId(Date.parse('2026-01-01')));
    for (const [n, id] of ids.entries()) await addAgent(database, id, `agent-${n}`);
    const name = ids[0]?.slice(0, 8) ?? '';
    const named = 'ffffffff-0000-7000-8000-000000000000';
    await addAgent(database, named, name);
    expect(await resolveReference(database.read, 'agent', name)).toBe(named);
  });

  it('never fails on whatever is typed', async () => {
    const database = await makeDatabase();
    await addAgent(database, newId(1), 'coder');
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, unit: 'grapheme' }), async (text) => {
        const answer = await resolveReference(database.read, 'agent', text).catch((error: unknown) => error);
        if (typeof answer !== 'string') expect(answer).toMatchObject({ code: 'not_found' });
      }),
      { numRuns: 50 },
    );
  });
});
