import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listEvents } from '../../src/contract/events.ts';
import { addMaintainer } from '../../src/contract/repos.ts';
import { abandonStream, listStreams, pauseStream, resumeStream } from '../../src/contract/streams.ts';
import { abandonClaim, claimTask, reviewTask, showTask, submitTask } from '../../src/contract/tasks.ts';
import { collectGarbage } from '../../src/workflows/collect-garbage.ts';
import { destroyWorkspace, restoreWorkspace } from '../../src/workflows/destroy-workspace.ts';
import { examine } from '../../src/workflows/doctor/doctor.ts';
import { resolveStream } from '../../src/workflows/resolve-stream.ts';
import { revertStream } from '../../src/workflows/revert-stream.ts';
import { reportStatus } from '../../src/workflows/status-report.ts';
import { syncStream } from '../../src/workflows/sync-worktree.ts';
import { undoOperation } from '../../src/workflows/undo-operation.ts';
import { expectSound, remember } from '../support/invariants.ts';
import { refusal, startStory } from '../support/story.ts';

/** What programs of this kind have been seen to get wrong: each line is a defect that was reproduced somewhere. */

it('syncing a stream without own commits keeps what was not committed', async () => {
  const story = await startStory();
  const work = await story.workspace('coder');
  await story.merge('Olga', await story.stream('Olga', { 'new.txt': 'n\n', 'sub/b.txt': 'changed\n' }));
  story.git.write({ 'a.txt': 'edited\n', 'untracked.txt': 'u\n' }, work.path);
  expect(await story.run('coder', (workflow) => syncStream(workflow, work.id))).toMatchObject({
    kind: 'moved',
  });
  expect(story.status(work.path)).toEqual([' M a.txt', '?? untracked.txt']);
  expect(story.git.gitIn(work.path, 'show', 'HEAD:new.txt')).toBe('n');
  // An edit in the way: nothing moves.
  await story.merge('Olga', await story.stream('Olga', { 'a.txt': 'landed\n' }));
  const head = story.oid(work.branch);
  expect(await story.run('coder', (workflow) => syncStream(workflow, work.id))).toMatchObject({
    kind: 'behind',
    files: ['a.txt'],
  });
  expect([story.oid(work.branch), story.status(work.path)]).toEqual([head, [' M a.txt', '?? untracked.txt']]);
});

it('a task that is given up keeps its work, and whoever takes it next does not overwrite it', async () => {
  const story = await startStory();
  const task = await story.task('Shared');
  const { claim } = await story.ask(claimTask, { task: task.id }, 'coder');
  const first = await story.workspace('coder', { task: task.id });
  await story.commit('coder', first, { 'half.txt': 'half\n' });
  story.git.write({ 'more.txt': 'not committed\n' }, first.path);
  const before = remember(story);
  await story.ask(abandonClaim, { claim: claim.id }, 'coder');
  await story.ask(claimTask, { task: task.id }, 'bob');
  const second = await story.workspace('bob', { task: task.id });
  await story.commit('bob', second, { 'other.txt': 'o\n' });
  expect(second.branch).not.toBe(first.branch);
  await story.run('Olga', (workflow) => collectGarbage(workflow, { plan: false, olderThanMs: 0 }));
  await expectSound(story, before);
  expect(story.file(first.branch, 'half.txt')).toBe('half\n');
});

it('clearing away never deletes a branch of a person, whatever its name, nor one that holds work', async () => {
  const story = await startStory();
  for (const name of ['stream/mine', 'stream/01890000-0000-7000-8000-000000000000', 'worker/x'])
    story.git.git('branch', name);
  const landed = await story.stream('Olga', { 'landed.txt': 'l\n' });
  await story.merge('Olga', landed);
  const unlanded = await story.stream('coder', { 'unlanded.txt': 'u\n' });
  await story.ask(abandonStream, { stream: unlanded.id }, 'coder');
  for (const work of [landed, unlanded]) {
    await story.run('Olga', (workflow) => destroyWorkspace(workflow, work.id, { force: true }));
  }
  const { removed } = await story.run('Olga', (workflow) =>
    collectGarbage(workflow, { plan: false, olderThanMs: 0 }),
  );
  expect(removed.filter(({ kind }) => kind === 'branch').map(({ name }) => name)).toEqual([landed.branch]);
  const left = story.git.git('for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n');
  expect(left).toEqual(
    expect.arrayContaining([
      'stream/mine',
      'stream/01890000-0000-7000-8000-000000000000',
      'worker/x',
      unlanded.branch,
    ]),
  );
});

it('a branch that somebody deleted comes back with all its commits, not at its base', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  await story.commit('coder', work, { 'more.txt': 'm\n' });
  const head = story.oid(work.branch);
  story.git.git('update-ref', '-d', `refs/heads/${work.branch}`);
  await story.run('Olga', (workflow) => examine(workflow, { fix: true }));
  expect(story.oid(work.branch)).toBe(head);
  expect(story.status(work.path)).toEqual([]);
});

it('what is over stays over: merged, abandoned and paused streams neither land nor take commits', async () => {
  const story = await startStory();
  const merged = await story.stream('Olga', { 'merged.txt': 'm\n' });
  await story.merge('Olga', merged);
  const abandoned = await story.stream('Olga', { 'abandoned.txt': 'a\n' });
  await story.ask(abandonStream, { stream: abandoned.id });
  const paused = await story.stream('Olga', { 'paused.txt': 'p\n' });
  await story.ask(pauseStream, { stream: paused.id });
  const buffer = story.oid('buffer');
  for (const [work, code] of [
    [merged, 'conflict'],
    [abandoned, 'wrong_state'],
    [paused, 'wrong_state'],
  ] as const) {
    const head = story.oid(work.branch);
    expect(await refusal(story.merge('Olga', work))).toMatchObject({ code });
    expect(await refusal(story.commit('Olga', work, { 'late.txt': 'l\n' }))).toMatchObject({
      code: 'wrong_state',
      fix: expect.any(String),
    });
    expect(story.oid(work.branch)).toBe(head);
    expect(story.status(work.path)).toEqual(['?? late.txt']);
  }
  expect(story.oid('buffer')).toBe(buffer);
  await story.ask(resumeStream, { stream: paused.id });
  expect((await story.merge('Olga', paused)).kind).toBe('merged');
});

it('closing a stream that has commits, reviews, a worktree and children clears it away without complaint', async () => {
  const story = await startStory();
  const root = await story.stream('coder', { 'root.txt': '1\n' });
  const child = await story.stream('bob', { 'child.txt': '1\n' }, { dependsOn: root.id });
  await story.submit('coder', root);
  await story.judge('Olga', root);
  await story.merge('coder', root);
  await story.run('coder', (workflow) => destroyWorkspace(workflow, root.id));
  await story.run('Olga', (workflow) => collectGarbage(workflow, { plan: false, olderThanMs: 0 }));
  expect(story.git.tryGit(story.dir, 'rev-parse', '--verify', root.branch).status).not.toBe(0);
  expect(existsSync(root.path)).toBe(false);
  await story.land(child, { author: 'bob', judge: 'Olga' });
  expect(story.file('buffer', 'child.txt')).toBe('1\n');
});

it('landings and cascades leave nothing that a later look would call diverged', async () => {
  const story = await startStory();
  const root = await story.stream('coder', { 'root.txt': '1\n' });
  const fork = await story.stream('bob', { 'fork.txt': '1\n' }, { dependsOn: root.id });
  await story.commit('coder', root, { 'root.txt': '2\n' });
  await story.land(root, { author: 'coder', judge: 'Olga' });
  const { findings } = await story.run('Olga', (workflow) => examine(workflow, { fix: false }));
  expect(
    findings
      .filter(({ level, check }) => level === 'problem' || (check === 'streams' && level !== 'ok'))
      .map(({ text }) => text),
  ).toEqual([]);
  expect((await story.run('Olga', (workflow) => reportStatus(workflow))).moved).toEqual([]);
  const types = (await story.ask(listEvents, { repoId: await story.repoId(), limit: 200 })).items.map(
    ({ type }) => type,
  );
  expect(types).toEqual(expect.arrayContaining(['merge.requested', 'merge.prepared', 'merge.landed']));
  expect((await story.show(fork)).head).toBe(story.oid(fork.branch));
});

it('a stream on which two others build, and one that builds on both in turn, all follow', async () => {
  const story = await startStory({ agents: ['ann', 'ben', 'cem', 'dan'] });
  const top = await story.stream('ann', { 'top.txt': '1\n' });
  const left = await story.stream('ben', { 'left.txt': '1\n' }, { dependsOn: top.id });
  const right = await story.stream('cem', { 'right.txt': '1\n' }, { dependsOn: top.id });
  const bottom = await story.stream('dan', { 'bottom.txt': '1\n' }, { dependsOn: left.id });
  story.git.gitIn(bottom.path, 'merge', '--quiet', '--no-edit', right.branch);
  await story.commit('dan', bottom, { 'more.txt': 'm\n' });
  const { cascade } = await story.commit('ann', top, { 'top.txt': '2\n' });
  expect(cascade).toMatchObject({ deferred: [], conflicted: [] });
  expect([...(cascade?.rebased ?? [])].sort()).toEqual([left.id, right.id, bottom.id].sort());
  for (const path of ['top.txt', 'left.txt', 'right.txt', 'bottom.txt', 'more.txt']) {
    expect(existsSync(join(bottom.path, path)), path).toBe(true);
  }
  expect(story.git.gitIn(bottom.path, 'show', 'HEAD:top.txt')).toBe('2');
  for (const work of [top, left, right, bottom]) expect(story.status(work.path)).toEqual([]);
});

it('a cascade leaves every checkout on the branch it was on', async () => {
  const story = await startStory();
  const root = await story.stream('coder', { 'root.txt': '1\n' });
  const fork = await story.stream('bob', { 'fork.txt': '1\n' }, { dependsOn: root.id });
  await story.commit('coder', root, { 'root.txt': '2\n' });
  for (const [dir, branch] of [
    [story.dir, 'main'],
    [root.path, root.branch],
    [fork.path, fork.branch],
  ] as const) {
    expect(story.git.gitIn(dir, 'symbolic-ref', '--short', 'HEAD')).toBe(branch);
  }
  expect(story.git.git('stash', 'list')).toBe('');
});

it('nothing to commit is no error, and an empty commit is made only when asked for', async () => {
  const story = await startStory();
  const work = await story.workspace('coder');
  const head = story.oid(work.branch);
  expect(await story.commit('coder', work, {}, 'nothing')).toMatchObject({ commit: null, files: [] });
  expect(story.oid(work.branch)).toBe(head);
});

it('a conflict leaves every checkout as it was, with nothing begun and nothing unmerged', async () => {
  const story = await startStory();
  const first = await story.stream('coder', { 'a.txt': 'coder\n' });
  const second = await story.stream('bob', { 'a.txt': 'bob\n' });
  await story.land(first, { author: 'coder', judge: 'Olga' });
  const before = remember(story);
  expect((await story.land(second, { author: 'bob', judge: 'Olga' })).kind).toBe('conflict');
  await expectSound(story, before);
  expect(await story.run('bob', (workflow) => syncStream(workflow, second.id))).toMatchObject({
    kind: 'conflict',
  });
  await expectSound(story, before);
});

it('a revert that clashes with what landed since changes nothing', async () => {
  const story = await startStory();
  const first = await story.stream('coder', { 'a.txt': 'first\n' });
  await story.land(first, { author: 'coder', judge: 'Olga' });
  await story.land(await story.stream('bob', { 'a.txt': 'second\n' }), { author: 'bob', judge: 'Olga' });
  const buffer = story.oid('buffer');
  expect(await story.run('Olga', (workflow) => revertStream(workflow, first.id))).toMatchObject({
    kind: 'conflict',
    files: [{ path: 'a.txt' }],
  });
  expect(story.oid('buffer')).toBe(buffer);
  expect((await story.show(first)).state).toBe('merged');
  await expectSound(story);
});

it('a landing that another hand has taken off the buffer is told', async () => {
  const story = await startStory();
  await story.merge('Olga', await story.stream('Olga', { 'new.txt': 'n\n' }));
  story.git.git('update-ref', 'refs/heads/buffer', 'main');
  const { findings, remaining } = await story.run('Olga', (workflow) => examine(workflow, { fix: false }));
  expect(remaining).toBeGreaterThan(0);
  expect(findings.find(({ check }) => check === 'buffer')).toMatchObject({
    level: 'problem',
    text: expect.stringContaining('moved by another hand'),
  });
});

it('destroying asks before work is lost, and even then keeps all of it for undo', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  story.git.write({ 'work.txt': 'edited\n', 'sub/new.txt': 'n\n' }, work.path);
  story.git.gitIn(work.path, 'add', 'work.txt');
  story.git.write({ 'work.txt': 'edited again\n' }, work.path);
  const before = remember(story);
  expect(await refusal(story.run('coder', (workflow) => destroyWorkspace(workflow, work.id)))).toMatchObject({
    code: 'worktree_dirty',
  });
  expect(
    await refusal(story.run('bob', (workflow) => destroyWorkspace(workflow, work.id, { force: true }))),
  ).toMatchObject({ code: 'not_allowed' });
  const { snapshot } = await story.run('coder', (workflow) =>
    destroyWorkspace(workflow, work.id, { force: true }),
  );
  expect(snapshot?.ref).toMatch(/^refs\/gitswarm\/snapshots\//);
  expect(existsSync(work.path)).toBe(false);
  await expectSound(story, before);
  await story.run('coder', (workflow) => undoOperation(workflow));
  expect(story.status(work.path)).toEqual([' M work.txt', '?? sub/new.txt']);
  expect(story.git.gitIn(work.path, 'show', 'HEAD:work.txt')).toBe('w');
});

it('a workspace whose directory somebody removed is forgotten and made anew with its commits', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  rmSync(work.path, { recursive: true });
  await story.run('Olga', (workflow) => examine(workflow, { fix: true }));
  await story.run('coder', (workflow) => restoreWorkspace(workflow, work.id));
  expect(story.git.gitIn(work.path, 'show', 'HEAD:work.txt')).toBe('w');
  expect(story.status(work.path)).toEqual([]);
  await expectSound(story);
});

it('nobody judges what is their own: neither a stream nor the submission of a claim', async () => {
  const story = await startStory({ model: 'guild', maintainers: ['coder'] });
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  await story.submit('coder', work);
  expect(await refusal(story.judge('coder', work))).toMatchObject({ code: 'not_allowed' });
  const task = await story.task('Judge me');
  await story.ask(claimTask, { task: task.id }, 'coder');
  const { claim } = await story.ask(submitTask, { claim: task.id }, 'coder');
  expect(
    await refusal(story.ask(reviewTask, { claim: claim.id, verdict: 'approve' }, 'coder')),
  ).toMatchObject({ code: 'not_allowed' });
  expect(await refusal(story.ask(reviewTask, { claim: claim.id, verdict: 'approve' }, 'bob'))).toMatchObject({
    code: 'not_allowed',
  });
  await story.ask(reviewTask, { claim: claim.id, verdict: 'approve' });
  expect(await story.ask(showTask, { task: task.id })).toMatchObject({ status: 'completed' });
});

it('rights are asked for: an agent makes neither itself nor others maintainers', async () => {
  const story = await startStory();
  expect(
    await refusal(story.ask(addMaintainer, { repoId: await story.repoId(), agent: 'coder' }, 'coder')),
  ).toMatchObject({ code: 'not_allowed' });
});

it('a resolution needs a conflict, and asks nothing of a stream that has none', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  expect(
    await refusal(story.run('coder', (workflow) => resolveStream(workflow, { stream: work.id }))),
  ).toMatchObject({ code: 'wrong_state' });
  expect((await story.show(work)).state).toBe('active');
});

it('ids are UUIDs, and the state of a stream is the same wherever it is asked', async () => {
  const story = await startStory({ mode: 'swarm' });
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  expect(work.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const listed = (await story.ask(listStreams, { repoId: await story.repoId() })).items.find(
    ({ id }) => id === work.id,
  );
  expect(listed).toEqual(await story.show(work));
  expect(listed).toMatchObject({ state: 'active', status: 'active' });
});
