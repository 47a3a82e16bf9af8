import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { listMerges } from '../../src/contract/merges.ts';
import { createWorkspace } from '../../src/workflows/create-workspace.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import { mergeStream } from '../../src/workflows/merge-stream.ts';
import { promote } from '../../src/workflows/promote.ts';
import { revertStream } from '../../src/workflows/revert-stream.ts';
import { requestReview } from '../../src/workflows/review-stream.ts';
import { advanceShared } from '../../src/workflows/shared/advance-shared.ts';
import { fetchShared, meetShared } from '../../src/workflows/shared/fetch-shared.ts';
import { pushStreams } from '../../src/workflows/shared/push-shared.ts';
import { seenRef } from '../../src/workflows/shared/shared-refs.ts';
import { type Clones, startClones } from '../support/shared-clones.ts';
import { refusal, type Work } from '../support/story.ts';

/** A stream that may land, written in the first clone or in the second. */
async function approved(
  clones: Clones,
  where: 'here' | 'there',
  files: Record<string, string>,
): Promise<Work> {
  const { story } = clones;
  const work = where === 'here' ? await story.stream('coder', files) : await clones.streamThere('bob', files);
  if (where === 'here') await story.submit('coder', work);
  else await clones.there('bob', (workflow) => requestReview(workflow, work.id));
  await story.judge('Olga', work);
  return work;
}

/** Commits to the remote's buffer by a hand that knows nothing of GitSwarm. */
function strangerPushes({ story, remote }: Clones, branch: string, files: Record<string, string>): string {
  const { git } = story;
  const dir = `${git.top}/stranger-${Math.random().toString(36).slice(2)}`;
  git.gitIn(git.top, 'clone', '--quiet', '--branch', branch, remote, dir);
  const commit = git.commit('by hand', files, dir);
  git.gitIn(dir, 'push', '--quiet', 'origin', branch);
  return commit;
}

it('the first clone publishes its buffer, and the other follows with its checkout', async () => {
  const clones = await startClones();
  const { story, at, there, other } = clones;
  expect(at('buffer')).toBeUndefined();
  const work = await approved(clones, 'here', { 'new.txt': 'n\n' });
  expect(await story.merge('coder', work)).toMatchObject({ kind: 'merged' });
  expect(at('buffer')).toBe(story.oid('buffer'));
  story.git.gitIn(other, 'switch', '--quiet', 'buffer');
  expect(await there('bob', fetchShared)).toEqual({ buffer: 'moved', target: 'same', streams: [] });
  expect(story.git.oid('HEAD', other)).toBe(at('buffer'));
  expect(story.status(other)).toEqual([]);
  expect(await there('bob', fetchShared)).toMatchObject({ buffer: 'same' });
});

it('fetching touches neither the remote branches of a person nor any branch that is none of ours', async () => {
  const clones = await startClones();
  const { story, there, other, remote } = clones;
  await story.run('Olga', (workflow) => meetShared(workflow));
  const tip = strangerPushes(clones, 'buffer', { 'x.txt': 'x\n' });
  for (const name of ['stream/not-an-id', 'feature', 'stream/a/b'])
    story.git.gitIn(remote, 'update-ref', `refs/heads/${name}`, tip);
  story.git.gitIn(remote, 'tag', 'green/mine', tip);
  const before = story.git.gitIn(other, 'for-each-ref', 'refs/remotes', 'refs/tags');
  expect(await there('bob', fetchShared)).toMatchObject({ buffer: 'moved', streams: [] });
  expect(story.git.gitIn(other, 'for-each-ref', 'refs/remotes', 'refs/tags')).toBe(before);
  expect(story.git.gitIn(other, 'for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/gitswarm')).toBe(
    [
      'refs/gitswarm/shared/heads/buffer',
      'refs/gitswarm/shared/heads/main',
      'refs/heads/buffer',
      'refs/heads/main',
    ].join('\n'),
  );
});

it('two clones that land at the same moment both land, and neither overwrites the other', async () => {
  const clones = await startClones();
  const { story, at, there } = clones;
  const mine = await approved(clones, 'here', { 'mine.txt': 'm\n' });
  const theirs = await approved(clones, 'there', { 'theirs.txt': 't\n' });
  // The other one lands when this one has composed and recorded its commit.
  let raced: Promise<unknown> | undefined;
  const landed = await story.run('coder', (workflow) =>
    mergeStream(
      {
        ...workflow,
        authority: {
          ...workflow.authority,
          as: workflow.authority.as,
          call: async (endpoint, input, options) => {
            const answer = await workflow.authority.call(endpoint, input, options);
            if (endpoint.name === 'merge.prepare' && !raced) {
              raced = there('bob', (other) => mergeStream(other, theirs.id));
              await raced;
            }
            return answer;
          },
        },
      },
      mine.id,
    ),
  );
  expect(landed).toMatchObject({ kind: 'merged', bufferAfter: at('buffer') });
  expect(await raced).toMatchObject({ kind: 'merged' });
  expect(story.oid('buffer')).toBe(at('buffer'));
  expect(story.file('buffer', 'mine.txt')).toBe('m\n');
  expect(story.file('buffer', 'theirs.txt')).toBe('t\n');
  expect(story.git.git('rev-list', '--count', '--first-parent', 'main..buffer')).toBe('2');
  const { items } = await story.ask(listMerges, { repoId: await story.repoId(), state: 'landed' });
  expect(items).toHaveLength(2);
});

it('two machines that drive one queue at once land each of its streams once', async () => {
  const clones = await startClones();
  const { story, at, there } = clones;
  const works: Work[] = [];
  for (const n of [1, 2, 3, 4]) {
    const work = await approved(clones, n % 2 ? 'here' : 'there', { [`${n}.txt`]: 'x\n' });
    works.push(work);
    await story.run('Olga', async (workflow) => {
      await pushStreams(workflow);
      await mergeStream(workflow, work.id, { wait: false });
    });
  }
  const runs = await Promise.all([
    story.run('Olga', (workflow) => driveQueue(workflow)),
    there('Olga', (workflow) => driveQueue(workflow)),
  ]);
  expect(runs.flatMap(({ refused, conflicted }) => [...refused, ...conflicted])).toEqual([]);
  await story.run('Olga', (workflow) => driveQueue(workflow));
  for (const work of works) expect(await story.show(work)).toMatchObject({ state: 'merged' });
  expect(story.oid('buffer')).toBe(at('buffer'));
  expect(story.git.git('rev-list', '--count', '--first-parent', 'main..buffer')).toBe('4');
});

it('what stands in the remote is lost to whoever was slower, and is fetched for the next try', async () => {
  const clones = await startClones();
  const { story, at } = clones;
  await story.run('Olga', (workflow) => meetShared(workflow));
  const from = story.oid('buffer');
  const tip = strangerPushes(clones, 'buffer', { 'x.txt': 'x\n' });
  const to = story.git.git('commit-tree', '-p', from, '-m', 'ours', `${from}^{tree}`);
  const move = { branch: 'buffer', from, to };
  expect(await story.run('Olga', (workflow) => advanceShared(workflow, move))).toBe('lost');
  expect([at('buffer'), story.oid('buffer')]).toEqual([tip, tip]);
  const next = story.git.git('commit-tree', '-p', tip, '-m', 'ours', `${tip}^{tree}`);
  const again = { branch: 'buffer', from: tip, to: next };
  expect(await story.run('Olga', (workflow) => advanceShared(workflow, again))).toBe('moved');
  expect(at('buffer')).toBe(next);
  const backwards = { branch: 'buffer', from: next, to: tip };
  expect(await refusal(story.run('Olga', (workflow) => advanceShared(workflow, backwards)))).toMatchObject({
    code: 'invalid',
  });
});

it('a buffer that a cut-off push left ahead is published before anything else lands', async () => {
  const clones = await startClones();
  const { story, at } = clones;
  await story.run('Olga', (workflow) => meetShared(workflow));
  const tip = story.oid('buffer');
  const ahead = story.git.git('commit-tree', '-p', tip, '-m', 'landed before', `${tip}^{tree}`);
  story.git.git('update-ref', 'refs/heads/buffer', ahead);
  expect(await story.run('Olga', fetchShared)).toMatchObject({ buffer: 'ahead' });
  expect([story.oid('buffer'), at('buffer')]).toEqual([ahead, tip]);
  await story.run('Olga', (workflow) => driveQueue(workflow));
  expect(at('buffer')).toBe(ahead);
});

it('buffers that diverged are refused with both commits, and nothing is lost', async () => {
  const clones = await startClones();
  const { story, at } = clones;
  await story.run('Olga', (workflow) => meetShared(workflow));
  const tip = strangerPushes(clones, 'buffer', { 'x.txt': 'x\n' });
  const base = story.oid('buffer');
  const own = story.git.git('commit-tree', '-p', base, '-m', 'only here', `${base}^{tree}`);
  story.git.git('update-ref', 'refs/heads/buffer', own);
  expect(await story.run('Olga', fetchShared)).toMatchObject({ buffer: 'diverged' });
  const error = await refusal(story.run('Olga', (workflow) => driveQueue(workflow)));
  expect(error).toMatchObject({ code: 'conflict', details: { local: own, shared: tip } });
  expect(error.message).toContain(own.slice(0, 10));
  expect(error.message).toContain(tip.slice(0, 10));
  expect([story.oid('buffer'), at('buffer')]).toEqual([own, tip]);
  const told: string[] = [];
  const made = await story.run('coder', (workflow) => createWorkspace(workflow, {}), {
    notify: (text) => told.push(text),
  });
  expect(made.stream.baseCommit).toBe(own);
  expect(told.join()).toContain('diverged');
});

it('a buffer that was deleted in the remote is not begun anew by whoever comes first', async () => {
  const clones = await startClones();
  const { story, remote, at } = clones;
  await story.run('Olga', (workflow) => meetShared(workflow));
  story.git.gitIn(remote, 'update-ref', '-d', 'refs/heads/buffer');
  expect(await story.run('Olga', fetchShared)).toMatchObject({ buffer: 'missing' });
  expect(await refusal(story.run('Olga', (workflow) => driveQueue(workflow)))).toMatchObject({
    code: 'conflict',
  });
  expect(at('buffer')).toBeUndefined();
});

it('a checkout of the buffer with edits in the way is told before anything moves', async () => {
  const clones = await startClones();
  const { story, other, there, at } = clones;
  const { git } = story;
  await story.run('Olga', (workflow) => meetShared(workflow));
  git.gitIn(other, 'switch', '--quiet', 'buffer');
  git.write({ 'x.txt': 'mine\n' }, other);
  const tip = strangerPushes(clones, 'buffer', { 'x.txt': 'x\n' });
  expect(await refusal(there('bob', fetchShared))).toMatchObject({
    code: 'target_checked_out',
    details: { files: ['x.txt'] },
  });
  expect(git.oid('buffer', other)).not.toBe(tip);
  git.write({ 'x.txt': undefined }, other);
  await there('bob', fetchShared);
  const work = await approved(clones, 'there', { 'y.txt': 'y\n' });
  git.write({ 'y.txt': 'mine\n' }, other);
  expect(await refusal(there('bob', (workflow) => mergeStream(workflow, work.id)))).toMatchObject({
    code: 'target_checked_out',
  });
  expect([at('buffer'), git.oid('buffer', other)]).toEqual([tip, tip]);
  expect(await story.show(work)).toMatchObject({ state: 'approved' });
});

it('a remote that says no leaves the landing in the queue, and the buffer where it was', async () => {
  const clones = await startClones();
  const { story, remote, at } = clones;
  await story.run('Olga', (workflow) => meetShared(workflow));
  const work = await approved(clones, 'here', { 'new.txt': 'n\n' });
  const tip = at('buffer');
  const hook = `${remote}/hooks/pre-receive`;
  writeFileSync(hook, '#!/bin/sh\necho no landings today >&2\nexit 1\n');
  chmodSync(hook, 0o755);
  const error = await refusal(story.merge('coder', work));
  expect(error).toMatchObject({ code: 'unavailable', details: { branch: 'buffer' } });
  expect([at('buffer'), story.oid('buffer')]).toEqual([tip, tip]);
  expect(await story.show(work)).toMatchObject({ state: 'queued' });
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  expect(await story.merge('coder', work)).toMatchObject({ kind: 'merged', bufferAfter: at('buffer') });
});

it('a push whose answer never came has happened if the remote says so', async () => {
  const clones = await startClones();
  const { story, remote, at } = clones;
  await story.run('Olga', (workflow) => meetShared(workflow));
  const work = await approved(clones, 'here', { 'new.txt': 'n\n' });
  const hook = `${remote}/hooks/post-receive`;
  // The refs have moved by then, and the other end dies before it can say so.
  writeFileSync(hook, '#!/bin/sh\nkill -9 $PPID\n');
  chmodSync(hook, 0o755);
  expect(await story.merge('coder', work)).toMatchObject({ kind: 'merged', bufferAfter: at('buffer') });
  expect(story.oid('buffer')).toBe(at('buffer'));
});

it('processes of one clone may fetch at the same moment', async () => {
  const clones = await startClones();
  const { story, there, at } = clones;
  await story.run('Olga', (workflow) => meetShared(workflow));
  await Promise.all([1, 2, 3].map((n) => clones.streamThere('bob', { [`${n}.txt`]: 'x\n' })));
  strangerPushes(clones, 'buffer', { 'x.txt': 'x\n' });
  const fetched = await Promise.all([1, 2, 3, 4].map(() => story.run('Olga', fetchShared)));
  expect(fetched.map(({ buffer }) => buffer).every((kind) => kind === 'moved' || kind === 'same')).toBe(true);
  expect(story.oid('buffer')).toBe(at('buffer'));
  expect(await there('bob', fetchShared)).toMatchObject({ buffer: 'moved' });
});

it('while the remote is away work begins on what is here, and nothing moves buffer or target', async () => {
  const clones = await startClones();
  const { story, remote } = clones;
  const work = await approved(clones, 'here', { 'new.txt': 'n\n' });
  const tip = story.oid('buffer');
  renameSync(remote, `${remote}.away`);
  story.git.git('remote', 'set-url', 'origin', `file://name:secret@localhost${remote}`);
  const told: string[] = [];
  await story.run('bob', (workflow) => createWorkspace(workflow, {}), { notify: (text) => told.push(text) });
  expect(told.join()).toContain('cannot be reached');
  const calls = [
    () => story.merge('coder', work),
    () => story.run('Olga', fetchShared),
    () => story.run('Olga', (workflow) => promote(workflow)),
    () => story.run('Olga', (workflow) => driveQueue(workflow)),
  ];
  for (const call of calls) {
    const error = await refusal(call());
    expect(error.code).toBe('unavailable');
    expect(JSON.stringify([error.message, error.fix, error.details, String(error.cause)])).not.toContain(
      'secret',
    );
  }
  expect(story.oid('buffer')).toBe(tip);
  story.git.git('remote', 'set-url', 'origin', remote);
  renameSync(`${remote}.away`, remote);
  expect(await story.merge('coder', work)).toMatchObject({ kind: 'merged' });
});

it('a promotion moves the target of the remote, then of both clones; edits in the way refuse it before', async () => {
  const clones = await startClones();
  const { story, at, there, other } = clones;
  const { git } = story;
  const work = await approved(clones, 'here', { 'a.txt': 'changed\n' });
  await story.merge('coder', work);
  git.write({ 'a.txt': 'edited\n' });
  const main = at('main');
  expect(await refusal(story.promote())).toMatchObject({ code: 'target_checked_out' });
  expect([at('main'), story.oid('main')]).toEqual([main, main]);
  git.git('checkout', '--quiet', '--', 'a.txt');
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect([at('main'), story.oid('main')]).toEqual([story.oid('buffer'), story.oid('buffer')]);
  expect(await there('bob', fetchShared)).toMatchObject({ target: 'moved' });
  expect(git.oid('HEAD', other)).toBe(at('main'));
  expect(story.status(other)).toEqual([]);
});

it('a target that cannot follow keeps nobody from landing, and only a promotion is refused', async () => {
  const clones = await startClones();
  const { story, at, other, there } = clones;
  const { git } = story;
  git.commit('a fix by hand, not pushed', { 'fix.txt': 'f\n' }, other);
  const tip = strangerPushes(clones, 'main', { 'hotfix.txt': 'h\n' });
  const work = await approved(clones, 'there', { 'b.txt': 'b\n' });
  expect(await there('bob', (workflow) => mergeStream(workflow, work.id))).toMatchObject({ kind: 'merged' });
  expect(await refusal(there('Olga', (workflow) => promote(workflow)))).toMatchObject({
    code: 'conflict',
    details: { branch: 'main', shared: tip },
  });
  expect(at('main')).toBe(tip);
  // The other clone has no commits of its own there: it follows, takes in and promotes.
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.file('main', 'hotfix.txt')).toBe('h\n');
  expect(at('main')).toBe(story.oid('main'));
});

it('a revert is made on what the others have landed meanwhile', async () => {
  const clones = await startClones();
  const { story, at, there } = clones;
  const mine = await approved(clones, 'here', { 'mine.txt': 'm\n' });
  await story.merge('coder', mine);
  const theirs = await approved(clones, 'there', { 'theirs.txt': 't\n' });
  await there('bob', (workflow) => mergeStream(workflow, theirs.id));
  expect(await story.run('Olga', (workflow) => revertStream(workflow, mine.id))).toMatchObject({
    kind: 'reverted',
    bufferAfter: at('buffer'),
  });
  expect(story.file('buffer', 'mine.txt')).toBeUndefined();
  expect(story.file('buffer', 'theirs.txt')).toBe('t\n');
});

it('a green tag is published with the run that found it', async () => {
  const clones = await startClones({ stabilize: 'true' });
  const { story, remote, there, other } = clones;
  const { tag } = await story.stabilize();
  expect(tag).toMatch(/^green\//);
  expect(story.git.gitIn(remote, 'tag', '--list')).toBe(tag);
  await there('bob', fetchShared);
  expect(story.git.gitIn(other, 'tag', '--list')).toBe(tag);
  expect(story.git.oid(`${seenRef(`refs/tags/${tag}`)}^{commit}`, other)).toBe(story.oid('buffer'));
});

it('without a shared remote nothing is asked and nothing is noted', async () => {
  const clones = await startClones();
  const { story, at } = clones;
  story.shared = undefined;
  const work = await approved(clones, 'here', { 'new.txt': 'n\n' });
  expect(await story.merge('coder', work)).toMatchObject({ kind: 'merged' });
  expect(await story.run('Olga', fetchShared)).toEqual({ buffer: 'same', target: 'same', streams: [] });
  expect(at('buffer')).toBeUndefined();
  expect(story.git.git('for-each-ref', 'refs/gitswarm/shared')).toBe('');
});
