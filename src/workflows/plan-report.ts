import type { PlanFinding } from '../domain/workplans/plan-findings.ts';

/** One thing that fix has changed: in the database, or in a file. */
export type PlanChange =
  | { kind: 'task_created'; task: string; taskId: string; file: string }
  | { kind: 'database'; task: string; taskId: string; from: string; to: string }
  | { kind: 'file'; task: string; taskId: string; file: string; from: string; to: string }
  | { kind: 'id_written'; task: string; taskId: string; file: string };

export interface PlanReport {
  /** The name of the repository. */
  repo: string;
  findings: PlanFinding[];
  changed: PlanChange[];
  /** The commit that was made, if any. */
  committed?: string;
}

/** What a run has found and done so far; its steps add to it. */
export interface FixRun {
  findings: PlanFinding[];
  changed: PlanChange[];
}
