import { expect, it } from 'vitest';
import { listReviews } from '../../src/contract/reviews.ts';
import { showStream } from '../../src/contract/streams.ts';
import { commitStream } from '../../src/workflows/commit-stream.ts';
import { createWorkspace } from '../../src/workflows/create-workspace.ts';
import { restoreWorkspace } from '../../src/workflows/destroy-workspace.ts';
import { diffStream } from '../../src/workflows/diff-stream.ts';
import { examine } from '../../src/workflows/doctor/doctor.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import { mergeStream } from '../../src/workflows/merge-stream.ts';
import { judgeStream, nextForReview, requestReview } from '../../src/workflows/review-stream.ts';
import { isAtHome } from '../../src/workflows/shared/at-home.ts';
import { fetchShared } from '../../src/workflows/shared/fetch-shared.ts';
import { pushStreams, pushTags } from '../../src/workflows/shared/push-shared.ts';
import { reportStatus } from '../../src/workflows/status-report.ts';
import { syncStream } from '../../src/workflows/sync-worktree.ts';
import { trackBranch } from '../../src/workflows/track-branch.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';
import { type Clones, startClones } from '../support/shared-clones.ts';
import { refusal, type Work } from '../support/story.ts';

const push = (workflow: Workflow) => pushStreams(workflow);

/** A further commit in the second clone's workspace, recorded. */
function commitThere({ there, story }: Clones, work: Work, files: Record<string, string>) {
  story.git.write(files, work.path);
  return there('bob', (workflow) => commitStream(workflow, { stream: work.id, message: 'more' }));
}

it('what is written there is pushed once, read here from the remote, and reviewed and landed here', async () => {
  const clones = await startClones();
  const { story, there, at } = clones;
  const work = await clones.streamThere('bob', { 'theirs.txt': 't\n' });
  expect(await there('bob', push)).toEqual({ pushed: [], failed: [] });
  expect(at(work.branch)).toBe((await story.show(work)).head);
  await there('bob', (workflow) => requestReview(workflow, work.id));
  const request = { stream: work.id, remember: true, withPatch: true };
  const shown = await story.run('Olga', (workflow) => diffStream(workflow, request));
  expect(shown.patch).toContain('+t');
  expect(story.oid(work.branch)).toBe(at(work.branch));
  await story.judge('Olga', work);
  expect(await story.merge('Olga', work)).toMatchObject({ kind: 'merged' });
  expect(story.file('buffer', 'theirs.txt')).toBe('t\n');
});

it('nothing that is not pushed keeps anybody else waiting, and it is named', async () => {
  const clones = await startClones();
  const { story, there } = clones;
  const unpushed = await clones.streamThere('bob', { 'a.txt': 'theirs\n' }, { pushed: false });
  const mine = await story.stream('coder', { 'a.txt': 'mine\n' });
  await there('bob', (workflow) => requestReview(workflow, unpushed.id));
  const request = { stream: unpushed.id, remember: false, withPatch: false };
  expect(await refusal(story.run('Olga', (workflow) => diffStream(workflow, request)))).toMatchObject({
    code: 'unavailable',
    fix: expect.stringContaining('gitswarm sync'),
  });
  // Approved where it is written, and asked for there; this clone drives the queue.
  await there('Olga', (workflow) => judgeStream(workflow, { stream: unpushed.id, verdict: 'approve' }));
  await there('bob', (workflow) => mergeStream(workflow, unpushed.id, { wait: false }));
  await story.submit('coder', mine);
  await story.judge('Olga', mine);
  expect(await story.merge('coder', mine)).toMatchObject({ kind: 'merged' });
  const run = await story.run('Olga', (workflow) => driveQueue(workflow));
  expect(run).toMatchObject({ landed: [], refused: [] });
  expect(run.waiting.map(({ reason }) => reason)).toEqual(["its author's machine has not pushed it yet"]);
  expect((await story.run('Olga', (workflow) => reportStatus(workflow))).warnings).toEqual([]);
  await there('bob', push);
  expect(await story.run('Olga', (workflow) => driveQueue(workflow))).toMatchObject({
    conflicted: [{ stream: { id: unpushed.id } }],
  });
});

it('review next passes over what is not pushed, and says so', async () => {
  const clones = await startClones();
  const { story, there } = clones;
  const unpushed = await clones.streamThere('bob', { 'a.txt': 'theirs\n' }, { pushed: false });
  const mine = await story.stream('coder', { 'b.txt': 'mine\n' });
  await there('bob', (workflow) => requestReview(workflow, unpushed.id));
  const next = () => story.run('Olga', (workflow) => nextForReview(workflow));
  expect(await next()).toMatchObject({
    stream: null,
    why: 'nothing else waits for Olga',
    skipped: [{ id: unpushed.id }],
  });
  await story.submit('coder', mine);
  expect(await next()).toMatchObject({ stream: { id: mine.id }, skipped: [{ id: unpushed.id }] });
  await there('bob', push);
  expect(await next()).toMatchObject({ stream: { id: unpushed.id }, skipped: [] });
});

it('with tests before a landing, too, what is not pushed waits', async () => {
  const clones = await startClones({ stabilize: 'true', maintainers: ['bob'] });
  const { story, there } = clones;
  const unpushed = await clones.streamThere('bob', { 'theirs.txt': 't\n' }, { pushed: false });
  const mine = await story.stream('coder', { 'mine.txt': 'm\n' });
  await there('bob', (workflow) => requestReview(workflow, unpushed.id));
  await there('Olga', (workflow) => judgeStream(workflow, { stream: unpushed.id, verdict: 'approve' }));
  await there('bob', (workflow) => mergeStream(workflow, unpushed.id, { wait: false }));
  await story.submit('coder', mine);
  await story.judge('Olga', mine);
  expect(await story.merge('coder', mine)).toMatchObject({ kind: 'merged' });
  const run = await story.run('Olga', (workflow) => driveQueue(workflow));
  expect(run.waiting.map(({ reason }) => reason)).toEqual(["its author's machine has not pushed it yet"]);
  await there('bob', push);
  expect(await story.run('Olga', (workflow) => driveQueue(workflow))).toMatchObject({
    landed: [{ stream: { id: unpushed.id } }],
  });
});

it('a mirror that is old costs no approval, whatever looks at it', async () => {
  const clones = await startClones();
  const { story, there } = clones;
  const work = await clones.streamThere('bob', { 'theirs.txt': 't\n' });
  const first = (await story.show(work)).head;
  const request = { stream: work.id, remember: true, withPatch: false };
  await story.run('Olga', (workflow) => diffStream(workflow, request));
  expect(story.oid(work.branch)).toBe(first);
  await commitThere(clones, work, { 'more.txt': 'm\n' });
  await there('bob', push);
  await there('bob', (workflow) => requestReview(workflow, work.id));
  await there('Olga', (workflow) => judgeStream(workflow, { stream: work.id, verdict: 'approve' }));
  expect(story.oid(work.branch), 'here it is as old as before').toBe(first);
  await story.run('Olga', (workflow) => reportStatus(workflow));
  await story.run('Olga', (workflow) => examine(workflow, { fix: true }));
  const now = await story.show(work);
  expect(now).toMatchObject({ state: 'approved', commitCount: 2 });
  expect(await story.ask(listReviews, { stream: work.id })).toMatchObject({ items: [{ head: now.head }] });
  expect(await story.merge('Olga', work)).toMatchObject({ kind: 'merged' });
  expect(story.file('buffer', 'more.txt')).toBe('m\n');
});

it('a rebase there replaces what was pushed, and the mirror here follows with its old head kept', async () => {
  const clones = await startClones();
  const { story, there, at } = clones;
  const work = await clones.streamThere('bob', { 'theirs.txt': 't\n' });
  await story.run('Olga', (workflow) =>
    diffStream(workflow, { stream: work.id, remember: false, withPatch: false }),
  );
  const old = story.oid(work.branch);
  const mine = await story.stream('coder', { 'mine.txt': 'm\n' });
  await story.land(mine, { author: 'coder', judge: 'Olga' });
  await there('bob', fetchShared);
  expect(await there('bob', (workflow) => syncStream(workflow, work.id))).toMatchObject({ kind: 'moved' });
  expect(await there('bob', push)).toEqual({ pushed: [work.id], failed: [] });
  expect(await story.run('Olga', fetchShared)).toMatchObject({ streams: [work.id] });
  expect(story.oid(work.branch)).toBe(at(work.branch));
  expect(story.oid(`refs/gitswarm/kept/${work.id}/${old}`)).toBe(old);
});

it('what another hand pushed to a stream is not overwritten, not even after it was fetched', async () => {
  const clones = await startClones();
  const { story, there, at, remote } = clones;
  const work = await clones.streamThere('bob', { 'theirs.txt': 't\n' });
  const base = story.oid('main');
  const strange = story.git.git('commit-tree', '-p', base, '-m', 'strange', `${base}^{tree}`);
  story.git.git('push', '--quiet', '--force', remote, `${strange}:refs/heads/${work.branch}`);
  await commitThere(clones, work, { 'more.txt': 'm\n' });
  for (const look of [async () => undefined, () => there('bob', fetchShared)]) {
    await look();
    const { pushed, failed } = await there('bob', push);
    expect(pushed).toEqual([]);
    expect(failed).toEqual([{ streamId: work.id, why: expect.stringContaining(strange.slice(0, 10)) }]);
    expect(at(work.branch)).toBe(strange);
  }
  expect(story.git.gitIn(work.path, 'show', 'HEAD:more.txt')).toBe('m');
});

it('what its author pushed by hand is gone on from', async () => {
  const clones = await startClones();
  const { story, there, at } = clones;
  const work = await clones.streamThere('bob', { 'theirs.txt': 't\n' });
  story.git.commit('by hand', { 'hand.txt': 'h\n' }, work.path);
  story.git.gitIn(work.path, 'push', '--quiet', 'origin', work.branch);
  await commitThere(clones, work, { 'more.txt': 'm\n' });
  expect(await there('bob', push)).toEqual({ pushed: [work.id], failed: [] });
  expect(at(work.branch)).toBe((await story.show(work)).head);
});

it('a stream moves on the machine where it is written, and children elsewhere are deferred', async () => {
  const clones = await startClones();
  const { story, there } = clones;
  const root = await story.stream('coder', { 'root.txt': '1\n' });
  await story.run('coder', push);
  const fork = await there('bob', (workflow) => createWorkspace(workflow, { dependsOn: root.id }));
  const child = { id: fork.stream.id, path: fork.path, branch: fork.stream.branch };
  await commitThere(clones, child, { 'fork.txt': 'f\n' });
  await there('bob', push);
  const before = await story.show(child);
  const committed = await story.commit('coder', root, { 'root.txt': '2\n' });
  expect(committed.cascade).toMatchObject({ rebased: [], deferred: [child.id] });
  expect((await story.show(child)).head).toBe(before.head);
  expect(await refusal(story.run('Olga', (workflow) => syncStream(workflow, child.id)))).toMatchObject({
    code: 'wrong_state',
  });
  // Its parent's commit is not in the remote: the commit is made all the same, and follows later.
  await commitThere(clones, child, { 'fork.txt': 'f2\n' });
  expect(story.git.gitIn(child.path, 'show', 'HEAD:root.txt')).toBe('1');
  await story.run('coder', push);
  await commitThere(clones, child, { 'fork.txt': 'f3\n' });
  expect(story.git.gitIn(child.path, 'show', 'HEAD:root.txt')).toBe('2');
});

it('in swarm mode what another machine lands leaves the branch to the machine where it is written', async () => {
  const clones = await startClones({ mode: 'swarm' });
  const { story, there } = clones;
  const work = await clones.streamThere('bob', { 'theirs.txt': 't\n' });
  const head = story.git.oid('HEAD', work.path);
  expect((await story.show(work)).head).toBe(head);
  await story.run('Olga', (workflow) => reportStatus(workflow));
  await commitThere(clones, work, { 'more.txt': 'm\n' });
  await there('bob', push);
  expect(story.git.gitIn(clones.remote, 'show', 'buffer:more.txt')).toBe('m');
});

it('a tracked branch is at home where it was tracked, rewritten or not, and elsewhere a name that is left alone', async () => {
  const clones = await startClones();
  const { story, there, at } = clones;
  const { git } = story;
  const main = story.oid('main');
  const tip = git.git('commit-tree', '-p', main, '-m', 'feature', `${main}^{tree}`);
  git.git('branch', 'feature', tip);
  git.gitIn(clones.other, 'branch', 'feature', main);
  const { stream } = await story.run('coder', (workflow) => trackBranch(workflow, { branch: 'feature' }));
  expect(await story.run('coder', push)).toEqual({ pushed: [stream.id], failed: [] });
  const isHome = async (workflow: Workflow) =>
    isAtHome(workflow, await workflow.authority.call(showStream, { stream: stream.id }));
  expect([await story.run('coder', isHome), await there('bob', isHome)]).toEqual([true, false]);
  await there('bob', (workflow) =>
    diffStream(workflow, { stream: stream.id, remember: false, withPatch: false }),
  );
  expect(git.oid('feature', clones.other)).toBe(main);
  const amended = git.git('commit-tree', '-p', main, '-m', 'amended', `${main}^{tree}`);
  git.git('update-ref', 'refs/heads/feature', amended);
  await story.run('coder', (workflow) => reportStatus(workflow));
  const now = await story.show(stream);
  expect([now.head, await story.run('coder', isHome)]).toEqual([story.oid('feature'), true]);
  expect(await story.run('coder', push)).toEqual({ pushed: [stream.id], failed: [] });
  expect(at('feature')).toBe(now.head);
});

it('a workspace that is restored in another clone begins at the recorded head, and can be rebased and pushed there', async () => {
  const clones = await startClones();
  const { story, at, there } = clones;
  const work = await clones.streamThere('bob', { 'theirs.txt': 't\n' });
  const head = at(work.branch);
  const restored = await story.run('bob', (workflow) => restoreWorkspace(workflow, work.id));
  expect(story.git.oid('HEAD', restored.path)).toBe(head);
  const mine = await story.stream('coder', { 'mine.txt': 'm\n' });
  await story.land(mine, { author: 'coder', judge: 'Olga' });
  await story.run('bob', (workflow) => syncStream(workflow, work.id));
  expect(await story.run('bob', (workflow) => pushStreams(workflow, [work.id]))).toEqual({
    pushed: [work.id],
    failed: [],
  });
  // The first workspace has commits of its own by now: they are not taken for a rewrite.
  story.git.commit('by hand', { 'hand.txt': 'h\n' }, work.path);
  const status = await there('bob', (workflow) => reportStatus(workflow));
  expect(status.warnings.join()).toContain('another machine');
  expect((await story.show(work)).head).toBe(story.git.oid('HEAD', restored.path));
});

it('a remote that is away fails what is pushed, each with the reason', async () => {
  const clones = await startClones();
  const { story } = clones;
  const work = await story.stream('coder', { 'mine.txt': 'm\n' });
  story.git.git('remote', 'set-url', 'origin', '/nonexistent/remote.git');
  expect(await story.run('coder', push)).toEqual({
    pushed: [],
    failed: [{ streamId: work.id, why: expect.stringContaining('cannot be reached') }],
  });
  story.git.git('tag', 'green/20260101T000000Z-0123456789', 'main');
  expect(await refusal(story.run('coder', (workflow) => pushTags(workflow)))).toMatchObject({
    code: 'unavailable',
  });
});
