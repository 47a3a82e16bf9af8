import { expect, it } from 'vitest';
import { planMerge } from '../../src/workflows/merge-stream.ts';
import { abortResolution, continueResolution, resolveStream } from '../../src/workflows/resolve-stream.ts';
import { reportStatus } from '../../src/workflows/status-report.ts';
import { refusal, startStory } from '../support/story.ts';

it('of two agents in conflict the second keeps its work, resolves it in its own worktree, and lands', async () => {
  const story = await startStory({ model: 'guild', agents: ['coder', 'bob', 'ann'], maintainers: ['ann'] });
  const coder = await story.stream('coder', { 'a.txt': 'one\nCODER\nthree\n' });
  const bob = await story.workspace('bob');
  const { conflictsWith } = await story.commit('bob', bob, {
    'a.txt': 'one\nBOB\nthree\n',
    'new.txt': 'n\n',
  });
  // The clash is foreseen while both are still at work.
  expect(conflictsWith).toMatchObject([{ with: 'stream', streamId: coder.id, files: ['a.txt'] }]);
  expect((await story.land(coder, { author: 'coder', judge: 'ann' })).kind).toBe('merged');

  const buffer = story.oid('buffer');
  expect(await story.land(bob, { author: 'bob', judge: 'ann' })).toMatchObject({
    kind: 'conflict',
    files: [{ path: 'a.txt' }],
  });
  expect(story.oid('buffer')).toBe(buffer);
  expect((await story.show(bob)).state).toBe('conflicted');
  expect(story.status(bob.path)).toEqual([]);
  expect(await refusal(story.merge('bob', bob))).toMatchObject({
    code: 'wrong_state',
    fix: expect.stringContaining('stream resolve'),
  });

  // What was being edited meanwhile is set aside and comes back.
  story.git.write({ 'sub/b.txt': 'edited\n' }, bob.path);
  await story.run('bob', (workflow) => resolveStream(workflow, { stream: bob.id }));
  expect(await refusal(story.run('bob', (workflow) => continueResolution(workflow, bob.id)))).toMatchObject({
    code: 'conflict',
  });
  story.git.write({ 'a.txt': 'one\nCODER and BOB\nthree\n' }, bob.path);
  story.git.gitIn(bob.path, 'add', 'a.txt');
  const resolved = await story.run('bob', (workflow) => continueResolution(workflow, bob.id));
  expect(resolved).toMatchObject({ kind: 'resolved', setAside: 'restored', merged: false });
  expect(story.status(bob.path)).toEqual([' M sub/b.txt']);
  expect(['in_review', 'active']).toContain((await story.show(bob)).state);

  expect((await story.land(bob, { author: 'bob', judge: 'ann' })).kind).toBe('merged');
  expect(story.file('buffer', 'a.txt')).toBe('one\nCODER and BOB\nthree\n');
  expect(story.file('buffer', 'sub/b.txt')).toBe('b\n');
  expect(story.status(bob.path)).toEqual([' M sub/b.txt']);
});

it('a resolution that is given up leaves the worktree as it was, edits and untracked files included', async () => {
  const story = await startStory();
  const coder = await story.stream('coder', { 'a.txt': 'coder\n' });
  const bob = await story.stream('bob', { 'a.txt': 'bob\n' });
  await story.land(coder, { author: 'coder', judge: 'Olga' });
  await story.land(bob, { author: 'bob', judge: 'Olga' });
  story.git.write({ 'sub/b.txt': 'edited\n', 'untracked ünd "odd".txt': 'u\n' }, bob.path);
  const before = story.status(bob.path);
  const head = story.oid(bob.branch);
  await story.run('bob', (workflow) => resolveStream(workflow, { stream: bob.id }));
  expect(await story.run('bob', (workflow) => abortResolution(workflow, bob.id))).toMatchObject({
    kind: 'aborted',
  });
  expect(story.status(bob.path)).toEqual(before);
  expect(story.oid(bob.branch)).toBe(head);
  expect(story.git.gitIn(bob.path, 'show', 'HEAD:a.txt')).toBe('bob');
});

it('who would clash with whom is known before anything lands, moved folders included, and nothing is written for it', async () => {
  const story = await startStory({
    agents: ['coder', 'bob', 'eve'],
    files: { 'lib/a.txt': 'a\n', 'lib/b.txt': 'b\n', 'lib/c.txt': 'c\n' },
  });
  const early = await story.stream('eve', { 'docs/early.md': 'e\n' });
  const mover = await story.stream('coder', {
    'lib/a.txt': undefined,
    'lib/b.txt': undefined,
    'lib/c.txt': undefined,
    'core/a.txt': 'a\n',
    'core/b.txt': 'b\n',
    'core/c.txt': 'c\n',
  });
  const adder = await story.workspace('bob');
  const objects = () => story.git.gitIn(story.dir, 'count-objects', '-v');
  const { conflictsWith } = await story.commit('bob', adder, { 'lib/new.txt': 'n\n' });
  expect(conflictsWith).toMatchObject([{ with: 'stream', streamId: mover.id }]);
  const before = objects();
  const { clashes } = await story.run('Olga', (workflow) => reportStatus(workflow));
  const plan = await story.run('Olga', (workflow) => planMerge(workflow, mover.id));
  expect(clashes.map(({ streams }) => streams.map(({ id }) => id).sort())).toEqual([
    [mover.id, adder.id].sort(),
  ]);
  expect(plan.conflictsWith).toMatchObject([{ streamId: adder.id }]);
  expect(objects()).toBe(before);
  expect(clashes.flatMap(({ streams }) => streams.map(({ id }) => id))).not.toContain(early.id);
});
