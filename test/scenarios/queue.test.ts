import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freezeQueue, listMerges } from '../../src/contract/merges.ts';
import { listTasks, showTask } from '../../src/contract/tasks.ts';
import { getFlakeCount } from '../../src/machine/verdicts.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import { describeQueue } from '../../src/workflows/queue/describe-queue.ts';
import { revertStream } from '../../src/workflows/revert-stream.ts';
import { Driven } from '../support/driven.ts';
import { expectSound } from '../support/invariants.ts';
import { until } from '../support/process-fixture.ts';
import {
  runProgram,
  type Story,
  type StoryOptions,
  scratch,
  startStory,
  type Work,
} from '../support/story.ts';

/** A repository whose queue tests with this command, in plain processes that may leave marks outside. */
async function startQueue(
  command: string,
  options: StoryOptions & { runners?: number } = {},
): Promise<Story> {
  const { runners = 2, ...rest } = options;
  const story = await startStory({
    model: 'solo',
    agents: ['coder', 'bob', 'eve'],
    stabilize: command,
    ...rest,
  });
  await story.set('sandbox', 'off');
  await story.set('queue.runners', String(runners));
  return story;
}

/** Approved and in the queue; nobody drives it yet. */
async function queued(story: Story, author: string, work: Work): Promise<Work> {
  await story.submit(author, work);
  await story.judge('Olga', work);
  expect(await story.merge(author, work, { wait: false })).toMatchObject({ kind: 'queued' });
  return work;
}

const drive = (story: Story) => story.run('Olga', (workflow) => driveQueue(workflow));

it('a run that is red once and then green throws nobody out, and is remembered as a flake', async () => {
  const mark = join(scratch('flaky'), 'ran');
  const command = `if [ -f ${mark} ]; then exit 0; fi; touch ${mark}; exit 1`;
  const story = await startQueue(command);
  await queued(story, 'coder', await story.stream('coder', { 'src/a.txt': 'a\n' }));
  const run = await drive(story);
  expect(run).toMatchObject({ landed: [{}], evicted: [], runs: 2 });
  expect(story.file('buffer', 'src/a.txt')).toBe('a\n');
  const counts = await story.run('Olga', async ({ machine }) => {
    const row = machine.get<{ command_hash: string }>('select command_hash from flake');
    return getFlakeCount(machine, row?.command_hash ?? '');
  });
  expect(counts).toEqual({ runs: 2, flakes: 1 });
  await expectSound(story);
});

it('of two streams that clash the second leaves, and its author is told with whom and how to see it', async () => {
  const story = await startQueue('! { test -f lib/one.txt && test -f lib/two.txt; }');
  const other = await queued(story, 'eve', await story.stream('eve', { 'lib/zero.txt': '0\n' }));
  const one = await queued(story, 'coder', await story.stream('coder', { 'lib/one.txt': '1\n' }));
  const two = await queued(story, 'bob', await story.stream('bob', { 'lib/two.txt': '2\n' }));
  const run = await drive(story);
  expect(run.landed.map(({ stream }) => stream?.id).sort()).toEqual([other.id, one.id].sort());
  expect(run.evicted).toMatchObject([{ stream: { id: two.id }, packet: { partner: { streamId: one.id } } }]);
  const { reproduce, summary } = run.evicted[0]?.packet ?? { reproduce: '', summary: '' };
  expect(summary).toContain((await story.show(one)).handle);

  // The command alone shows it, in the repository as it is.
  expect(runProgram(['sh', '-c', reproduce], story.dir).code).toBe(1);
  const repoId = await story.repoId();
  const tasks = (await story.ask(listTasks, { repoId, label: 'evicted', limit: 9 })).items;
  expect(tasks).toHaveLength(1);
  expect(tasks[0]?.description).toContain(reproduce);
  expect(tasks[0]?.labels).toContain(`for:${(await story.show(two)).authorId}`);

  // Mended, it lands, and its task is done.
  await story.commit('bob', two, { 'lib/two.txt': undefined, 'lib/other.txt': '2\n' });
  expect((await story.land(two, { author: 'bob', judge: 'Olga' })).kind).toBe('merged');
  expect(await story.ask(showTask, { task: tasks[0]?.id ?? '' })).toMatchObject({ status: 'completed' });
});

it('a child is not thrown out with its parent: it waits for it', async () => {
  const story = await startQueue('test ! -f src/broken');
  const parent = await story.stream('coder', { 'src/broken': 'yes\n' });
  const child = await story.stream('bob', { 'docs/child.txt': 'c\n' }, { dependsOn: parent.id });
  await queued(story, 'coder', parent);
  await queued(story, 'bob', child);
  const run = await drive(story);
  expect(run.evicted.map(({ stream }) => stream?.id)).toEqual([parent.id]);
  expect(run.landed).toEqual([]);
  expect(run.waiting).toMatchObject([
    { stream: { id: child.id }, reason: expect.stringContaining('parent') },
  ]);
  expect((await story.show(child)).state).toBe('queued');
});

it('where the buffer itself is red nobody in the queue is blamed', async () => {
  const story = await startQueue('test ! -f sub/b.txt');
  const work = await queued(story, 'coder', await story.stream('coder', { 'src/a.txt': 'a\n' }));
  await expect(drive(story)).rejects.toMatchObject({ code: 'baseline_red' });
  expect((await story.show(work)).state).toBe('queued');
  expect(
    (await story.ask(listTasks, { repoId: await story.repoId(), label: 'evicted', limit: 9 })).items,
  ).toEqual([]);
});

it('a stack of three lands with one run and one move of the buffer, parents first', async () => {
  const runs = scratch('runs');
  const story = await startQueue(`touch ${runs}/$$`, { runners: 4 });
  const low = await story.stream('coder', { 'src/a.txt': '1\n' });
  const middle = await story.stream('bob', { 'docs/b.txt': '2\n' }, { dependsOn: low.id });
  const top = await story.stream('eve', { 'web/c.txt': '3\n' }, { dependsOn: middle.id });
  await queued(story, 'coder', low);
  await queued(story, 'bob', middle);
  await queued(story, 'eve', top);
  const run = await drive(story);
  expect(run.landed.map(({ stream }) => stream?.id)).toEqual([low.id, middle.id, top.id]);
  expect([run.runs, readdirSync(runs).length]).toEqual([1, 1]);
  const moves = story.git.gitIn(story.dir, 'reflog', 'show', '--format=%H', 'buffer').split('\n');
  expect(moves.slice(0, 2)).toEqual([story.oid('buffer'), run.landed[0]?.landing.bufferBefore]);
  const tested = await story.ask(listMerges, { repoId: await story.repoId(), state: 'landed' });
  const tree = story.oid('buffer^{tree}');
  expect(tested.items.map(({ testedTree }) => testedTree)).toEqual([tree, tree, tree]);
  await expectSound(story);
});

it('a stream that silently takes back what another landed is refused before any run, unless it says so', async () => {
  const story = await startQueue('true');
  const landed = await queued(
    story,
    'coder',
    await story.stream('coder', { 'sub/b.txt': 'better\n', 'sub/new.txt': 'n\n' }),
  );
  expect((await drive(story)).landed.map(({ stream }) => stream?.id)).toEqual([landed.id]);
  // The files of an old checkout, committed on the new base, with some work of its own.
  const stale = await story.workspace('bob');
  await story.commit(
    'bob',
    stale,
    { 'sub/b.txt': 'b\n', 'sub/new.txt': undefined, 'sub/own.txt': 'o\n' },
    'Add own',
  );
  await queued(story, 'bob', stale);
  const run = await drive(story);
  expect(run).toMatchObject({
    landed: [],
    runs: 0,
    refused: [{ stream: { id: stale.id }, error: { code: 'gate_not_met' } }],
  });
  expect(run.refused[0]?.error.message).toContain('sub/b.txt');
  await story.commit('bob', stale, { 'sub/own.txt': 'more\n' }, 'Revert the change of b: it was wrong');
  await queued(story, 'bob', stale);
  expect((await drive(story)).landed.map(({ stream }) => stream?.id)).toEqual([stale.id]);
});

it('of two that clash as text the first lands and the second keeps its work, though both were to be tested together', async () => {
  const story = await startQueue('true', { runners: 1 });
  const one = await queued(story, 'coder', await story.stream('coder', { 'sub/b.txt': 'coder\n' }));
  const two = await queued(story, 'bob', await story.stream('bob', { 'sub/b.txt': 'bob\n' }));
  const run = await drive(story);
  expect(run.landed.map(({ stream }) => stream?.id)).toEqual([one.id]);
  expect(run.conflicted).toMatchObject([{ stream: { id: two.id }, files: [{ path: 'sub/b.txt' }] }]);
  expect((await story.show(two)).state).toBe('conflicted');
  await expectSound(story);
});

it('streams of different lanes are tested at the same time', async () => {
  const marks = scratch('marks');
  const both = `touch ${marks}/$$; for i in $(seq 300); do [ $(ls ${marks} | wc -l) -ge 2 ] && exit 0; sleep 0.1; done; exit 1`;
  const story = await startQueue(both);
  await queued(story, 'coder', await story.stream('coder', { 'src/a.txt': 'a\n' }));
  await queued(story, 'bob', await story.stream('bob', { 'docs/b.txt': 'b\n' }));
  expect(await drive(story)).toMatchObject({ landed: [{}, {}], runs: 2 });
  await expectSound(story);
});

it('the queue tells of each stream its lane, what is tested with it, and what it waits for', async () => {
  const story = await startQueue('true', { runners: 1 });
  const one = await queued(story, 'coder', await story.stream('coder', { 'src/a.txt': 'a\n' }));
  const two = await queued(story, 'bob', await story.stream('bob', { 'src/b.txt': 'b\n' }));
  await queued(story, 'eve', await story.stream('eve', { 'docs/c.txt': 'c\n' }));
  await queued(story, 'eve', await story.stream('eve', { 'package.json': '{}\n' }));
  const handle = (await story.show(one)).handle;
  const { items } = await story.run(null, (workflow) => describeQueue(workflow));
  expect(items.map(({ lane }) => lane)).toEqual([1, 1, 2, null]);
  expect(items[1]).toMatchObject({
    stream: { id: two.id },
    phase: 'queued',
    waitsFor: [`behind ${handle} in its lane`],
  });
  expect(items[1]?.laneMates).toContain(handle);
  expect(items[2]?.laneMates).not.toContain(handle);
});

it('an incident is tested and lands before everything that was queued earlier', async () => {
  const story = await startQueue('true', { runners: 1 });
  const early = await queued(story, 'coder', await story.stream('coder', { 'src/a.txt': 'a\n' }));
  const same = await queued(story, 'bob', await story.stream('bob', { 'src/b.txt': 'b\n' }));
  const task = await story.task('Put the fire out', { priority: 'critical', labels: ['fix'] });
  const fire = await story.workspace('eve', { task: task.id });
  await story.commit('eve', fire, { 'src/fire.txt': 'out\n' });
  await queued(story, 'eve', fire);
  const run = await drive(story);
  expect(run.landed.map(({ stream }) => stream?.id)).toEqual([fire.id, early.id, same.id]);
});

it('a freeze lets the declared fix land, and the rest in its order when it ends', async () => {
  const story = await startQueue('true');
  const held = await queued(story, 'coder', await story.stream('coder', { 'src/a.txt': 'a\n' }));
  const task = await story.task('Mend', { labels: ['fix'] });
  const fix = await story.workspace('bob', { task: task.id });
  await story.commit('bob', fix, { 'src/b.txt': 'b\n' });
  await queued(story, 'bob', fix);
  const repoId = await story.repoId();
  await story.ask(freezeQueue, { repoId, reason: 'red' });
  const run = await drive(story);
  expect(run.landed.map(({ stream }) => stream?.id)).toEqual([fix.id]);
  expect(run.waiting).toMatchObject([{ stream: { id: held.id }, reason: 'the queue is frozen: red' }]);
});

it('killed in the middle of its runs, the next driver ends what is left of them and lands everything once', async () => {
  const marks = scratch('marks');
  // Runs hang until the test says go.
  const story = await startQueue(
    `touch ${marks}/ran-$$; while [ ! -f ${marks}/go ]; do sleep 0.05; done; touch ${marks}/done-$$`,
  );
  const named = (name: string) => readdirSync(marks).filter((each) => each.startsWith(name)).length;
  const one = await queued(story, 'coder', await story.stream('coder', { 'src/a.txt': 'a\n' }));
  const two = await queued(story, 'bob', await story.stream('bob', { 'docs/b.txt': 'b\n' }));
  const driven = new Driven(story.dir, 'Olga', { op: 'queue' });
  await until('both are being tested', () => named('ran') === 2);
  driven.kill();
  await driven.ended;
  const next = drive(story);
  await until('both are being tested again', () => named('ran') === 4);
  writeFileSync(join(marks, 'go'), '');
  const run = await next;
  expect(run.landed.map(({ stream }) => stream?.id).sort()).toEqual([one.id, two.id].sort());
  expect(named('done')).toBe(2);
  await expectSound(story);
});

it('what came to the buffer in its lane during its run is tested with it before it lands', async () => {
  const marks = scratch('marks');
  const story = await startQueue(
    `test -f src/old.txt || exit 0; touch ${marks}/ran; while [ ! -f ${marks}/go ]; do sleep 0.05; done`,
  );
  await story.set('test_before_merge', 'false');
  const old = await story.stream('coder', { 'src/old.txt': 'old\n' });
  await story.land(old, { author: 'coder', judge: 'Olga' });
  await story.set('test_before_merge', 'true');
  const work = await queued(story, 'bob', await story.stream('bob', { 'src/new.txt': 'new\n' }));
  const running = drive(story);
  await until('it is being tested', () => existsSync(join(marks, 'ran')));
  // A revert waits for no test.
  expect((await story.run('Olga', (workflow) => revertStream(workflow, old.id))).kind).toBe('reverted');
  writeFileSync(join(marks, 'go'), '');
  const run = await running;
  expect(run.landed.map(({ stream }) => stream?.id)).toEqual([work.id]);
  const [landing] = (await story.ask(listMerges, { repoId: await story.repoId(), stream: work.id })).items;
  expect(landing?.testedTree).toBe(story.oid('buffer^{tree}'));
  expect([story.file('buffer', 'src/old.txt'), story.file('buffer', 'src/new.txt')]).toEqual([
    undefined,
    'new\n',
  ]);
  await expectSound(story);
});
