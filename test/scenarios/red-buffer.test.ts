import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listEvents } from '../../src/contract/events.ts';
import { listMerges, listQueue, moveInQueue, requestMerge } from '../../src/contract/merges.ts';
import { listStabilizations } from '../../src/contract/stabilizations.ts';
import { showStream } from '../../src/contract/streams.ts';
import { claimTask, listTasks, showTask } from '../../src/contract/tasks.ts';
import { changeIdOf } from '../../src/git/change-id.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import { measureStream } from '../../src/workflows/facts.ts';
import { refusal, type Story, scratch, startStory, type Work } from '../support/story.ts';

/** Red as soon as a file named `broken` is there; what is tested is the tree, nothing else. */
const NO_BROKEN = 'test ! -f broken';

async function openTasks(story: Story, label: string) {
  return (await story.ask(listTasks, { repoId: await story.repoId(), label, limit: 100 })).items;
}

/** Lands a stream with these files as its author, judged by the owner. */
async function landed(
  story: Story,
  author: string,
  files: Record<string, string>,
  request = {},
): Promise<Work> {
  const work = await story.stream(author, files, request);
  expect((await story.land(work, { author, judge: 'Olga' })).kind).toBe('merged');
  return work;
}

it('the landing that broke the buffer is found among several, reverted alone, and its fix really lands again', async () => {
  const story = await startStory({ model: 'solo', agents: ['coder', 'bob', 'eve'], stabilize: NO_BROKEN });
  await story.set('test_before_merge', 'false');
  const main = story.oid('main');
  expect((await story.stabilize()).result).toBe('green');

  await landed(story, 'bob', { 'one.txt': '1\n' });
  await landed(story, 'bob', { 'two.txt': '2\n' });
  const task = await story.task('Build the bridge');
  await story.ask(claimTask, { task: task.id }, 'coder');
  const culprit = await story.workspace('coder', { task: task.id });
  await story.commit('coder', culprit, { 'bridge.txt': 'bridge\n' }, 'Lay the stones');
  await story.commit('coder', culprit, { broken: 'yes\n' }, 'Break it');
  const changeIds = ownChangeIds(story, culprit.branch);
  const child = await story.stream('eve', { 'rail.txt': 'rail\n' }, { dependsOn: culprit.id });
  await story.land(culprit, { author: 'coder', judge: 'Olga' });
  expect(await story.ask(showTask, { task: task.id })).toMatchObject({ status: 'completed' });
  await landed(story, 'bob', { 'three.txt': '3\n' });
  await landed(story, 'bob', { 'four.txt': '4\n' });
  const red = story.oid('buffer');

  const found = await story.stabilize();
  expect(found).toMatchObject({ result: 'red', commit: red, frozen: false, healed: true });
  expect(found.culprit?.stream?.id).toBe(culprit.id);
  // Exactly the culprit is gone, and the target has seen nothing of it.
  for (const [path, text] of [
    ['one.txt', '1\n'],
    ['two.txt', '2\n'],
    ['three.txt', '3\n'],
    ['four.txt', '4\n'],
  ] as const) {
    expect(story.file('buffer', path)).toBe(text);
  }
  expect([story.file('buffer', 'broken'), story.file('buffer', 'bridge.txt')]).toEqual([
    undefined,
    undefined,
  ]);
  expect(story.oid('main')).toBe(main);
  const repoId = await story.repoId();
  const reverts = await story.ask(listMerges, { repoId, kind: 'revert' });
  expect(reverts.items).toMatchObject([{ state: 'landed' }]);
  expect((await story.show(culprit)).state).toBe('merged');
  expect(await story.ask(showTask, { task: task.id })).toMatchObject({ status: 'open' });
  const fixes = await openTasks(story, 'fix');
  expect(fixes).toMatchObject([{ priority: 'critical', status: 'open', revertOfStreamId: culprit.id }]);
  expect(await story.show(child)).toMatchObject({ state: 'paused', stateReason: 'parent_gone' });
  expect(await refusal(story.commit('eve', child, { 'rail.txt': 'longer\n' }))).toMatchObject({
    code: 'wrong_state',
  });

  // Asked again, nothing more happens: green, no second task, no second revert.
  expect((await story.stabilize()).result).toBe('green');
  expect(await openTasks(story, 'fix')).toHaveLength(1);
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.file('main', 'four.txt')).toBe('4\n');
  expect(story.file('main', 'bridge.txt')).toBeUndefined();

  // The fix begins with the reverted changes, under their own Change-Ids, on today's buffer.
  const fixTask = fixes[0]?.id ?? '';
  await story.ask(claimTask, { task: fixTask }, 'coder');
  const fix = await story.workspace('coder', { task: fixTask });
  expect(await story.show(fix)).toMatchObject({ revertOfStreamId: culprit.id });
  expect(ownChangeIds(story, fix.branch)).toEqual(changeIds);
  expect(readFileSync(join(fix.path, 'bridge.txt'), 'utf8')).toBe('bridge\n');
  expect(existsSync(join(fix.path, 'four.txt'))).toBe(true);
  expect(await story.show(child)).toMatchObject({ parentStreamId: fix.id, state: 'active' });
  await story.commit('coder', fix, { broken: undefined }, 'Mend it');
  expect((await story.land(fix, { author: 'coder', judge: 'Olga' })).kind).toBe('merged');
  expect(story.file('buffer', 'bridge.txt')).toBe('bridge\n');
  expect(story.file('buffer', 'broken')).toBeUndefined();
  expect(await story.ask(showTask, { task: fixTask })).toMatchObject({ status: 'completed' });
  expect(await story.ask(showTask, { task: task.id })).toMatchObject({ status: 'completed' });
  expect((await story.land(child, { author: 'eve', judge: 'Olga' })).kind).toBe('merged');
  expect(story.file('buffer', 'rail.txt')).toBe('rail\n');
  expect((await story.stabilize()).result).toBe('green');
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.file('main', 'bridge.txt')).toBe('bridge\n');
});

it('a landing that was asked for before the last green run, and landed after it, is found all the same', async () => {
  const story = await startStory({ stabilize: NO_BROKEN, agents: ['coder', 'bob'] });
  await story.set('test_before_merge', 'false');
  const early = await story.stream('coder', { broken: 'yes\n' });
  await story.submit('coder', early);
  await story.judge('Olga', early);
  await story.merge('coder', early, { wait: false });
  const first = await story.stream('bob', { 'first.txt': '1\n' });
  await story.submit('bob', first);
  await story.judge('Olga', first);
  const { merge } = await story.run('bob', async (workflow) => {
    const facts = await measureStream(
      workflow,
      await workflow.authority.call(showStream, { stream: first.id }),
    );
    return workflow.authority.call(requestMerge, { stream: first.id, facts });
  });
  await story.ask(moveInQueue, { stream: first.id, first: true });
  await story.run('Olga', (workflow) => driveQueue(workflow, merge.id));
  expect(story.file('buffer', 'broken')).toBeUndefined();
  expect((await story.stabilize()).result).toBe('green');
  await story.run('Olga', (workflow) => driveQueue(workflow));
  expect(story.file('buffer', 'broken')).toBe('yes\n');
  expect((await story.stabilize()).culprit?.stream?.id).toBe(early.id);
  expect(story.file('buffer', 'broken')).toBeUndefined();
});

it('of two culprits each is found in its turn, and one that was taken back hides nobody', async () => {
  const story = await startStory({ stabilize: '! ls | grep broken', agents: ['coder', 'bob', 'eve'] });
  await story.set('test_before_merge', 'false');
  const one = await landed(story, 'coder', { 'broken one': '' });
  const fine = await landed(story, 'eve', { 'fine.txt': 'f\n' });
  const two = await landed(story, 'bob', { 'broken two': '' });
  const first = await story.stabilize();
  expect(first).toMatchObject({ result: 'red', healed: false, culprit: { stream: { id: one.id } } });
  // No green run lies in between: the first culprit is still part of what is searched.
  const second = await story.stabilize();
  expect(second).toMatchObject({ result: 'red', healed: true, culprit: { stream: { id: two.id } } });
  expect((await story.show(fine)).state).toBe('merged');
  expect(story.file('buffer', 'fine.txt')).toBe('f\n');
  expect((await openTasks(story, 'fix')).map((task) => task.revertOfStreamId).sort()).toEqual(
    [one.id, two.id].sort(),
  );
});

it('of sixteen landings the one that broke the buffer is found, taken back and tasked once, with the queue frozen meanwhile', async () => {
  const story = await startStory({ stabilize: 'test ! -f dir11/broken', agents: ['coder', 'bob'] });
  await story.set('test_before_merge', 'false');
  await story.set('queue.runners', '5');
  expect((await story.stabilize()).result).toBe('green');
  const works: Work[] = [];
  for (let n = 0; n < 16; n++) {
    const files = n === 11 ? { [`dir${n}/broken`]: 'yes\n' } : { [`dir${n}/fine.txt`]: 'f\n' };
    works.push(await landed(story, n % 2 === 0 ? 'coder' : 'bob', files));
  }
  const found = await story.stabilize();
  expect(found).toMatchObject({
    result: 'red',
    healed: true,
    frozen: false,
    culprit: { stream: { id: works[11]?.id } },
  });
  expect(found.runs).toBeLessThanOrEqual(14);
  const more = await story.ask(listEvents, { repoId: await story.repoId(), limit: 40 });
  const told = ['queue.frozen', 'merge.reverted', 'queue.unfrozen'];
  expect(
    more.items
      .map(({ type }) => type)
      .filter((type) => told.includes(type))
      .reverse(),
  ).toEqual(told);
  expect(await openTasks(story, 'fix')).toMatchObject([
    { priority: 'critical', revertOfStreamId: works[11]?.id },
  ]);
});

it('where even the last green commit is red on this machine nobody is blamed and nothing is reverted', async () => {
  const switchFile = join(scratch('switch'), 'red');
  const story = await startStory({ stabilize: `test ! -f ${switchFile}`, agents: ['coder'] });
  await story.set('test_before_merge', 'false');
  await story.set('sandbox', 'off');
  expect((await story.stabilize()).result).toBe('green');
  await landed(story, 'coder', { 'fine.txt': 'fine\n' });
  writeFileSync(switchFile, '');
  const buffer = story.oid('buffer');
  expect(await story.stabilize()).toMatchObject({
    result: 'error',
    reason: 'baseline_red',
    culprit: null,
    task: null,
    reverted: null,
  });
  expect(story.oid('buffer')).toBe(buffer);
  expect(await openTasks(story, 'fix')).toEqual([]);
  const repoId = await story.repoId();
  expect((await story.ask(listMerges, { repoId, kind: 'revert' })).items).toEqual([]);
  expect((await story.ask(listStabilizations, { repoId })).items[0]).toMatchObject({
    result: 'error',
    culpritStreamId: null,
  });
  expect((await story.ask(listQueue, { repoId })).frozenReason).toBeNull();
});

it('with auto-revert off a red buffer freezes the queue, which lets only the declared fix pass', async () => {
  const story = await startStory({ stabilize: NO_BROKEN, agents: ['coder', 'bob'] });
  await story.set('test_before_merge', 'false');
  await story.set('auto_revert_on_red', 'false');
  const culprit = await landed(story, 'coder', { broken: 'yes\n' });
  const waiting = await story.stream('bob', { 'other.txt': 'o\n' });
  await story.submit('bob', waiting);
  await story.judge('Olga', waiting);
  expect(await story.stabilize()).toMatchObject({ result: 'red', reverted: null, frozen: true });
  expect(story.file('buffer', 'broken')).toBe('yes\n');
  expect(await story.merge('bob', waiting)).toMatchObject({ kind: 'queued', blocked: true });
  expect(await refusal(story.promote())).toMatchObject({ code: 'gate_not_met' });

  const [task] = await openTasks(story, 'fix');
  expect(task).toMatchObject({ priority: 'critical', status: 'open' });
  await story.ask(claimTask, { task: task?.id ?? '' }, 'coder');
  const fix = await story.workspace('coder', { task: task?.id });
  await story.commit('coder', fix, { broken: undefined }, 'Mend it');
  await story.submit('coder', fix);
  await story.judge('Olga', fix);
  expect((await story.merge('coder', fix)).kind).toBe('merged');
  expect(await story.stabilize()).toMatchObject({ result: 'green' });
  expect((await story.ask(listQueue, { repoId: await story.repoId() })).frozenReason).toBeNull();
  expect((await story.merge('bob', waiting)).kind).toBe('merged');
  expect((await story.show(culprit)).state).toBe('merged');
});

it('a red that goes away in the second run is flaky: nobody is blamed', async () => {
  const counter = join(scratch('flaky'), 'runs');
  const story = await startStory({
    stabilize: `echo run >> ${counter}; test $(wc -l < ${counter}) -ne 1`,
    agents: ['coder'],
  });
  await story.set('sandbox', 'off');
  await story.set('test_before_merge', 'false');
  await landed(story, 'coder', { 'fine.txt': 'fine\n' });
  expect(await story.stabilize()).toMatchObject({ result: 'green', runs: 2 });
  expect(await openTasks(story, 'fix')).toEqual([]);
});

it('a stream whose tests fail on top of the buffer is evicted before it lands, and the rest goes on', async () => {
  const story = await startStory({ stabilize: NO_BROKEN, agents: ['coder', 'bob'] });
  const bad = await story.stream('coder', { broken: 'yes\n' });
  const buffer = story.oid('buffer');
  expect(await story.land(bad, { author: 'coder', judge: 'Olga' })).toMatchObject({
    kind: 'evicted',
    packet: { reproduce: expect.stringContaining(NO_BROKEN) },
  });
  expect(story.oid('buffer')).toBe(buffer);
  expect(['approved', 'in_review']).toContain((await story.show(bad)).state);
  await landed(story, 'bob', { 'good.txt': 'good\n' });
});

it('what is tested is the tip of the buffer, whatever anyone has checked out', async () => {
  const story = await startStory({
    stabilize: 'test -f landed.txt && test ! -f local.txt',
    agents: ['coder'],
  });
  await story.set('test_before_merge', 'false');
  await landed(story, 'coder', { 'landed.txt': 'l\n' });
  story.git.write({ 'local.txt': 'only here\n' });
  const found = await story.stabilize();
  expect(found).toMatchObject({ result: 'green', commit: story.oid('buffer') });
  expect(story.oid(`${found.tag}^{commit}`)).toBe(story.oid('buffer'));
  expect(story.git.git('cat-file', '-t', found.tag ?? '')).toBe('tag');
});

function ownChangeIds(story: Story, branch: string): (string | undefined)[] {
  const commits = story.git
    .git('rev-list', '--reverse', '--no-merges', branch, '--not', 'buffer')
    .split('\n');
  return commits.map((commit) => changeIdOf(story.git.git('log', '-1', '--format=%B', commit)));
}
