import { expect, it } from 'vitest';
import { createCouncil, takeCouncilSeat } from '../../src/contract/councils.ts';
import type { InputOf } from '../../src/contract/endpoint.ts';
import { pauseQueue, resumeQueue } from '../../src/contract/merges.ts';
import { createProposal, type Proposal, showProposal } from '../../src/contract/proposals.ts';
import { listAccess, listMaintainers } from '../../src/contract/repos.ts';
import { checkConsensus } from '../../src/contract/reviews.ts';
import { listPromotions } from '../../src/contract/stabilizations.ts';
import { claimTask, showTask } from '../../src/contract/tasks.ts';
import { castVote } from '../../src/workflows/carry-out-proposal.ts';
import { tick } from '../../src/workflows/tick.ts';
import { expectSound } from '../support/invariants.ts';
import { refusal, type Story, type StoryOptions, startStory } from '../support/story.ts';

const SEATED = ['lead', 'ann', 'ben'];

async function governed(options: StoryOptions = {}): Promise<Story> {
  const story = await startStory({
    mode: 'gated',
    model: 'guild',
    stabilize: 'test -f auth.txt && test ! -f broken',
    agents: [...SEATED, 'dev'],
    maintainers: ['lead'],
    ...options,
  });
  const repoId = await story.repoId();
  await story.ask(createCouncil, { repoId, standardQuorum: 2, criticalQuorum: 3 });
  for (const agent of SEATED) await story.ask(takeCouncilSeat, { repoId, agent });
  return story;
}

type Wish = Omit<InputOf<typeof createProposal>, 'repoId' | 'title'>;

async function propose(story: Story, wish: Wish): Promise<Proposal> {
  return story.ask(createProposal, { repoId: await story.repoId(), title: 'decide', ...wish }, 'ann');
}

function vote(story: Story, as: string, proposal: { id: string }, word: 'for' | 'against' = 'for') {
  return story.run(as, (workflow) => castVote(workflow, { proposal: proposal.id, vote: word }));
}

/** Everybody who is needed votes for it; answers what it came to. */
async function decide(story: Story, wish: Wish): Promise<Proposal> {
  let proposal = await propose(story, wish);
  for (const member of SEATED) {
    proposal = await vote(story, member, proposal);
    if (proposal.status !== 'open') break;
  }
  return proposal;
}

it('a decision is carried out though the deciding vote is that of a member who may only read', async () => {
  const story = await governed();
  const work = await story.stream('dev', { 'auth.txt': 'new\n' });
  await story.submit('dev', work);
  await story.judge('lead', work);
  await story.merge('lead', work);
  await story.set('agent_access', 'allowlist');
  const proposal = await propose(story, { type: 'revert_stream', target: work.id });
  for (const member of ['lead', 'ann']) await vote(story, member, proposal);
  expect(await vote(story, 'ben', proposal)).toMatchObject({ executed: true, execution: { ok: true } });
  expect(story.file('buffer', 'auth.txt')).toBeUndefined();
});

it('a council lands what was reviewed and moves the target: tasks, work, review, two votes', async () => {
  const story = await governed();
  const begin = story.oid('main');
  const task = await story.task('Redesign auth', { priority: 'high' });
  await story.ask(claimTask, { task: task.id }, 'dev');
  const work = await story.workspace('dev', { task: task.id });
  await story.commit('dev', work, { 'auth.txt': 'new\n' }, 'Redesign auth');
  await story.submit('dev', work);
  await story.judge('lead', work);
  expect(await story.ask(checkConsensus, { stream: work.id })).toMatchObject({ reached: true });
  // In a gated repository its author may not land it.
  expect(await refusal(story.merge('dev', work))).toMatchObject({ code: 'not_allowed' });

  const landing = await propose(story, { type: 'merge_stream', target: work.id });
  expect(await refusal(vote(story, 'dev', landing))).toMatchObject({ code: 'not_allowed' });
  expect(await vote(story, 'ann', landing)).toMatchObject({ status: 'open', executed: false });
  const landed = await vote(story, 'ben', landing);
  expect(landed).toMatchObject({
    status: 'passed',
    executed: true,
    execution: { ok: true, result: { kind: 'merged', commit: story.oid('buffer') } },
  });
  expect((await story.show(work)).state).toBe('merged');
  expect((await story.ask(showTask, { task: task.id })).status).toBe('completed');

  expect((await story.stabilize('lead')).result).toBe('green');
  expect(story.oid('main')).toBe(begin);
  const release = await propose(story, { type: 'promote' });
  for (const member of SEATED.slice(0, 2)) await vote(story, member, release);
  expect(story.oid('main')).toBe(begin);
  expect(await vote(story, 'ben', release)).toMatchObject({
    executed: true,
    execution: { ok: true, result: { promoted: true, toCommit: story.oid('buffer') } },
  });
  expect(story.oid('main')).toBe(story.oid('buffer'));
  expect(story.file('main', 'auth.txt')).toBe('new\n');
  const { items } = await story.ask(listPromotions, { repoId: await story.repoId() });
  expect(items.map(({ triggeredBy, toCommit }) => ({ triggeredBy, toCommit }))).toEqual([
    { triggeredBy: 'council', toCommit: story.oid('main') },
  ]);
  await expectSound(story);
});

it('a vote is no review: without consensus, or with red tests, nothing lands, and the result says so', async () => {
  const story = await governed();
  const unread = await story.stream('dev', { 'auth.txt': 'new\n' });
  await story.submit('dev', unread);
  expect(await decide(story, { type: 'merge_stream', target: unread.id })).toMatchObject({
    status: 'passed',
    executed: true,
    execution: { ok: false, result: { code: 'gate_not_met' } },
  });
  await story.judge('lead', unread);
  await story.merge('lead', unread);
  const tip = story.oid('buffer');
  const red = await story.stream('dev', { broken: 'yes\n' });
  await story.submit('dev', red);
  await story.judge('lead', red);
  expect(await decide(story, { type: 'merge_stream', target: red.id })).toMatchObject({
    execution: { ok: false, result: { kind: 'evicted' } },
  });
  expect(story.oid('buffer')).toBe(tip);
});

it('what cannot be done yet waits for tick: a landing while the queue is paused', async () => {
  const story = await governed();
  const repoId = await story.repoId();
  const work = await story.stream('dev', { 'auth.txt': 'new\n' });
  await story.submit('dev', work);
  await story.judge('lead', work);
  await story.ask(pauseQueue, { repoId });
  const proposal = await decide(story, { type: 'merge_stream', target: work.id });
  expect(proposal).toMatchObject({ status: 'passed', executed: false });
  await story.run('Olga', (workflow) => tick(workflow));
  expect((await story.ask(showProposal, { proposal: proposal.id })).executed).toBe(false);
  await story.ask(resumeQueue, { repoId });
  const { carriedOut } = await story.run('Olga', (workflow) => tick(workflow));
  expect(carriedOut).toMatchObject([{ id: proposal.id, execution: { ok: true } }]);
  expect((await story.show(work)).state).toBe('merged');
});

it('decides who may what, the settings and the order of the queue, by the same operations as anyone', async () => {
  const story = await governed();
  const repoId = await story.repoId();
  const target = 'dev';
  expect(await decide(story, { type: 'add_maintainer', target })).toMatchObject({ execution: { ok: true } });
  const names = async () =>
    (await story.ask(listMaintainers, { repoId })).items.map(({ agent, role }) => `${agent.name} ${role}`);
  expect(await names()).toEqual(['Olga owner', 'lead maintainer', 'dev maintainer']);
  await decide(story, { type: 'remove_maintainer', target });
  expect(await names()).toEqual(['Olga owner', 'lead maintainer']);
  expect(await decide(story, { type: 'remove_maintainer', target: 'Olga' })).toMatchObject({
    execution: { ok: false, result: { code: 'conflict' } },
  });

  await decide(story, { type: 'modify_access', target, data: { level: 'read' } });
  const grants = async () => (await story.ask(listAccess, { repoId })).items.map(({ level }) => level);
  expect(await grants()).toEqual(['read']);
  await decide(story, { type: 'modify_access', target, data: { level: null } });
  expect(await grants()).toEqual([]);

  const changes = {
    min_reviews: 2,
    'queue.timeout': '10m',
    agent_access: 'allowlist',
    stabilize_command: 'true',
  };
  const set = await decide(story, { type: 'change_settings', data: { changes } });
  expect(set.execution).toMatchObject({ ok: true });
  const { config, settings } = await story.run('Olga', async ({ repo }) => repo);
  expect(config).toMatchObject({ min_reviews: 2, queue: { timeout: 600_000 }, stabilize_command: 'true' });
  expect(settings.agent_access).toBe('allowlist');
  // Whoever owns this machine has not seen the command that the council chose.
  expect(await refusal(story.stabilize())).toMatchObject({ code: 'untrusted_command' });

  const work = await story.stream('lead', { 'auth.txt': 'new\n' });
  expect(
    await decide(story, { type: 'reorder_queue', target: work.id, data: { first: true } }),
  ).toMatchObject({
    execution: { ok: false, result: { code: 'wrong_state' } },
  });
});
