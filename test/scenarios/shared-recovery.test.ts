import { expect, it } from 'vitest';
import { SwarmError } from '../../src/contract/errors.ts';
import { listMerges, prepareMerge } from '../../src/contract/merges.ts';
import { mergeStream } from '../../src/workflows/merge-stream.ts';
import { recover } from '../../src/workflows/recover.ts';
import { requestReview } from '../../src/workflows/review-stream.ts';
import { meetShared } from '../../src/workflows/shared/fetch-shared.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';
import { AWAY, type Clones, startClones } from '../support/shared-clones.ts';
import type { Work } from '../support/story.ts';

const MINUTE = 60_000;

const later = (workflow: Workflow, minutes: number): Workflow => ({
  ...workflow,
  clock: { now: () => workflow.clock.now() + minutes * MINUTE },
});

/** A landing of the second clone's that was recorded and perhaps pushed, and whose process says no more. */
async function cutOff(
  clones: Clones,
  { pushed }: { pushed: boolean },
): Promise<{ work: Work; commit: string }> {
  const { story, there, other } = clones;
  const { git } = story;
  await story.run('Olga', (workflow) => meetShared(workflow));
  const work = await clones.streamThere('bob', { 'theirs.txt': 't\n' });
  await there('bob', (workflow) => requestReview(workflow, work.id));
  await story.judge('Olga', work);
  await there('bob', (workflow) => mergeStream(workflow, work.id, { wait: false }));
  const { items } = await story.ask(listMerges, { repoId: await story.repoId(), stream: work.id });
  const tip = git.oid('buffer', other);
  const args = ['-p', tip, '-p', work.branch, '-m', 'landing', `${work.branch}^{tree}`];
  const commit = git.gitIn(other, 'commit-tree', ...args);
  const wish = { merge: items[0]?.id ?? '', commit, bufferBefore: tip, holder: AWAY };
  const prepared = await story.ask(prepareMerge, wish, 'bob');
  expect(Date.parse(prepared.permitUntil ?? '') - Date.now()).toBeGreaterThan(9 * MINUTE);
  if (pushed) git.gitIn(other, 'push', '--quiet', 'origin', `${commit}:refs/heads/buffer`);
  return { work, commit };
}

it('a landing that another machine prepared is its own until the permit ends, then the remote tells what it is', async () => {
  const clones = await startClones();
  const { story } = clones;
  const { work, commit } = await cutOff(clones, { pushed: true });
  expect(await story.run('Olga', (workflow) => recover(workflow))).toEqual([]);
  expect(await story.run('Olga', (workflow) => recover(later(workflow, 9)))).toEqual([]);
  expect(await story.run('Olga', (workflow) => recover(later(workflow, 11)))).toMatchObject([
    { what: 'merge', done: 'had landed; recorded' },
  ]);
  expect(story.oid('buffer')).toBe(commit);
  expect(await story.show(work)).toMatchObject({ state: 'merged', mergedCommit: commit });
});

it('a clock that is ahead takes nothing back before whoever decides says that the permit has ended', async () => {
  const clones = await startClones();
  const { story } = clones;
  const { work } = await cutOff(clones, { pushed: false });
  const asked: unknown[] = [];
  const repairs = await story.run('Olga', (workflow) => {
    const call: Workflow['authority']['call'] = (endpoint, input, options) => {
      if (endpoint.name !== 'merge.end') return workflow.authority.call(endpoint, input, options);
      asked.push(input);
      throw new SwarmError('busy', 'Another machine may be landing it.');
    };
    const authority = {
      ...workflow.authority,
      call: async (...given: Parameters<typeof call>) => call(...given),
    };
    return recover({ ...later(workflow, 11), authority: authority as Workflow['authority'] });
  });
  expect(repairs).toEqual([]);
  expect(asked).toMatchObject([{ state: 'withdrawn', holder: null }]);
  expect((await story.show(work)).state).toBe('queued');
});

it('one that was never pushed is asked for again, though its commit is not even here', async () => {
  const clones = await startClones();
  const { story, at } = clones;
  const { work, commit } = await cutOff(clones, { pushed: false });
  expect(story.git.tryGit(story.dir, 'cat-file', '-e', commit).status).not.toBe(0);
  expect(await story.run('Olga', (workflow) => recover(later(workflow, 11)))).toMatchObject([
    { what: 'merge', done: 'asked for again' },
  ]);
  expect(await story.merge('Olga', work)).toMatchObject({ kind: 'merged', bufferAfter: at('buffer') });
});

it('while the remote is away nothing is settled, and no command fails for it', async () => {
  const clones = await startClones();
  const { story, remote } = clones;
  const { work } = await cutOff(clones, { pushed: true });
  story.git.git('remote', 'set-url', 'origin', '/nonexistent/remote.git');
  const told: string[] = [];
  const notify = (text: string) => told.push(text);
  expect(await story.run('Olga', (workflow) => recover(later(workflow, 11)), { notify })).toEqual([]);
  expect(told.join()).toContain('waits to be settled');
  expect(await story.show(work)).toMatchObject({ state: 'queued' });
  story.git.git('remote', 'set-url', 'origin', remote);
  expect(await story.run('Olga', (workflow) => recover(later(workflow, 11)))).toHaveLength(1);
});

it('where there is no other clone a process that was never seen is dead at once', async () => {
  const clones = await startClones();
  const { story } = clones;
  const { work, commit } = await cutOff(clones, { pushed: true });
  story.git.git('fetch', '--quiet', 'origin', commit);
  story.shared = undefined;
  const left = await story.run('Olga', async (workflow) => {
    const { items } = await workflow.authority.call(listMerges, {
      repoId: workflow.repo.id,
      state: 'prepared',
    });
    return items;
  });
  expect(left).toEqual([]);
  expect(await story.show(work), 'asked for again').toMatchObject({ state: 'queued' });
});

it('a landing that another machine is at, or was quicker with, is left to it', async () => {
  const clones = await startClones();
  const { story } = clones;
  const { work } = await cutOff(clones, { pushed: false });
  expect(await story.merge('Olga', work)).toMatchObject({ kind: 'queued', blocked: true });
  const { items } = await story.ask(listMerges, { repoId: await story.repoId(), stream: work.id });
  expect(items).toMatchObject([{ state: 'prepared', holder: AWAY }]);
});
