import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/tasks.ts';
import type { ClaimRow, TaskRow } from '../db/tables.ts';
import { getAgent } from '../domain/agents/agents-store.ts';
import { payBounty } from '../domain/budgets/budgets-store.ts';
import { handleOf } from '../domain/references/references.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { findLiveClaim, getClaimRow, toClaim, updateClaimRow } from '../domain/tasks/claims-store.ts';
import { beginLease, claimFor, giveUpClaim, markClaimed, releaseIfOver } from '../domain/tasks/leases.ts';
import { claimLost, submit as submitClaim } from '../domain/tasks/task-effects.ts';
import { labelFor } from '../domain/tasks/task-labels.ts';
import { compareNext, isFinal, isLeaseOver, ranOut, whyNotReviewClaim } from '../domain/tasks/task-rules.ts';
import {
  getTaskRow,
  handleOfTask,
  listReadyPlaces,
  toTask,
  updateTaskRow,
} from '../domain/tasks/tasks-store.ts';
import { recordUndoRow } from '../domain/undo/undo-store.ts';
import { type ActingContext, operation } from './operation.ts';
import type { SubjectOf } from './subjects.ts';

/** Claiming again what one holds begins the lease anew. */
const claim = operation(contract.claimTask, {
  on: 'task',
  needs: 'write',
  run: (context, input) => claimNow(context, context.task, input.leaseMs),
});

async function claimNow(context: ActingContext & SubjectOf['repo'], task: TaskRow, leaseMs?: number) {
  const claimed = await claimFor(context, task, { agentId: context.actor.id, leaseMs });
  if (claimed.isNew) {
    await recordUndoRow(context, {
      operation: 'task.claim',
      summary: `claim of ${handleOfTask(task)}`,
      data: { claimId: claimed.claim.id, leaseUntil: claimed.claim.lease_until },
    });
  }
  return answer(context, claimed.task, claimed.claim);
}

async function answer(context: ActingContext, task: TaskRow, row: ClaimRow) {
  return { task: await toTask(context.db, task, context.now), claim: toClaim(row) };
}

const next = operation(contract.nextTask, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, now } = context;
    const among = input.among && new Set<string>();
    for (const ref of input.among ?? []) among?.add(await resolveReference(db, 'task', ref, repo.id));
    const mine = JSON.stringify(labelFor(actor.id));
    const [first] = (await listReadyPlaces(db, { repoId: repo.id, now }))
      .filter((place) => !among || among.has(place.id))
      .map((place) => ({ ...place, mine: place.labels.includes(mine) }))
      .sort(compareNext);
    if (!first) return { task: null, claim: null };
    const task = await getTaskRow(db, first.id);
    if (input.claim) return claimNow(context, task);
    return { task: await toTask(db, task, now), claim: null };
  },
});

/** A holder whose lease ran out may still hand in what it has, as long as nobody else has the task. */
const submit = operation(contract.submitTask, {
  on: 'claim',
  needs: 'claimant',
  async run(context, input) {
    const { db, task } = context;
    const held = ranOut(context.claim) ? await takeBack(context) : context.claim;
    if (held.status !== 'active') throw notLive(task, held, 'submitted');
    const submitted = await submitClaim(context, task, held, input.notes);
    return answer(context, submitted, await getClaimRow(db, held.id));
  },
});

async function takeBack(context: ActingContext & SubjectOf['claim']): Promise<ClaimRow> {
  const { db, task, claim } = context;
  const live = await findLiveClaim(db, task.id);
  if (live && !isLeaseOver(live, context.now)) throw claimLost(task, live);
  if (isFinal(task.status as contract.TaskStatus)) return claim;
  const { task: free } = await releaseIfOver(context, task);
  const again = await beginLease(context, await updateClaimRow(db, claim.id, { status: 'active' }));
  await markClaimed(context, free, again);
  return again;
}

/** An approved submission completes its task; a rejected one opens it again. */
const review = operation(contract.reviewTask, {
  on: 'claim',
  needs: 'maintain',
  async run(context, input) {
    const { db, actor, task, now, emit } = context;
    if (context.claim.status !== 'submitted') throw notLive(task, context.claim, 'reviewed');
    const claimant = await getAgent(db, context.claim.agent_id);
    const why = whyNotReviewClaim(actor, claimant);
    if (why) throw new SwarmError('not_allowed', `${actor.name} may not judge this submission: ${why}.`);
    const approved = input.verdict === 'approve';
    const paid = approved
      ? await payBounty(context, task, { approverId: actor.id, recipientId: claimant.id })
      : 0;
    const judged = await updateClaimRow(db, context.claim.id, {
      status: approved ? 'approved' : 'rejected',
      reviewed_by: JSON.stringify([actor.id]),
      review_notes: input.notes,
      reviewed_at: now,
      payout_amount: paid,
    });
    emit({
      type: approved ? 'task.completed' : 'task.rejected',
      subject: { type: 'task', id: task.id },
      data: {
        title: task.title,
        claimId: judged.id,
        agentId: judged.agent_id,
        reviewedBy: [actor.id],
        paid,
        notes: input.notes,
      },
    });
    const changes = approved
      ? { status: 'completed', completed_at: now, blocked_reason: null }
      : { status: 'open', completed_at: null };
    return answer(context, await updateTaskRow(db, task.id, { ...changes, updated_at: now }), judged);
  },
});

const abandon = operation(contract.abandonClaim, {
  on: 'claim',
  needs: 'claimant_or_maintain',
  async run(context, input) {
    const { db, task, now, emit } = context;
    if (context.claim.status !== 'active' && context.claim.status !== 'submitted') {
      throw notLive(task, context.claim, 'abandoned');
    }
    const given = await giveUpClaim(context, context.claim);
    emit({
      type: 'task.released',
      subject: { type: 'task', id: task.id },
      data: {
        title: task.title,
        claimId: given.id,
        agentId: given.agent_id,
        reason: input.reason ?? 'abandoned',
      },
    });
    return answer(context, await updateTaskRow(db, task.id, { status: 'open', updated_at: now }), given);
  },
});

function notLive(task: TaskRow, row: ClaimRow, tried: string): SwarmError {
  const message = `Claim ${handleOf('claim', row)} on task ${handleOfTask(task)} is ${row.status}: it cannot be ${tried}.`;
  return new SwarmError('wrong_state', message, { details: { status: row.status } });
}

export const claimOperations = [claim, next, submit, review, abandon];
