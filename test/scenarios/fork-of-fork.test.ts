import { expect, it } from 'vitest';
import { enterWorkspace, leaveWorkspace } from '../../src/machine/workspaces.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import { syncStream } from '../../src/workflows/sync-worktree.ts';
import { refusal, startStory } from '../support/story.ts';

it('a chain of forks follows its root when the root commits, whether checked out or not, and lands parent first', async () => {
  const story = await startStory({ agents: ['ann', 'ben', 'cem'] });
  const root = await story.stream('ann', { 'root.txt': '1\n' });
  const middle = await story.stream('ben', { 'middle.txt': '1\n' }, { dependsOn: root.id });
  const leaf = await story.stream('cem', { 'leaf.txt': '1\n' }, { dependsOn: middle.id });
  expect(story.git.gitIn(leaf.path, 'ls-files')).toContain('root.txt');

  const { cascade } = await story.commit('ann', root, { 'root.txt': '2\n' });
  expect(cascade).toMatchObject({ rebased: [middle.id, leaf.id], deferred: [], conflicted: [] });
  expect(story.git.git('merge-base', '--is-ancestor', root.branch, middle.branch)).toBe('');
  expect(story.git.git('merge-base', '--is-ancestor', middle.branch, leaf.branch)).toBe('');
  for (const each of [middle, leaf]) {
    expect(story.git.gitIn(each.path, 'show', 'HEAD:root.txt')).toBe('2');
    expect(story.status(each.path)).toEqual([]);
    expect(story.oid(each.branch)).toBe(story.git.oid('HEAD', each.path));
    expect((await story.show(each)).head).toBe(story.oid(each.branch));
  }

  for (const [author, each] of [
    ['ann', root],
    ['ben', middle],
    ['cem', leaf],
  ] as const) {
    await story.submit(author, each);
    await story.judge('Olga', each);
  }
  expect(await refusal(story.merge('cem', leaf))).toMatchObject({
    code: 'gate_not_met',
    message: expect.stringContaining('builds on'),
  });
  expect(await refusal(story.merge('ben', middle))).toMatchObject({ code: 'gate_not_met' });
  expect(story.file('buffer', 'root.txt')).toBeUndefined();
  for (const [author, each] of [
    ['ann', root],
    ['ben', middle],
    ['cem', leaf],
  ] as const) {
    expect((await story.merge(author, each)).kind).toBe('merged');
  }
  for (const [path, text] of [
    ['root.txt', '2\n'],
    ['middle.txt', '1\n'],
    ['leaf.txt', '1\n'],
  ] as const) {
    expect(story.file('buffer', path)).toBe(text);
  }
});

it('a dirty worktree stays behind with its edits and follows at its next commit', async () => {
  const story = await startStory({ agents: ['ann', 'ben', 'cem'] });
  const root = await story.stream('ann', { 'root.txt': '1\n' });
  const dirty = await story.stream('ben', { 'dirty.txt': '1\n' }, { dependsOn: root.id });
  const below = await story.stream('cem', { 'below.txt': '1\n' }, { dependsOn: dirty.id });
  story.git.write({ 'dirty.txt': 'half done\n' }, dirty.path);
  const head = story.oid(dirty.branch);
  const { cascade } = await story.commit('ann', root, { 'root.txt': '2\n' });
  expect(cascade?.rebased).toEqual([]);
  expect([...(cascade?.deferred ?? [])].sort()).toEqual([dirty.id, below.id].sort());
  expect(story.oid(dirty.branch)).toBe(head);
  expect(story.status(dirty.path)).toEqual([' M dirty.txt']);

  const next = await story.commit('ben', dirty, { 'dirty.txt': 'done\n' });
  expect(next.commit).toBe(story.oid(dirty.branch));
  expect(story.git.gitIn(dirty.path, 'show', 'HEAD:root.txt')).toBe('2');
  expect(story.git.gitIn(dirty.path, 'show', 'HEAD:dirty.txt')).toBe('done');
  expect(story.status(dirty.path)).toEqual([]);
  // And what is below follows in the same step.
  expect(story.git.gitIn(below.path, 'show', 'HEAD:dirty.txt')).toBe('done');
  expect(story.git.gitIn(below.path, 'show', 'HEAD:root.txt')).toBe('2');
});

it('a worktree in which a program is at work stays where it is until it is left', async () => {
  const story = await startStory({ agents: ['ann', 'ben'] });
  const root = await story.stream('ann', { 'root.txt': '1\n' });
  const busy = await story.stream('ben', { 'busy.txt': '1\n' }, { dependsOn: root.id });
  const use = await story.run('ben', async ({ machine }) =>
    enterWorkspace(machine, { streamId: busy.id, reason: 'a test', at: new Date().toISOString() }),
  );
  const head = story.oid(busy.branch);
  expect((await story.commit('ann', root, { 'root.txt': '2\n' })).cascade).toMatchObject({
    rebased: [],
    deferred: [busy.id],
  });
  expect(story.oid(busy.branch)).toBe(head);
  await story.run('ben', async ({ machine }) => leaveWorkspace(machine, use));
  expect(await story.run('ben', (workflow) => syncStream(workflow, busy.id))).toMatchObject({
    kind: 'moved',
  });
  expect(story.git.gitIn(busy.path, 'show', 'HEAD:root.txt')).toBe('2');
});

it('a fork that was behind when its parent landed lands all the same, with everything in it', async () => {
  const story = await startStory({ agents: ['ann', 'ben'] });
  const root = await story.stream('ann', { 'root.txt': '1\n' });
  const fork = await story.stream('ben', { 'fork.txt': '1\n' }, { dependsOn: root.id });
  story.git.write({ 'note.txt': 'not committed\n' }, fork.path);
  await story.commit('ann', root, { 'root.txt': '2\n' });
  await story.land(root, { author: 'ann', judge: 'Olga' });
  expect((await story.land(fork, { author: 'ben', judge: 'Olga' })).kind).toBe('merged');
  expect(story.file('buffer', 'root.txt')).toBe('2\n');
  expect(story.file('buffer', 'fork.txt')).toBe('1\n');
  expect(story.status(fork.path)).toEqual(['?? note.txt']);
});

it('a conflict in a chain stops the stream it is in and what is below, and nothing else', async () => {
  const story = await startStory({ agents: ['ann', 'ben', 'cem', 'dan'] });
  const root = await story.stream('ann', { 'root.txt': '1\n' });
  const clash = await story.stream('ben', { 'root.txt': 'ben\n' }, { dependsOn: root.id });
  const below = await story.stream('cem', { 'below.txt': '1\n' }, { dependsOn: clash.id });
  const beside = await story.stream('dan', { 'beside.txt': '1\n' }, { dependsOn: root.id });
  const heads = [clash, below].map((each) => story.oid(each.branch));
  const { cascade } = await story.commit('ann', root, { 'root.txt': '2\n' });
  expect(cascade).toMatchObject({
    rebased: [beside.id],
    deferred: [below.id],
    conflicted: [{ streamId: clash.id, files: [{ path: 'root.txt' }] }],
  });
  expect([clash, below].map((each) => story.oid(each.branch))).toEqual(heads);
  expect((await story.show(clash)).state).toBe('conflicted');
  expect((await story.show(below)).state).toBe('active');
  expect(story.status(clash.path)).toEqual([]);
});

it('a worktree that stayed behind while its parent was rewritten follows without a copy of the old commits', async () => {
  const story = await startStory({ agents: ['ann', 'ben'] });
  const root = await story.stream('ann', { 'root.txt': '1\n' });
  const fork = await story.stream('ben', { 'fork.txt': '1\n' }, { dependsOn: root.id });
  story.git.write({ 'fork.txt': 'half done\n' }, fork.path);
  story.git.write({ 'root.txt': 'amended\n' }, root.path);
  story.git.gitIn(root.path, 'commit', '--quiet', '--all', '--amend', '--no-edit');
  await story.commit('ann', root, { 'more.txt': 'm\n' });
  await story.commit('ben', fork, { 'fork.txt': '2\n' });
  expect(story.git.git('rev-list', '--count', `${root.branch}..${fork.branch}`)).toBe('2');
  expect(await story.show(fork)).toMatchObject({
    commitCount: 2,
    baseCommit: story.oid(root.branch),
    paths: ['fork.txt'],
  });
  expect(story.git.gitIn(fork.path, 'show', 'HEAD:root.txt')).toBe('amended');
});

it('a fork that clashes with what its parent has become says so at its next commit, and keeps the commit', async () => {
  const story = await startStory({ agents: ['ann', 'ben'] });
  const root = await story.stream('ann', { 'root.txt': '1\n' });
  const fork = await story.stream('ben', { 'fork.txt': '1\n' }, { dependsOn: root.id });
  story.git.write({ 'root.txt': 'ben\n' }, fork.path);
  await story.commit('ann', root, { 'root.txt': 'ann\n' });
  const made = await story.commit('ben', fork, { 'root.txt': 'ben\n' });
  expect(made.stream).toMatchObject({
    state: 'conflicted',
    conflict: { with: 'parent', files: [{ path: 'root.txt' }] },
  });
  expect(story.git.gitIn(fork.path, 'show', 'HEAD:root.txt')).toBe('ben');
  expect(story.status(fork.path)).toEqual([]);
});

/** A child was approved; its parent is rewritten and approved while edits keep the child's worktree where it is. */
async function rewrittenParent() {
  const story = await startStory({ agents: ['ann', 'ben'] });
  const parent = await story.stream('ann', { 'good.txt': 'good\n', 'secret.txt': 'secret\n' });
  const child = await story.stream('ben', { 'child.txt': 'child\n' }, { dependsOn: parent.id });
  await story.submit('ben', child);
  await story.judge('Olga', child);
  story.git.write({ 'secret.txt': 'half done\n' }, child.path);
  story.git.gitIn(parent.path, 'rm', '--quiet', 'secret.txt');
  story.git.gitIn(parent.path, 'commit', '--quiet', '--amend', '--no-edit');
  await story.submit('ann', parent);
  await story.judge('Olga', parent);
  return { story, parent, child };
}

it('commits that a parent has withdrawn do not land with a child that still stands on them', async () => {
  const { story, parent, child } = await rewrittenParent();
  expect((await story.merge('ann', parent)).kind).toBe('merged');
  expect(await refusal(story.merge('ben', child))).toMatchObject({
    code: 'gate_not_met',
    message: expect.stringContaining('was rewritten'),
    fix: expect.stringContaining('workspace sync'),
  });
  expect(story.file('buffer', 'secret.txt')).toBeUndefined();
  story.git.gitIn(child.path, 'checkout', '--quiet', '--', '.');
  expect((await story.merge('ben', child)).kind).toBe('merged');
  expect(story.file('buffer', 'child.txt')).toBe('child\n');
  expect(story.file('buffer', 'secret.txt')).toBeUndefined();
});

it.each([null, 'test -e good.txt'])(
  'nor do they where parent and child land in one run, with tests by %s',
  async (command) => {
    const { story, parent, child } = await rewrittenParent();
    if (command !== null) await story.set('stabilize_command', command);
    await story.merge('ann', parent, { wait: false });
    await story.merge('ben', child, { wait: false });
    const run = await story.run('Olga', (workflow) => driveQueue(workflow));
    expect(run.landed.map(({ stream }) => stream?.id)).toEqual([parent.id]);
    expect(run.refused).toMatchObject([{ stream: { id: child.id }, error: { code: 'gate_not_met' } }]);
    expect(story.file('buffer', 'secret.txt')).toBeUndefined();
    expect((await story.show(child)).state).toBe('approved');
  },
);

it('nobody puts settings in force by building on them and withdrawing them', async () => {
  const story = await startStory({ mode: 'swarm', agents: ['ann'] });
  const parent = await story.workspace('ann');
  const settings = 'consensus_threshold: 0.01\n';
  await story.commit('ann', parent, { '.gitswarm/config.yml': settings, 'p.txt': 'p\n' });
  const child = await story.workspace('ann', { dependsOn: parent.id });
  await story.commit('ann', child, { 'child.txt': 'c\n' });
  story.git.write({ '.gitswarm/config.yml': 'consensus_threshold: 0.02\n' }, child.path);
  story.git.gitIn(parent.path, 'rm', '--quiet', '.gitswarm/config.yml');
  story.git.gitIn(parent.path, 'commit', '--quiet', '--amend', '--no-edit');
  expect((await story.merge('ann', parent)).kind).toBe('merged');
  expect(await refusal(story.merge('ann', child))).toMatchObject({ code: 'gate_not_met' });
  expect(story.file('buffer', '.gitswarm/config.yml')).toBeUndefined();
});
