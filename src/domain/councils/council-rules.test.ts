import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CouncilSettings } from '../../contract/councils.ts';
import { effectiveQuorum, statusFor, termEnd, whyNotSeat } from './council-rules.ts';

const settings: CouncilSettings = {
  minKarma: 50,
  minContributions: 3,
  minMembers: 3,
  maxMembers: 5,
  standardQuorum: 3,
  criticalQuorum: 5,
  termLimitMonths: 6,
  electionIntervalDays: 90,
};

it.each([
  [0, 'forming'],
  [2, 'forming'],
  [3, 'active'],
  [9, 'active'],
])('%i of 3 seated is %s', (seated, status) => {
  expect(statusFor(seated, 3)).toBe(status);
});

it.each([
  [3, 3, 3],
  [5, 3, 3],
  [2, 3, 2],
  [1, 3, 2],
  [3, 9, 5],
  [5, 4, 4],
])('a quorum of %i among %i seats is %i', (configured, seated, quorum) => {
  expect(effectiveQuorum(configured, seated)).toBe(quorum);
});

it('a quorum is never more than are seated and always more than half of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (configured, seated) => {
      const quorum = effectiveQuorum(configured, seated);
      expect(quorum).toBeLessThanOrEqual(seated);
      expect(quorum * 2).toBeGreaterThan(seated);
    }),
  );
});

it.each([
  [{ karma: 50, contributions: 3, founding: false, seated: 3 }, null],
  [{ karma: 0, contributions: 0, founding: true, seated: 2 }, null],
  [
    { karma: 49, contributions: 2, founding: false, seated: 3 },
    'a seat asks for 50 karma (has 49) and 3 landed streams (has 2)',
  ],
  [{ karma: 99, contributions: 9, founding: true, seated: 5 }, 'all 5 seats are taken'],
])('a seat for %j', (facts, why) => {
  expect(whyNotSeat({ settings, ...facts })).toBe(why);
});

it.each([
  ['2026-01-31T10:00:00.000Z', 1, '2026-02-28T10:00:00.000Z'],
  ['2026-08-31T23:59:59.999Z', 6, '2027-02-28T23:59:59.999Z'],
  ['2026-03-15T00:00:00.000Z', 12, '2027-03-15T00:00:00.000Z'],
])('a term from %s for %i months ends at %s', (from, months, end) => {
  expect(termEnd(from, months)).toBe(end);
});
