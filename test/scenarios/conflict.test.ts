import { expect, it } from 'vitest';
import { abortResolution, continueResolution, resolveStream } from '../../src/workflows/resolve-stream.ts';
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
