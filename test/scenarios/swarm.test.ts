import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listEvents } from '../../src/contract/events.ts';
import { listMaintainers } from '../../src/contract/repos.ts';
import { listStreams } from '../../src/contract/streams.ts';
import { judgeStream } from '../../src/workflows/review-stream.ts';
import { until, untilNobodyIn } from '../support/process-fixture.ts';
import { criticalReviewer, patient, reviewer, troublemaker, worker } from '../support/swarm-agents.ts';
import { startStory, swarmData } from '../support/swarm-story.ts';

const agents = {
  'worker.mjs': worker,
  'reviewer.mjs': reviewer,
  'critic.mjs': criticalReviewer,
  'trouble.mjs': troublemaker,
  'patient.mjs': patient,
};

test('four agents take twelve tasks to promoted work, through a conflict and a red result', async () => {
  const writes = Array.from({ length: 8 }, (_, i) => `write ${i + 1}`);
  const story = await startStory({ tasks: ['append A', 'append B', 'break once', ...writes], agents });
  const first = (await story.ask('task', 'list')) as { handle: string; title: string }[];
  const before = first.find((task) => task.title === 'append A')?.handle ?? '';
  await story.ask('task', 'create', 'write after A', '--depends-on', before);
  const trusted = [
    '--reviewers',
    '2',
    '--reviewer',
    story.agent('reviewer.mjs', 'mumbles'),
    '--trust-reviewers',
  ];
  const swarm = swarmData(
    await story.swarm('--agents', '4', '--agent', story.agent('worker.mjs'), ...trusted).done,
  );

  expect(swarm.tasks.filter((task) => task.state !== 'done')).toEqual([]);
  expect(swarm).toMatchObject({
    exit: 0,
    totals: { tasks: 12, done: 12 },
    promotion: { promoted: true },
    stopped: 'finished',
  });
  const attempts = new Map(swarm.tasks.map((task) => [task.title, task.attempts]));
  expect((attempts.get('append A') ?? 0) + (attempts.get('append B') ?? 0)).toBe(3);
  expect(attempts.get('break once')).toBe(2);
  expect(attempts.get('write 1')).toBe(1);

  const { fixture } = story;
  const order = fixture
    .git('log', '--format=%s', '--reverse', '--topo-order', '--first-parent', 'main')
    .split('\n');
  expect(order.indexOf('Merge write after A')).toBeGreaterThan(order.indexOf('Merge append A'));
  const list = fixture.git('show', 'main:list.txt').split('\n');
  expect(list.sort()).toEqual(['A', 'B', 'bottom', 'top']);
  expect(fixture.git('show', 'main:work/break-once.txt')).toBe('mended');
  expect(fixture.oid('main')).toBe(fixture.oid('buffer'));
  expect(fixture.git('status', '--porcelain', '--', ':!.gitswarm')).toBe('');
  expect(existsSync(join(story.dir, '.worktrees', 'worker-1'))).toBe(false);

  expect(swarm.trustedReviewers).toEqual(['reviewer-1', 'reviewer-2']);
  await story.within(async ({ authority, repo }) => {
    const { items } = await authority.call(listMaintainers, { repoId: repo.id });
    expect(items.map((each) => each.agent.name)).toEqual(['ana']);
    const added = await authority.call(listEvents, { repoId: repo.id, type: 'maintainer.added' });
    expect(added.items.filter((event) => String(event.data.reason).includes('swarm'))).toHaveLength(2);
    const removed = await authority.call(listEvents, { repoId: repo.id, type: 'maintainer.removed' });
    expect(removed.items).toHaveLength(2);
  });
});

test('agents that hang, crash, lie, wipe, print garbage or fork cannot hang the run, and their work is kept', async () => {
  const story = await startStory({ tasks: ['hang', 'garbage', 'fork', 'crash', 'lie', 'wipe'], agents });
  const swarm = swarmData(
    await story.swarm(
      ...['--agents', '3', '--agent', story.agent('trouble.mjs'), '--idle-timeout', '1'],
      ...['--reviewers', '1', '--reviewer', story.agent('reviewer.mjs'), '--trust-reviewers'],
    ).done,
  );
  const states = Object.fromEntries(swarm.tasks.map((task) => [task.title, task.state]));
  expect(states).toEqual({
    hang: 'given_back',
    garbage: 'done',
    fork: 'done',
    crash: 'given_back',
    lie: 'given_back',
    wipe: 'given_back',
  });
  expect(swarm.exit).toBe(6);
  const pid = Number(readFileSync(join(story.top, 'fork.pid'), 'utf8'));
  await until('what the agent forked is gone', () => !existsSync(`/proc/${pid}`));

  await story.within(async ({ authority, repo }) => {
    const { items } = await authority.call(listStreams, { repoId: repo.id, open: true });
    const kept = items.flatMap((stream) => stream.paths);
    expect(kept.sort()).toEqual(['work/crash.txt', 'work/half.txt']);
  });
  const tasks = (await story.ask('task', 'list', '--status', 'open')) as { title: string }[];
  expect(tasks.map((task) => task.title).sort()).toEqual(['crash', 'hang', 'lie', 'wipe']);
  const logs = await story.run(
    'swarm',
    'logs',
    swarm.tasks.find((task) => task.title === 'lie')?.agent ?? '',
  );
  expect(logs.exit).toBe(0);
});

test('Ctrl-C stops cleanly, and the same swarm goes on with what was begun', async () => {
  const story = await startStory({ mode: 'swarm', tasks: ['one', 'two'], agents });
  const wish = ['--agents', '2', '--agent', story.agent('patient.mjs')];
  const starts = () =>
    existsSync(join(story.top, 'starts')) ? readFileSync(join(story.top, 'starts'), 'utf8') : '';
  const first = story.swarm(...wish);
  await until('both agents are at work', () => starts().split('\n').length === 3);
  first.interrupt();
  const stopped = swarmData(await first.done);
  expect(stopped).toMatchObject({ exit: 130, stopped: 'interrupted', totals: { interrupted: 2 } });

  writeFileSync(join(story.top, 'go'), '');
  const second = swarmData(await story.swarm(...wish).done);
  expect(second).toMatchObject({ exit: 0, totals: { done: 2 } });
  expect(second.tasks.map((task) => task.stream).sort()).toEqual(
    stopped.tasks.map((task) => task.stream).sort(),
  );
  expect(story.fixture.git('show', 'main:work/one.txt')).toBe('begun\nended');
});

test('a buffer that turns red is mended by the agent that broke it, on a stream that brings the change back', async () => {
  const story = await startStory({ mode: 'swarm', tasks: ['land-broken', 'write 1'], agents });
  const swarm = swarmData(await story.swarm('--agents', '2', '--agent', story.agent('worker.mjs')).done);
  expect(swarm.stabilizations.map((run) => run.result)).toEqual(['red', 'green']);
  const [fix] = swarm.tasks.filter((task) => task.title.startsWith('Fix '));
  const [broken] = swarm.tasks.filter((task) => task.title === 'land-broken');
  expect(fix).toMatchObject({ state: 'done', merged: true, agent: broken?.agent });
  expect(swarm).toMatchObject({ exit: 0, promotion: { promoted: true } });
  expect(story.fixture.git('show', 'main:work/broken-once.txt')).toBe('mended');
});

test('a reviewer that asks for changes is answered by the author', async () => {
  const story = await startStory({ mode: 'gated', tasks: ['break it'], agents });
  await story.ask('config', 'set', 'test_before_merge', 'false');
  const swarm = swarmData(
    await story.swarm(
      ...['--agents', '1', '--agent', story.agent('worker.mjs')],
      ...['--reviewer', story.agent('critic.mjs'), '--trust-reviewers'],
    ).done,
  );
  expect(swarm).toMatchObject({ exit: 0, tasks: [{ state: 'done', attempts: 2 }] });
});

test('without reviewers the work waits in review, and goes on after a verdict', async () => {
  const story = await startStory({ model: 'solo', tasks: ['write 1'], agents });
  const wish = ['--agents', '1', '--agent', story.agent('worker.mjs')];
  const first = await story.swarm(...wish).done;
  const waiting = swarmData(first);
  expect(waiting).toMatchObject({ exit: 6, tasks: [{ state: 'in_review', merged: false }] });
  const [task] = waiting.tasks;
  await story.within((workflow) => judgeStream(workflow, { stream: task?.stream ?? '', verdict: 'approve' }));
  const second = swarmData(await story.swarm(...wish).done);
  expect(second).toMatchObject({ exit: 0, tasks: [{ state: 'done', attempts: 0, stream: task?.stream }] });
});

test('a swarm none of whose work could land starts nothing and names what is missing', async () => {
  const story = await startStory({ tasks: ['write 1'], agents });
  const wish = ['--agents', '1', '--agent', story.agent('worker.mjs'), '--reviewers', '1'];
  const refused = await story.swarm(...wish).done;
  expect(refused.exit).toBe(6);
  const { error } = JSON.parse(refused.stdout);
  expect(error).toMatchObject({ code: 'gate_not_met', fix: expect.stringContaining('--trust-reviewers') });
  const plan = await story.swarm(...wish, '--plan').done;
  expect(plan.exit).toBe(6);
  const planned = await story.swarm(...wish, '--trust-reviewers', '--plan').done;
  expect(JSON.parse(planned.stdout).data).toMatchObject({ possible: true, missing: [] });
  const agentsNow = (await story.ask('agent', 'list')) as { name: string }[];
  expect(agentsNow.map((agent) => agent.name)).toEqual(['ana']);
});

test('a swarm whose time is over says so and keeps what was begun', async () => {
  const story = await startStory({ mode: 'swarm', tasks: ['one'], agents });
  const swarm = swarmData(
    await story.swarm('--agents', '1', '--agent', story.agent('patient.mjs'), '--max-minutes', '0.02').done,
  );
  expect(swarm).toMatchObject({
    exit: 8,
    stopped: 'time',
    tasks: [{ state: expect.stringMatching(/interrupted|not_started/) }],
  });
});

test('reviewers trusted by a swarm that was killed are no maintainers after the next command of an owner', async () => {
  const story = await startStory({ tasks: ['one'], agents });
  const wish = ['--agents', '1', '--agent', story.agent('patient.mjs')];
  const swarm = story.swarm(...wish, '--reviewers', '1', '--trust-reviewers');
  await until('the agent is at work', () => existsSync(join(story.top, 'starts')));
  swarm.kill();
  await swarm.done;
  const names = async () =>
    story.within(async ({ authority, repo }) => {
      const { items } = await authority.call(listMaintainers, { repoId: repo.id });
      return items.map((each) => each.agent.name).sort();
    });
  expect(await names()).toEqual(['ana', 'reviewer-1']);
  await story.run('status', '--as', 'worker-1');
  expect(await names()).toEqual(['ana', 'reviewer-1']);
  await story.run('status', '--as', 'ana');
  expect(await names()).toEqual(['ana']);
  // The agent outlived its swarm; it ends when it is let.
  writeFileSync(join(story.top, 'go'), '');
  await untilNobodyIn(join(story.dir, '.worktrees', 'worker-1'));
});
