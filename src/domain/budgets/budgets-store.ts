import { newId } from '../../base/ids.ts';
import type { Budget, BudgetEntry, BudgetEntryType } from '../../contract/budgets.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { EventType } from '../../contract/events.ts';
import type { Db } from '../../db/database.ts';
import type { BudgetEntryRow, RepoRow, TaskRow } from '../../db/tables.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { serverSettings } from '../repos/repos-store.ts';
import { book, type Holdings, NOTHING, whyNotBounty } from './budget-rules.ts';

const EVENTS: Record<BudgetEntryType, EventType> = {
  deposit: 'budget.deposited',
  withdrawal: 'budget.withdrawn',
  bounty_reserve: 'budget.reserved',
  bounty_release: 'budget.released',
  payout: 'budget.paid',
};

export async function findHoldings(db: Db, repoId: string): Promise<Holdings & { entries: number }> {
  const row = await db
    .selectFrom('budget')
    .select(['available', 'reserved', 'paid', 'entries'])
    .where('repo_id', '=', repoId)
    .executeTakeFirst();
  return row ?? { ...NOTHING, entries: 0 };
}

export async function toBudget(db: Db, repo: RepoRow): Promise<Budget> {
  const { available, reserved, paid } = await findHoldings(db, repo.id);
  return {
    repoId: repo.id,
    total: available + reserved,
    available,
    reserved,
    paid,
    maxBountyPerIssue: serverSettings(repo).max_bounty_per_issue,
  };
}

export interface Movement {
  type: BudgetEntryType;
  amount: number;
  description: string;
  agentId: string | null;
  recipientId?: string | null;
  taskId?: string | null;
}

/** Writes one line of the ledger and what is held after it. Throws limited where there is too little. */
export async function bookMovement(ctx: EffectContext, repoId: string, movement: Movement): Promise<void> {
  const { entries, ...holdings } = await findHoldings(ctx.db, repoId);
  const booking = book(holdings, movement.type, movement.amount);
  if (booking.kind === 'refused') {
    const message = `The budget has ${holdings[booking.lacks]} ${booking.lacks}: too little for ${movement.amount}.`;
    throw new SwarmError('limited', message, { fix: 'gitswarm budget show', details: { ...holdings } });
  }
  const held = { ...booking.holdings, entries: entries + 1, updated_at: ctx.now };
  await ctx.db
    .insertInto('budget')
    .values({ repo_id: repoId, ...held, created_at: ctx.now })
    .onConflict((c) => c.column('repo_id').doUpdateSet(held))
    .execute();
  const row: BudgetEntryRow = {
    id: newId(ctx.clock.now()),
    repo_id: repoId,
    position: held.entries,
    type: movement.type,
    amount: movement.amount,
    available_after: booking.holdings.available,
    reserved_after: booking.holdings.reserved,
    description: movement.description,
    agent_id: movement.agentId,
    recipient_id: movement.recipientId ?? null,
    task_id: movement.taskId ?? null,
    created_at: ctx.now,
  };
  await ctx.db.insertInto('budget_entry').values(row).execute();
  ctx.emit({
    type: EVENTS[movement.type],
    subject: movement.taskId ? { type: 'task', id: movement.taskId } : { type: 'repo', id: repoId },
    data: {
      amount: movement.amount,
      available: row.available_after,
      reserved: row.reserved_after,
      recipientId: row.recipient_id,
    },
    repoId,
  });
}

/** Puts aside what a task promises from now on. Throws limited over the budget or over the most that one task may pay. */
export async function reserveBounty(
  ctx: EffectContext,
  repo: RepoRow,
  task: { id: string; title: string; amount: number; promisedBy: string },
): Promise<void> {
  if (task.amount === 0) return;
  const refusal = whyNotBounty(task.amount, await toBudget(ctx.db, repo));
  if (refusal) {
    throw new SwarmError('limited', `A bounty of ${task.amount} cannot be promised: ${refusal.reason}.`, {
      fix: refusal.fix,
    });
  }
  await bookMovement(ctx, repo.id, {
    type: 'bounty_reserve',
    amount: task.amount,
    description: task.title,
    agentId: task.promisedBy,
    taskId: task.id,
  });
}

/** True while the amount of a task is put aside: not for one that promised nothing, nor for one that is settled. */
export async function isReserved(db: Db, task: TaskRow): Promise<boolean> {
  if (task.amount === 0) return false;
  const last = await db
    .selectFrom('budget_entry')
    .select('type')
    .where('task_id', '=', task.id)
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last?.type === 'bounty_reserve';
}

/** Frees what a task that will not be done had put aside. */
export async function releaseBounty(ctx: EffectContext, task: TaskRow, reason: string): Promise<void> {
  if (!(await isReserved(ctx.db, task))) return;
  await bookMovement(ctx, task.repo_id, {
    type: 'bounty_release',
    amount: task.amount,
    description: `${task.title}: ${reason}`,
    agentId: null,
    taskId: task.id,
  });
}

/** Pays a task to the one who did it, once; answers what was paid. */
export async function payBounty(
  ctx: EffectContext,
  task: TaskRow,
  by: { approverId: string; recipientId: string },
): Promise<number> {
  if (!(await isReserved(ctx.db, task))) return 0;
  await bookMovement(ctx, task.repo_id, {
    type: 'payout',
    amount: task.amount,
    description: task.title,
    agentId: by.approverId,
    recipientId: by.recipientId,
    taskId: task.id,
  });
  return task.amount;
}

/** Newest first. */
export async function listEntryRows(
  db: Db,
  filter: { repoId: string; type?: string | undefined; before?: number | undefined; limit: number },
): Promise<BudgetEntryRow[]> {
  let query = db.selectFrom('budget_entry').selectAll().where('repo_id', '=', filter.repoId);
  if (filter.type) query = query.where('type', '=', filter.type);
  if (filter.before !== undefined) query = query.where('position', '<', filter.before);
  return query.orderBy('position', 'desc').limit(filter.limit).execute();
}

export async function toEntries(db: Db, rows: BudgetEntryRow[]): Promise<BudgetEntry[]> {
  const ids = [...new Set(rows.flatMap((row) => [row.agent_id, row.recipient_id]))].filter(
    (id) => id !== null,
  );
  const agents =
    ids.length === 0
      ? []
      : await db.selectFrom('agent').select(['id', 'name']).where('id', 'in', ids).execute();
  const names = new Map(agents.map((agent) => [agent.id, agent.name]));
  return rows.map((row) => ({
    id: row.id,
    position: row.position,
    type: row.type as BudgetEntryType,
    amount: row.amount,
    availableAfter: row.available_after,
    reservedAfter: row.reserved_after,
    description: row.description,
    agentId: row.agent_id,
    agentName: names.get(row.agent_id ?? '') ?? null,
    recipientId: row.recipient_id,
    recipientName: names.get(row.recipient_id ?? '') ?? null,
    taskId: row.task_id,
    createdAt: row.created_at,
  }));
}
