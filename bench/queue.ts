/**
 * Drives the product's own scheduler through simulated days: `npm run bench:queue`. Every figure of the simulation is
 * decided by its seed; only the step times depend on the machine.
 */
import { atMost, printRows, type Row } from './measure.ts';
import { predictionRows } from './queue-predictions.ts';
import { stepTime } from './queue-steps.ts';
import { type Outcome, simulate, type World } from './queue-world.ts';

const SEEDS = [1, 2, 3, 4, 5];

const day: World = {
  seed: 1,
  streams: 6000,
  arrivals: 4,
  runners: 8,
  areas: 20,
  bad: 0.1,
  clash: 0.02,
  root: 0.03,
  flaky: 0.03,
  incident: 0,
  authors: 12,
};

/** Never without work, one runner, no flakes: what finding the bad ones costs. */
const search: World = {
  ...day,
  streams: 4000,
  arrivals: Number.POSITIVE_INFINITY,
  runners: 1,
  areas: 0,
  clash: 0,
  root: 0,
  flaky: 0,
};

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function p95(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0;
}

const worst = (outcomes: Outcome[], figure: (outcome: Outcome) => number) =>
  Math.max(...outcomes.map(figure));
const perMerged = (runs: number, { merged }: Outcome) => runs / merged;
const goodEvicted = ({ evictedGood, merged }: Outcome) => (100 * evictedGood) / (merged + evictedGood);

function bySeed(world: World): Outcome[] {
  return SEEDS.map((seed) => simulate({ ...world, seed }));
}

function searchRows(): Row[] {
  const outcomes = bySeed(search);
  const withoutConfirming = worst(outcomes, (each) => perMerged(each.runs - each.confirmations, each));
  const withConfirming = worst(outcomes, (each) => perMerged(each.runs, each));
  return [
    atMost('runs for each landed stream, p = 0.1, worst seed', withoutConfirming, 0.58, ''),
    atMost('the same with the confirming runs', withConfirming, 0.7, ''),
  ];
}

function dayRows(): Row[] {
  const rows: Row[] = [];
  const outcomes = bySeed(day);
  for (const [i, outcome] of outcomes.entries()) {
    const measured = [
      `runs ${perMerged(outcome.runs, outcome).toFixed(2)}`,
      `mean ${mean(outcome.waits).toFixed(2)}`,
      `p95 ${p95(outcome.waits).toFixed(2)}`,
      `good evicted ${goodEvicted(outcome).toFixed(2)} %`,
      `bad landed ${outcome.landedBad}`,
    ];
    rows.push({ what: `seed ${SEEDS[i]}`, measured: measured.join(', '), target: '', holds: undefined });
  }
  rows.push(
    atMost(
      'mean time to merge, worst seed',
      worst(outcomes, ({ waits }) => mean(waits)),
      1.5,
      ' CI times',
    ),
    atMost(
      'p95 time to merge, worst seed',
      worst(outcomes, ({ waits }) => p95(waits)),
      4.2,
      ' CI times',
    ),
    atMost('good streams evicted, worst seed', worst(outcomes, goodEvicted), 0.2, ' %'),
    atMost(
      'bad streams landed, all seeds',
      outcomes.reduce((sum, each) => sum + each.landedBad, 0),
      0,
      '',
    ),
  );
  const incidents = bySeed({ ...day, incident: 0.02 });
  rows.push(
    atMost(
      'p95 of incidents, 2 % of all, worst seed',
      worst(incidents, (each) => p95(each.incidentWaits)),
      2.2,
      ' CI times',
    ),
  );
  return rows;
}

/** Other loads, to see where it bends; no targets. */
function loadRows(): Row[] {
  const loads: [string, Partial<World>][] = [
    ['0.7 streams in a CI time, p = 0.1', { arrivals: 0.7 }],
    ['2 streams, p = 0.2', { arrivals: 2, bad: 0.2 }],
    ['4 streams, p = 0.2', { bad: 0.2 }],
    ['6 streams, p = 0.1', { arrivals: 6 }],
    ['6 streams, p = 0.1, no root changes', { arrivals: 6, root: 0 }],
  ];
  return loads.map(([what, change]) => {
    const outcome = simulate({ ...day, ...change, streams: 4000 });
    const runs = perMerged(outcome.runs, outcome).toFixed(2);
    const measured = `runs ${runs}, mean ${mean(outcome.waits).toFixed(2)}, p95 ${p95(outcome.waits).toFixed(2)}`;
    return { what, measured, target: '', holds: undefined };
  });
}

printRows('The cost of the search: a full queue, one runner, no flakes', searchRows());
printRows(
  '4 streams in a CI time, p = 0.1, 3 % flaky runs, 2 % clashes, 3 % root changes, 8 runners',
  dayRows(),
);
printRows('Other loads', loadRows());
printRows('Predictions among 200 open streams, 2,000 files', await predictionRows());
printRows('One step of the scheduler, median', [
  atMost('with 1,000 queued', stepTime(1000), 5, ' ms'),
  atMost('with 10,000 queued', stepTime(10_000), 50, ' ms'),
]);
