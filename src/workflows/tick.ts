import { runDue } from '../contract/housekeeping.ts';
import type { Proposal } from '../contract/proposals.ts';
import { carryOutProposals } from './carry-out-proposal.ts';
import { deliverNotifications } from './deliver-notifications.ts';
import { type Repair, recover } from './recover.ts';
import { abandonStaleStreams } from './stale-streams.ts';
import type { Workflow } from './workflow.ts';

export interface TickResult {
  released: number;
  cancelled: number;
  resolved: number;
  elections: number;
  /** What the council had decided and was carried out now. */
  carriedOut: Proposal[];
  /** Handles of streams that nobody worked on for too long and that were abandoned. */
  abandoned: string[];
  notified: number;
  /** Notifications that reached their webhook. */
  delivered: number;
  repairs: Repair[];
}

const NOTHING_DUE = { released: 0, cancelled: 0, resolved: 0, elections: 0, notified: 0 };

/**
 * Does what is due: releases claims whose lease ran out, cancels expired tasks, ends votes and terms, mends what a crash
 * left, carries out what the council has decided, sends notifications.
 */
export async function tick(workflow: Workflow, options: { offline?: boolean } = {}): Promise<TickResult> {
  // Leases, votes, terms and notifications a server looks after by itself; what is done in a clone is left to clones.
  const isServers = workflow.authority.kind === 'server';
  const due = isServers ? NOTHING_DUE : await workflow.authority.call(runDue, { repoId: workflow.repo.id });
  const repairs = await recover(workflow);
  const carriedOut = workflow.actor ? await carryOutProposals(workflow) : [];
  const abandoned = workflow.actor ? await abandonStaleStreams(workflow) : [];
  const allowPrivate = workflow.variables.GITSWARM_ALLOW_PRIVATE_WEBHOOKS === '1';
  const delivered = options.offline || isServers ? 0 : await deliverNotifications(workflow, { allowPrivate });
  return { ...due, repairs, carriedOut, abandoned, delivered };
}
