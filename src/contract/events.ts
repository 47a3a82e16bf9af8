import * as z from 'zod';
import { Id, PageInput, page, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/**
 * What has happened, in the order in which it was committed. Feed, sockets, notifications, reactors and sync all read
 * this one log. A member more is the whole of adding an event.
 */
export const EventType = z.enum([
  'repo.created',
  'repo.archived',
  'repo.taken_over',
  'repo.config_changed',
  'repo.config_reported',
  'maintainer.added',
  'maintainer.removed',
  'access.granted',
  'access.revoked',
  'access.trusted',
  'agent.registered',
  'agent.updated',
  'agent.suspended',
  'agent.resumed',
  'agent.key_rotated',
  'agent.key_added',
  'agent.key_revoked',
  'task.created',
  'task.updated',
  'task.claimed',
  'task.submitted',
  'task.completed',
  'task.rejected',
  'task.reopened',
  'task.blocked',
  'task.unblocked',
  'task.released',
  'task.cancelled',
  'stream.created',
  'stream.committed',
  'stream.rewritten',
  'stream.rebased',
  'stream.submitted',
  'stream.conflicted',
  'stream.resolved',
  'stream.paused',
  'stream.resumed',
  'stream.abandoned',
  'stream.reopened',
  'stream.finished',
  'stream.author_added',
  'stream.split',
  'review.blocks_changed',
  'review.submitted',
  'consensus.reached',
  'merge.requested',
  'merge.prepared',
  'merge.landed',
  'merge.conflicted',
  'merge.refused',
  'merge.withdrawn',
  'merge.reverted',
  'merge.forced',
  'queue.paused',
  'queue.resumed',
  'queue.frozen',
  'queue.unfrozen',
  'queue.moved',
  'stabilization.recorded',
  'promotion.recorded',
  'intake.conflicted',
  'karma.changed',
  'operation.undone',
  'plugin.executed',
  'delivery.dead',
  'stage.advanced',
  'org.created',
  'org.changed',
  'branch_rule.changed',
  'budget.deposited',
  'budget.withdrawn',
  'budget.reserved',
  'budget.released',
  'budget.paid',
  'council.created',
  'council.changed',
  'council.activated',
  'council.forming',
  'council.dissolved',
  'council.seated',
  'council.unseated',
  'proposal.created',
  'proposal.voted',
  'proposal.resolved',
  'proposal.withdrawn',
  'proposal.executed',
  'election.started',
  'election.nominated',
  'election.accepted',
  'election.voting_started',
  'election.voted',
  'election.completed',
  'election.cancelled',
]);
export type EventType = z.infer<typeof EventType>;

export const SwarmEvent = z.object({
  id: Id,
  seq: z.number().int(),
  type: EventType,
  repoId: Id.nullable(),
  actorId: Id.nullable(),
  actorName: z.string().nullable(),
  subject: z.object({ type: z.string(), id: z.string() }),
  data: z.record(z.string(), z.unknown()),
  createdAt: Time,
});
export type SwarmEvent = z.infer<typeof SwarmEvent>;

/** Newest first without `after`; oldest first after that cursor with it. */
export const listEvents = endpoint('event.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/activity',
  input: z.object({
    repoId: Id,
    ...PageInput,
    type: z.string().max(100).optional(),
    actor: Ref.optional(),
    /** What it is about: an id, or the handle of a task, stream, merge, proposal or election. */
    subject: Ref.optional(),
    since: Time.optional(),
    after: z.string().max(500).optional(),
  }),
  output: page(SwarmEvent),
}));

/**
 * What happened after a place in the log, of all that the caller may read: for clients that ask now and then instead of
 * following. `cursor` is where to go on, and comes with every answer; `more` says that there is more already.
 */
export const listUpdates = endpoint('event.updates', () => ({
  method: 'GET',
  path: '/updates',
  input: z.object({
    since: z.string().max(500).optional(),
    repoId: Id.optional(),
    limit: z.number().int().min(1).max(200).default(200),
  }),
  output: z.object({ events: z.array(SwarmEvent), cursor: z.string(), more: z.boolean() }),
}));
