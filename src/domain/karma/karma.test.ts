import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../../test/support/databases.ts';
import { makeKernel } from '../../../test/support/kernel.ts';
import { isoTime } from '../../base/clock.ts';
import { agentOperations } from '../../operations/agents.ts';
import { repoOperations } from '../../operations/repos.ts';
import { findAgent } from '../agents/agents-store.ts';
import type { NewEvent } from '../events/events-store.ts';
import { karmaChange, landingKarma } from './karma.ts';
import { addKarma, listKarmaEntries } from './karma-store.ts';

it.each([
  [0, 1],
  [9, 1],
  [10, 1],
  [19, 1],
  [20, 2],
  [1005, 100],
])('a landing for a task of %i is worth %i', (amount, karma) => {
  expect(landingKarma(amount)).toBe(karma);
});

it('never takes more than there is', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer(), (total, amount) => {
      const change = karmaChange(total, amount);
      expect(total + change).toBe(Math.max(0, total + amount));
    }),
  );
});

forEachDatabase((_kind, makeDatabase) => {
  it('is at every time the sum of the rows that explain it', async () => {
    const kernel = makeKernel(await makeDatabase(), [...agentOperations, ...repoOperations]);
    const { coder, repoId } = await kernel.seedRepo({ agents: ['coder'] });
    const events: NewEvent[] = [];
    for (const amount of [1, 5, -2, -100, 0, -1, 3]) {
      kernel.clock.advance(1);
      await kernel.database.write((db) =>
        addKarma(
          {
            db,
            clock: kernel.clock,
            now: isoTime(kernel.clock.now()),
            emit: (event) => events.push(event),
          },
          { agentId: coder.id, repoId, amount, reason: 'test', subjectId: null },
        ),
      );
    }
    const rows = await listKarmaEntries(kernel.database.read, { agentId: coder.id, limit: 10 });
    expect(rows.map((row) => row.amount)).toEqual([3, -4, -2, 5, 1]);
    expect((await findAgent(kernel.database.read, coder.id))?.karma).toBe(3);
    expect(events).toHaveLength(5);
  });
});
