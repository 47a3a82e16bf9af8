import * as z from 'zod';
import { Id, PageInput, page, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/**
 * What has happened, in the order in which it was committed. Feed, sockets, notifications, reactors and sync all read
 * this one log. A member more is the whole of adding an event.
 */
export const EventType = z.enum([
  'repo.created',
  'repo.archived',
  'repo.config_changed',
  'repo.config_reported',
  'maintainer.added',
  'maintainer.removed',
  'access.granted',
  'access.revoked',
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
    after: z.string().max(500).optional(),
  }),
  output: page(SwarmEvent),
}));
