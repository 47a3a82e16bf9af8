import { runDue } from '../contract/housekeeping.ts';
import { cancelExpiredTasks, expireLeases } from '../domain/tasks/task-expiry.ts';
import { openOperation } from './operation.ts';

/** Time decides here, not an actor: whoever looks first carries it out, and nobody gains a choice by it. */
const due = openOperation(runDue, {
  on: 'repo',
  async run(context) {
    return { released: await expireLeases(context), cancelled: await cancelExpiredTasks(context) };
  },
});

export const housekeepingOperations = [due];
