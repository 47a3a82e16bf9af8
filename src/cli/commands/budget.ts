import { allPages } from '../../base/all-pages.ts';
import { plainLine } from '../../base/plain-text.ts';
import {
  type Budget,
  type BudgetEntry,
  BudgetEntryType,
  depositBudget,
  listBudgetEntries,
  showBudget,
  withdrawBudget,
} from '../../contract/budgets.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Answer, Command } from '../command.ts';
import { textOption } from '../options.ts';
import { relativeTime } from '../output/hints.ts';
import { pairs, table } from '../output/table.ts';

const show: Command = {
  name: 'budget show',
  summary: 'What is there to pay tasks from.',
  actor: 'reader',
  async run(session) {
    const workflow = await session.workflow();
    return budgetAnswer(await workflow.authority.call(showBudget, { repoId: workflow.repo.id }));
  },
};

const deposit: Command = {
  name: 'budget deposit',
  summary: 'Add credits (owners).',
  args: '<credits>',
  actor: 'named',
  options: [{ flags: '-m, --message <text>', summary: 'where they come from' }],
  examples: ['gitswarm budget deposit 500'],
  async run(session, [credits = ''], options) {
    const workflow = await session.workflow();
    const budget = await workflow.authority.call(depositBudget, {
      repoId: workflow.repo.id,
      amount: creditsOf(credits),
      description: textOption(options, 'message'),
    });
    return { ...budgetAnswer(budget), undo: `gitswarm budget withdraw ${creditsOf(credits)}` };
  },
};

const withdraw: Command = {
  name: 'budget withdraw',
  summary: 'Take credits out that nothing is promised from (owners).',
  args: '<credits>',
  actor: 'named',
  options: [{ flags: '-m, --message <text>', summary: 'what for' }],
  async run(session, [credits = ''], options) {
    const workflow = await session.workflow();
    const budget = await workflow.authority.call(withdrawBudget, {
      repoId: workflow.repo.id,
      amount: creditsOf(credits),
      description: textOption(options, 'message'),
    });
    return { ...budgetAnswer(budget), undo: `gitswarm budget deposit ${creditsOf(credits)}` };
  },
};

const transactions: Command = {
  name: 'budget transactions',
  summary: 'The ledger, newest first.',
  actor: 'reader',
  options: [{ flags: '--type <type>', summary: 'only these', choices: BudgetEntryType.options }],
  async run(session, _args, options) {
    const workflow = await session.workflow();
    const type = textOption(options, 'type') as BudgetEntryType | undefined;
    const entries = await allPages((cursor) =>
      workflow.authority.call(listBudgetEntries, { repoId: workflow.repo.id, type, limit: 200, cursor }),
    );
    const look = { now: workflow.clock.now(), width: session.output.width };
    return {
      data: entries,
      text: () => (entries.length === 0 ? 'Nothing was moved yet.' : ledger(entries, look)),
    };
  },
};

function ledger(entries: BudgetEntry[], look: { now: number; width: number | undefined }): string {
  return table(
    entries,
    [
      { title: 'WHEN', value: (entry) => relativeTime(entry.createdAt, look.now) },
      { title: 'WHAT', value: (entry) => entry.type.replace('_', ' ') },
      { title: 'CREDITS', value: (entry) => String(entry.amount), align: 'right' },
      { title: 'AVAILABLE', value: (entry) => String(entry.availableAfter), align: 'right' },
      { title: 'RESERVED', value: (entry) => String(entry.reservedAfter), align: 'right' },
      { title: 'BY', value: (entry) => plainLine(entry.agentName ?? '-') },
      { title: 'TO', value: (entry) => plainLine(entry.recipientName ?? '-') },
      { title: 'FOR', value: (entry) => plainLine(entry.description), canShrink: true },
    ],
    { width: look.width },
  );
}

function budgetAnswer(budget: Budget): Answer {
  return {
    data: budget,
    text: () =>
      pairs([
        ['available', String(budget.available)],
        ['reserved', String(budget.reserved)],
        ['paid', String(budget.paid)],
        ['most per task', String(budget.maxBountyPerIssue)],
      ]),
  };
}

function creditsOf(text: string): number {
  const credits = Number(text);
  if (Number.isSafeInteger(credits) && credits > 0) return credits;
  throw new SwarmError('usage', `Credits are a whole number above 0, not "${text}".`);
}

export const commands: Command[] = [show, deposit, withdraw, transactions];
