import { runDue } from '../contract/housekeeping.ts';
import { type Repair, recover } from './recover.ts';
import type { Workflow } from './workflow.ts';

export interface TickResult {
  released: number;
  cancelled: number;
  repairs: Repair[];
}

/** Does what is due: releases claims whose lease ran out, cancels expired tasks, mends what a crash left. */
export async function tick(workflow: Workflow): Promise<TickResult> {
  const due = await workflow.authority.call(runDue, { repoId: workflow.repo.id });
  return { ...due, repairs: await recover(workflow) };
}
