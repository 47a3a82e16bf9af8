import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BisectStep, nextBisect, type Verdict } from './bisect.ts';

describe('the search for a culprit', () => {
  test('finds it for any place, any number of runners, within the rounds it promises', () => {
    const input = fc.record({
      landings: fc.integer({ min: 1, max: 60 }),
      runners: fc.integer({ min: 1, max: 5 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(input, ({ landings, runners, seed }) => {
        const culprit = (seed % landings) + 1;
        const verdicts = new Map<number, Verdict>();
        let step: BisectStep = nextBisect({ landings, verdicts, runners });
        let rounds = 0;
        for (; step.kind === 'test'; step = nextBisect({ landings, verdicts, runners })) {
          expect(step.prefixes.length).toBeGreaterThan(0);
          expect(step.prefixes.length).toBeLessThanOrEqual(runners);
          expect(new Set(step.prefixes).size).toBe(step.prefixes.length);
          for (const prefix of step.prefixes) {
            expect(verdicts.has(prefix)).toBe(false);
            verdicts.set(prefix, prefix >= culprit ? 'red' : 'green');
          }
          rounds++;
        }
        expect(step).toEqual({ kind: 'culprit', landing: culprit });
        expect(rounds).toBeLessThanOrEqual(2 + Math.ceil(Math.log(landings) / Math.log(runners + 1)));
      }),
    );
  });

  test('keeps runners busy beside running tests, and knows when nobody is to blame', () => {
    const red = new Map<number, Verdict>([[8, 'red']]);
    expect(nextBisect({ landings: 8, verdicts: red, running: [4], runners: 3 })).toEqual({
      kind: 'test',
      prefixes: [2, 6],
    });
    expect(nextBisect({ landings: 8, verdicts: red, running: [2, 4, 6], runners: 3 })).toEqual({
      kind: 'test',
      prefixes: [],
    });
    expect(nextBisect({ landings: 8, verdicts: new Map([[8, 'green']]), runners: 1 })).toEqual({
      kind: 'green',
    });
    expect(nextBisect({ landings: 0, verdicts: new Map(), runners: 1 })).toEqual({ kind: 'green' });
    expect(nextBisect({ landings: 3, verdicts: new Map([[0, 'red']]), runners: 1 })).toEqual({
      kind: 'baseline_red',
    });
  });
});
