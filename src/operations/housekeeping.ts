import { runDue } from '../contract/housekeeping.ts';
import { endTermsAndVotes } from '../domain/councils/council-effects.ts';
import { findCouncil } from '../domain/councils/councils-store.ts';
import { advanceElection } from '../domain/councils/election-effects.ts';
import { notifyOfEvents } from '../domain/notifications/notify.ts';
import { findClone } from '../domain/repos/clones-store.ts';
import { openConflictTasks } from '../domain/tasks/conflict-task.ts';
import { cancelExpiredTasks, expireLeases } from '../domain/tasks/task-expiry.ts';
import { openOperation } from './operation.ts';

/** Time decides here, not an actor: whoever looks first carries it out, and nobody gains a choice by it. */
const due = openOperation(runDue, {
  on: 'repo',
  async run(context) {
    // In an archived repository nothing is decided any more, by time neither.
    const isActive = context.repo.status === 'active';
    const council = isActive ? await findCouncil(context.db, context.repo.id) : undefined;
    // Who has a checkout meets the conflict there.
    const clone = await findClone(context.db, context.repo.id);
    if (clone?.clone === 'server') await openConflictTasks(context, context.repo.id);
    return {
      released: await expireLeases(context),
      cancelled: await cancelExpiredTasks(context),
      resolved: council ? await endTermsAndVotes(context, council) : 0,
      notified: await notifyOfEvents(context, context.repo),
      elections: council && (await advanceElection(context, council)) ? 1 : 0,
    };
  },
});

export const housekeepingOperations = [due];
