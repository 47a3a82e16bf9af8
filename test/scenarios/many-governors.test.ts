import { expect, it } from 'vitest';
import { depositBudget, listBudgetEntries, showBudget } from '../../src/contract/budgets.ts';
import { createCouncil, takeCouncilSeat } from '../../src/contract/councils.ts';
import { listEvents } from '../../src/contract/events.ts';
import { createProposal, showProposal } from '../../src/contract/proposals.ts';
import { addMaintainer, listMaintainers } from '../../src/contract/repos.ts';
import { claimTask, listTasks, submitTask } from '../../src/contract/tasks.ts';
import type { Job } from '../support/drive.ts';
import { driveAtOnce, type Ended } from '../support/driven.ts';
import { startStory } from '../support/story.ts';

const codesOf = (all: Ended[]) =>
  all.map(({ answer, stderr }) => (answer?.ok ? 'ok' : (answer?.code ?? stderr)));
const count = (codes: string[], code: string) => codes.filter((each) => each === code).length;

const call = (as: string, name: string, input: object): { as: string; job: Job } => ({
  as,
  job: { op: 'call', name, input },
});

it('20 processes deposit, withdraw, promise, claim and pay at once, and all sums are right', async () => {
  const agents = Array.from({ length: 5 }, (_, n) => `agent${n}`);
  const story = await startStory({ model: 'guild', agents: [...agents, 'judge'], maintainers: ['judge'] });
  const repoId = await story.repoId();
  await story.ask(depositBudget, { repoId, amount: 300 });
  const paid = await story.task('to be paid', { amount: 100 });
  const wanted = await story.task('to be claimed', { amount: 100 });
  await story.ask(claimTask, { task: paid.id }, 'agent0');
  await story.ask(submitTask, { claim: paid.id }, 'agent0');

  const all = await driveAtOnce(story.dir, [
    // 100 are left: of four promises of 40 and the withdrawals some must be refused.
    ...agents.slice(0, 4).map((name, n) => call(name, 'task.create', { title: `bounty ${n}`, amount: 40 })),
    ...Array.from({ length: 3 }, () => call('Olga', 'budget.withdraw', { amount: 30 })),
    ...Array.from({ length: 3 }, () => call('Olga', 'budget.deposit', { amount: 10 })),
    ...agents.map((name) => call(name, 'task.claim', { task: wanted.id })),
    ...Array.from({ length: 5 }, (_, n) =>
      call(n % 2 ? 'judge' : 'Olga', 'task.review', { claim: paid.id, verdict: 'approve' }),
    ),
  ]);
  const codes = codesOf(all);
  expect(new Set(codes.slice(0, 7))).toEqual(new Set(['ok', 'limited']));
  expect(codes.slice(7, 10)).toEqual(['ok', 'ok', 'ok']);
  expect([count(codes.slice(10, 15), 'ok'), count(codes.slice(10, 15), 'claim_taken')]).toEqual([1, 4]);
  expect([count(codes.slice(15), 'ok'), count(codes.slice(15), 'wrong_state')]).toEqual([1, 4]);

  const budget = await story.ask(showBudget, { repoId });
  const entries = (await story.ask(listBudgetEntries, { repoId, limit: 200 })).items;
  const sum = (type: string) =>
    entries.filter((entry) => entry.type === type).reduce((total, entry) => total + entry.amount, 0);
  expect(budget.available + budget.reserved + budget.paid).toBe(sum('deposit') - sum('withdrawal'));
  expect({ paid: budget.paid, payouts: sum('payout') }).toEqual({ paid: 100, payouts: 100 });
  const open = (await story.ask(listTasks, { repoId, limit: 100 })).items.filter(
    (task) => task.status !== 'completed',
  );
  expect(budget.reserved).toBe(open.reduce((total, task) => total + task.amount, 0));
  expect(entries.map(({ position }) => position)).toEqual(entries.map((_, i) => entries.length - i));
});

it('20 processes vote at once: every vote counts once, and what it decides is done once', async () => {
  const members = Array.from({ length: 10 }, (_, n) => `member${n}`);
  const story = await startStory({ agents: [...members, 'new'] });
  const repoId = await story.repoId();
  await story.ask(createCouncil, { repoId, minMembers: 10, maxMembers: 10, standardQuorum: 6 });
  for (const agent of members) await story.ask(takeCouncilSeat, { repoId, agent });
  const wish = { repoId, type: 'add_maintainer' as const, title: 'help', target: 'new' };
  const { id } = await story.ask(createProposal, wish, 'member0');
  const all = await driveAtOnce(
    story.dir,
    Array.from({ length: 20 }, (_, n) => ({
      as: members[n % 10] ?? '',
      job: { op: 'vote' as const, proposal: id, vote: 'for' as const },
    })),
  );
  expect(new Set(codesOf(all))).toEqual(new Set(['ok', 'wrong_state']));
  const proposal = await story.ask(showProposal, { proposal: id });
  expect(proposal).toMatchObject({ status: 'passed', executed: true, execution: { ok: true } });
  expect(new Set(proposal.votes.map((vote) => vote.agentId)).size).toBe(proposal.votes.length);
  expect(proposal.votesFor).toBe(proposal.votes.length);
  const told = async (type: string) =>
    (await story.ask(listEvents, { repoId, type, limit: 200 })).items.length;
  expect([
    await told('proposal.resolved'),
    await told('proposal.executed'),
    await told('maintainer.added'),
  ]).toEqual([1, 1, 2]);
  const { items } = await story.ask(listMaintainers, { repoId });
  expect(items.map(({ agent }) => agent.name)).toEqual(['Olga', 'new']);
  expect(await story.ask(addMaintainer, { repoId, agent: 'new' })).toMatchObject({ role: 'maintainer' });
});
