import { expect, it } from 'vitest';
import { claimTask, showTask } from '../../src/contract/tasks.ts';
import { continueResolution, resolveStream } from '../../src/workflows/resolve-stream.ts';
import { refusal, startStory } from '../support/story.ts';

it('in swarm mode each commit lands at once, the worktree follows the buffer, and finishing completes the task', async () => {
  const story = await startStory({ mode: 'swarm', stabilize: 'test ! -f broken' });
  const task = await story.task('Say hello');
  await story.ask(claimTask, { task: task.id }, 'coder');
  const coder = await story.workspace('coder', { task: task.id });
  const bob = await story.workspace('bob');
  expect(await refusal(story.submit('coder', coder))).toMatchObject({ code: 'gate_not_met' });

  const first = await story.commit('coder', coder, { 'hello.txt': 'hello\n' });
  expect(first).toMatchObject({ merged: true, stream: { state: 'active' } });
  const other = await story.commit('bob', bob, { 'bye.txt': 'bye\n' });
  expect(other.merged).toBe(true);
  // Bob's own commit brought his worktree to the buffer, with the files of others.
  expect(story.oid(bob.branch)).toBe(story.oid('buffer'));
  expect(story.git.gitIn(bob.path, 'ls-files')).toContain('hello.txt');
  expect(story.status(bob.path)).toEqual([]);

  const second = await story.commit('coder', coder, { 'hello.txt': 'hello again\n' });
  expect(second.merged).toBe(true);
  expect(story.file('buffer', 'hello.txt')).toBe('hello again\n');
  expect(story.file('buffer', 'bye.txt')).toBe('bye\n');
  expect(await story.ask(showTask, { task: task.id })).toMatchObject({ status: 'claimed' });

  const done = await story.submit('coder', coder);
  expect(done).toMatchObject({ finished: true, stream: { state: 'merged' } });
  expect(await story.ask(showTask, { task: task.id })).toMatchObject({ status: 'completed' });
  expect(await refusal(story.commit('coder', coder, { 'late.txt': 'late\n' }))).toMatchObject({
    code: 'wrong_state',
  });

  expect(await story.stabilize()).toMatchObject({ result: 'green' });
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.oid('main')).toBe(story.oid('buffer'));
});

it('a conflict in swarm mode keeps the commit, hinders nobody else, and is landed once it is resolved', async () => {
  const story = await startStory({ mode: 'swarm', agents: ['coder', 'bob', 'eve'] });
  const [coder, bob, eve] = [
    await story.workspace('coder'),
    await story.workspace('bob'),
    await story.workspace('eve'),
  ];
  await story.commit('coder', coder, { 'a.txt': 'coder\n' });
  const clash = await story.commit('bob', bob, { 'a.txt': 'bob\n', 'bob.txt': 'b\n' });
  expect(clash).toMatchObject({
    merged: false,
    merge: { kind: 'conflict', files: [{ path: 'a.txt' }] },
    stream: { state: 'conflicted' },
  });
  expect(story.file(bob.branch, 'a.txt')).toBe('bob\n');
  // Nothing is left open in git: no merge, no unmerged path, in no checkout.
  expect(story.status()).toEqual(['?? .gitswarm/config.yml']);
  expect(story.status(bob.path)).toEqual([]);
  expect((await story.commit('eve', eve, { 'eve.txt': 'e\n' })).merged).toBe(true);

  const open = await story.run('bob', (workflow) => resolveStream(workflow, { stream: bob.id }));
  expect(open).toMatchObject({ kind: 'open', files: [{ path: 'a.txt' }] });
  story.git.write({ 'a.txt': 'coder and bob\n' }, bob.path);
  story.git.gitIn(bob.path, 'add', 'a.txt');
  const resolved = await story.run('bob', (workflow) => continueResolution(workflow, bob.id));
  expect(resolved).toMatchObject({ kind: 'resolved', merged: true });
  expect(story.file('buffer', 'a.txt')).toBe('coder and bob\n');
  expect(story.file('buffer', 'bob.txt')).toBe('b\n');
  expect(story.file('buffer', 'eve.txt')).toBe('e\n');
});
