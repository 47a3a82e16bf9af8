import { expect, it } from 'vitest';
import { nextStage, requirementsFor, type StageMetrics } from './stage-rules.ts';

const metrics = (
  contributors: number,
  landedStreams: number,
  maintainers: number,
  councilIsActive = false,
) => ({
  contributors,
  landedStreams,
  maintainers,
  councilIsActive,
});
const unmet = (stage: 'growth' | 'established' | 'mature', has: StageMetrics) =>
  requirementsFor(stage, has)
    .filter((each) => !each.met)
    .map(({ what, current, required }) => `${what} ${current}/${required}`);

it.each([
  ['growth', metrics(2, 3, 1), []],
  ['growth', metrics(1, 2, 0), ['contributors 1/2', 'landed_streams 2/3', 'maintainers 0/1']],
  ['established', metrics(5, 10, 2), []],
  ['established', metrics(4, 10, 2), ['contributors 4/5']],
  ['mature', metrics(10, 25, 3, true), []],
  ['mature', metrics(10, 24, 3), ['landed_streams 24/25', 'active_council 0/1']],
] as const)('%s with %j lacks %j', (stage, has, lacks) => {
  expect(unmet(stage, has)).toEqual(lacks);
});

it('stages follow one another, and nothing follows the last', () => {
  expect(['seed', 'growth', 'established', 'mature'].map((stage) => nextStage(stage as 'seed'))).toEqual([
    'growth',
    'established',
    'mature',
    null,
  ]);
  expect(requirementsFor(null, metrics(0, 0, 0))).toEqual([]);
});
