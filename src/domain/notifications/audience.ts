import type { EventType } from '../../contract/events.ts';

/** Whom an event concerns, in relation to what it is about. */
export type Role =
  | 'authors' // of the stream it is about
  | 'reviewers' // who decide about it
  | 'maintainers'
  | 'members' // of the council
  | 'proposer'
  | 'claimant'
  | 'creator' // of the task
  | 'assignee'
  | 'agent' // the event is about this agent
  | 'recipient'
  | 'candidate';

const AUDIENCE: Partial<Record<EventType, Role[]>> = {
  'stream.submitted': ['reviewers'],
  'stream.conflicted': ['authors'],
  'stream.paused': ['authors'],
  'stream.abandoned': ['authors'],
  'stream.split': ['authors'],
  'review.submitted': ['authors'],
  'consensus.reached': ['authors'],
  'merge.landed': ['authors'],
  'merge.conflicted': ['authors'],
  'merge.refused': ['authors'],
  'merge.reverted': ['authors'],
  'merge.forced': ['maintainers'],
  'task.created': ['assignee'],
  'task.submitted': ['creator'],
  'task.completed': ['claimant', 'creator'],
  'task.rejected': ['claimant'],
  'task.reopened': ['claimant'],
  'task.released': ['claimant'],
  'task.cancelled': ['claimant'],
  'stabilization.recorded': ['maintainers'],
  'queue.frozen': ['maintainers'],
  'intake.conflicted': ['maintainers'],
  'budget.paid': ['recipient'],
  'maintainer.added': ['agent'],
  'maintainer.removed': ['agent'],
  'access.granted': ['agent'],
  'access.revoked': ['agent'],
  'agent.suspended': ['agent'],
  'agent.resumed': ['agent'],
  'council.seated': ['agent'],
  'council.unseated': ['agent'],
  'proposal.created': ['members'],
  'proposal.resolved': ['proposer', 'members'],
  'proposal.executed': ['proposer'],
  'election.started': ['members'],
  'election.nominated': ['candidate'],
  'election.voting_started': ['members'],
  'election.completed': ['members'],
  'delivery.dead': ['agent'],
};

/** Whom an event concerns; nobody, for most. A green run is no news. */
export function audienceOf(event: { type: string; data: Record<string, unknown> }): Role[] {
  if (event.type === 'stabilization.recorded' && event.data.result === 'green') return [];
  return AUDIENCE[event.type as EventType] ?? [];
}

/** True where an agent who wants these types wants this one. */
export function wants(patterns: readonly string[], type: string): boolean {
  return patterns.some(
    (pattern) => pattern === '*' || pattern === type || pattern === `${type.split('.')[0]}.*`,
  );
}
