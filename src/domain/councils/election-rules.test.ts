import fc from 'fast-check';
import { expect, it } from 'vitest';
import { elect, type Runner, whyNoVote } from './election-rules.ts';

const runner = (agentId: string, votes: number, karma = 0, acceptedAt = '2026-01-01'): Runner => ({
  agentId,
  votes,
  karma,
  acceptedAt,
});

it('seats those with the most votes, ties by karma, then by who accepted first', () => {
  const field = [
    runner('late', 2, 5, '2026-01-02'),
    runner('early', 2, 5),
    runner('rich', 2, 9),
    runner('first', 3),
    runner('none', 0, 99),
  ];
  expect(elect(field, 3)).toEqual(['first', 'rich', 'early']);
  expect(elect(field, 9)).toEqual(['first', 'rich', 'early', 'late']);
  expect(elect(field, 0)).toEqual([]);
});

it('nobody with fewer votes is seated before somebody with more, in whatever order they are counted', () => {
  const field = fc.uniqueArray(
    fc.record({
      agentId: fc.string({ minLength: 1, maxLength: 3 }),
      votes: fc.nat(5),
      karma: fc.nat(3),
      acceptedAt: fc.constantFrom('2026-01-01', '2026-01-02'),
    }),
    { selector: (each) => each.agentId, maxLength: 8 },
  );
  fc.assert(
    fc.property(field, fc.nat(8), (runners, seats) => {
      const seated = elect(runners, seats);
      expect(elect(runners.toReversed(), seats)).toEqual(seated);
      expect(seated.length).toBeLessThanOrEqual(seats);
      const votesOf = (id: string) => runners.find((each) => each.agentId === id)?.votes ?? 0;
      const least = Math.min(...seated.map(votesOf));
      for (const { agentId, votes } of runners) if (votes > least) expect(seated).toContain(agentId);
    }),
  );
});

it.each([
  [{ isSeated: true, isMaintainer: false, contributions: 0 }, true],
  [{ isSeated: false, isMaintainer: true, contributions: 0 }, true],
  [{ isSeated: false, isMaintainer: false, contributions: 1 }, true],
  [{ isSeated: false, isMaintainer: false, contributions: 0 }, false],
])('%j may vote: %s', (voter, may) => {
  expect(whyNoVote(voter) === null).toBe(may);
});
