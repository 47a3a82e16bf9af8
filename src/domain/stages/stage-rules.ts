import type { Requirement, Stage } from '../../contract/stages.ts';

export interface StageMetrics {
  contributors: number;
  landedStreams: number;
  maintainers: number;
  councilIsActive: boolean;
}

const ORDER: Stage[] = ['seed', 'growth', 'established', 'mature'];

const NEEDS: Record<Exclude<Stage, 'seed'>, Omit<StageMetrics, 'councilIsActive'> & { council: boolean }> = {
  growth: { contributors: 2, landedStreams: 3, maintainers: 1, council: false },
  established: { contributors: 5, landedStreams: 10, maintainers: 2, council: false },
  mature: { contributors: 10, landedStreams: 25, maintainers: 3, council: true },
};

/** The stage after this one; null after the last. */
export function nextStage(stage: Stage): Stage | null {
  return ORDER[ORDER.indexOf(stage) + 1] ?? null;
}

/** What the next stage asks for, met or not; nothing after the last. */
export function requirementsFor(stage: Stage | null, metrics: StageMetrics): Requirement[] {
  if (stage === null || stage === 'seed') return [];
  const needs = NEEDS[stage];
  const require = (what: Requirement['what'], required: number, current: number): Requirement => ({
    what,
    required,
    current,
    met: current >= required,
  });
  return [
    require('contributors', needs.contributors, metrics.contributors),
    require('landed_streams', needs.landedStreams, metrics.landedStreams),
    require('maintainers', needs.maintainers, metrics.maintainers),
    ...(needs.council ? [require('active_council', 1, metrics.councilIsActive ? 1 : 0)] : []),
  ];
}
