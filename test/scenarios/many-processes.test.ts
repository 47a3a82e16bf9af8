import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listMerges } from '../../src/contract/merges.ts';
import { listTasks } from '../../src/contract/tasks.ts';
import { driveAtOnce, type Ended } from '../support/driven.ts';
import { gitFixture } from '../support/git-fixture.ts';
import { expectSound } from '../support/invariants.ts';
import { runProgram, Story, signAs, startStory } from '../support/story.ts';

function failures(all: Ended[]): unknown[] {
  return all
    .filter(({ answer }) => !answer?.ok)
    .map(({ answer, stderr, signal }) => answer ?? `${signal} ${stderr}`);
}

it('32 processes make their workspaces at once, and every one has its own', async () => {
  const story = await startStory();
  const all = await driveAtOnce(
    story.dir,
    Array.from({ length: 32 }, () => ({ as: 'coder', job: { op: 'workspace' as const } })),
  );
  expect(failures(all)).toEqual([]);
  expect(new Set(all.map(({ answer }) => answer.data.path)).size).toBe(32);
  for (const { answer } of all) expect(existsSync(join(answer.data.path, 'sub/b.txt'))).toBe(true);
  await expectSound(story);
});

it('16 processes commit in swarm mode at once, and every commit lands exactly once', async () => {
  const story = await startStory({ mode: 'swarm' });
  const works = [];
  for (let n = 0; n < 16; n++) {
    const work = await story.workspace('coder');
    story.git.write({ [`work ${n}.txt`]: `${n}\n` }, work.path);
    works.push(work);
  }
  const all = await driveAtOnce(
    story.dir,
    works.map((work, n) => ({
      as: 'coder',
      job: { op: 'commit' as const, stream: work.id, message: `work ${n}` },
    })),
  );
  expect(failures(all)).toEqual([]);
  expect(all.map(({ answer }) => answer.data.merged)).toEqual(works.map(() => true));
  for (let n = 0; n < 16; n++) expect(story.file('buffer', `work ${n}.txt`)).toBe(`${n}\n`);
  const { items } = await story.ask(listMerges, { repoId: await story.repoId(), limit: 100 });
  expect(items.map(({ state }) => state)).toEqual(works.map(() => 'landed'));
  for (const work of works) expect(story.status(work.path)).toEqual([]);
  await expectSound(story);
});

it('8 processes merge reviewed streams at once, and all land, one after the other', async () => {
  const story = await startStory();
  const works = [];
  for (let n = 0; n < 8; n++) works.push(await story.stream('Olga', { [`work ${n}.txt`]: `${n}\n` }));
  const all = await driveAtOnce(
    story.dir,
    works.map((work) => ({ as: 'Olga', job: { op: 'merge' as const, stream: work.id } })),
  );
  expect(failures(all)).toEqual([]);
  expect(all.map(({ answer }) => answer.data.kind)).toEqual(works.map(() => 'merged'));
  for (let n = 0; n < 8; n++) expect(story.file('buffer', `work ${n}.txt`)).toBe(`${n}\n`);
  expect(story.git.git('rev-list', '--count', '--first-parent', 'main..buffer')).toBe('8');
  await expectSound(story);
});

/** 64 processes in the long form; each takes as much memory as a browser tab. */
const RIVALS = process.env.GITSWARM_LONG === '1' ? 32 : 12;

it('of many processes that claim at once, each task goes to exactly one', async () => {
  const agents = Array.from({ length: 8 }, (_, n) => `agent${n}`);
  const story = await startStory({ agents });
  const wanted = await story.task('The one that all want', { priority: 'critical' });
  const others = RIVALS - 8;
  for (let n = 0; n < others; n++) await story.task(`Task ${n}`);
  const one = Array.from({ length: RIVALS }, (_, n) => ({
    as: agents[n % 8] ?? '',
    job: { op: 'claim' as const, task: wanted.id },
  }));
  const next = Array.from({ length: RIVALS }, (_, n) => ({
    as: agents[n % 8] ?? '',
    job: { op: 'next' as const },
  }));
  const all = await driveAtOnce(story.dir, [...one, ...next]);

  const holders = new Set(
    all
      .filter(({ answer }) => answer.ok && answer.data.task?.id === wanted.id)
      .map(({ answer }) => answer.data.claim.agentId),
  );
  expect(holders.size).toBe(1);
  const refused = failures(all.slice(0, RIVALS)) as { code: string }[];
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['claim_taken']));
  expect(failures(all.slice(RIVALS))).toEqual([]);
  const given = all.slice(RIVALS).flatMap(({ answer }) => (answer.data.task ? [answer.data.task.id] : []));
  expect(new Set(given).size).toBe(given.length);
  const claimed = (
    await story.ask(listTasks, { repoId: await story.repoId(), status: 'claimed', limit: 100 })
  ).items;
  expect(claimed).toHaveLength(others + 1);
});

it('of processes that initialise a repository at once, one does it and the others find it done', async () => {
  const git = gitFixture({ branch: 'main' });
  signAs(git, git.dir, 'Olga');
  git.commit('begin', { 'a.txt': 'a\n' });
  const all = await driveAtOnce(
    git.dir,
    Array.from({ length: 6 }, () => ({ as: 'Olga', job: { op: 'init' as const } })),
  );
  expect(failures(all)).toEqual([]);
  expect(all.filter(({ answer }) => answer.data.created)).toHaveLength(1);
  expect(new Set(all.map(({ answer }) => answer.data.repo.id)).size).toBe(1);
  const story = new Story(git, git.dir);
  expect((await story.workspace('Olga')).path).toContain('.worktrees');
  expect(runProgram(['git', 'status', '--porcelain'], git.dir).stdout).toBe('?? .gitswarm/\n');
});
