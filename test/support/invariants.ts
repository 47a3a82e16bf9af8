import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { allPages } from '../../src/base/all-pages.ts';
import { listMerges, type Merge } from '../../src/contract/merges.ts';
import { listStreams, type Stream } from '../../src/contract/streams.ts';
import { changeIdOf } from '../../src/git/change-id.ts';
import { listCheckouts } from '../../src/machine/checkouts.ts';
import { listIntents } from '../../src/machine/intents.ts';
import { isHolderAlive } from '../../src/machine/process-identity.ts';
import { listWorkspaces } from '../../src/machine/workspaces.ts';
import { examine } from '../../src/workflows/doctor/doctor.ts';
import { reportStatus } from '../../src/workflows/status-report.ts';
import type { Story } from './story.ts';

/** What must still be there whatever happens. */
export interface Remembered {
  commits: string[];
  /** Contents of files that were not committed, by blob id, with a path for the message. */
  files: Map<string, string>;
  /** The person's own checkout. */
  status: string[];
  head: string;
}

/** Writes down every commit and every content that is not committed, in every checkout. */
export function remember(story: Story): Remembered {
  const files = new Map<string, string>();
  for (const dir of checkouts(story)) for (const [oid, path] of unsaved(story, dir)) files.set(oid, path);
  return {
    commits: reachable(story),
    files,
    status: story.status(),
    head: story.git.gitIn(story.dir, 'symbolic-ref', 'HEAD'),
  };
}

/** What a person does after a crash: looks at the status, and lets the doctor mend what it finds. */
export async function recoverByCommands(story: Story): Promise<void> {
  await story.run('Olga', (workflow) => reportStatus(workflow));
  await story.run('Olga', (workflow) => examine(workflow, { fix: true }));
  const { findings, remaining } = await story.run('Olga', (workflow) => examine(workflow, { fix: false }));
  const problems = findings.filter((finding) => finding.level === 'problem');
  expect({ remaining, problems }).toEqual({ remaining: 0, problems: [] });
}

/** The promises of the whole product at rest: nothing lost, all landed exactly once, nothing left lying about. */
export async function expectSound(story: Story, before?: Remembered): Promise<void> {
  if (before) expectNothingLost(story, before);
  const { merges, streams } = await story.run('Olga', async ({ authority, repo }) => ({
    merges: await allPages((cursor) => authority.call(listMerges, { repoId: repo.id, limit: 200, cursor })),
    streams: await allPages((cursor) => authority.call(listStreams, { repoId: repo.id, limit: 200, cursor })),
  }));
  expectLandedOnce(story, merges);
  await expectNoLeftovers(story, streams, merges);
}

function expectNothingLost(story: Story, before: Remembered): void {
  const now = reachable(story);
  const held = new Set(now);
  const unheld = before.commits.filter((commit) => !held.has(commit));
  const meant = new Set(unheld.length === 0 ? [] : now.map((commit) => meaningOf(story, commit)));
  const gone = unheld.filter((commit) => !meant.has(meaningOf(story, commit)));
  expect(gone, 'commits that no ref holds any more').toEqual([]);
  const kept = new Set([
    ...lines(story.git.gitIn(story.dir, 'rev-list', '--objects', '--all')).map(
      (line) => line.split(' ')[0] ?? '',
    ),
    ...checkouts(story).flatMap((dir) => [...unsaved(story, dir).keys()]),
  ]);
  const lost = [...before.files].filter(([oid]) => !kept.has(oid)).map(([, path]) => path);
  expect(lost, 'contents that were not committed and are nowhere any more').toEqual([]);
  expect(story.status(), 'the person’s own checkout').toEqual(before.status);
  expect(story.git.gitIn(story.dir, 'symbolic-ref', 'HEAD')).toBe(before.head);
}

/** The ledger and git say the same, both ways, and no change is on the buffer twice. */
function expectLandedOnce(story: Story, merges: Merge[]): void {
  const happened = merges.filter(({ state }) => state === 'landed' || state === 'reverted');
  const moved = happened.filter((merge) => merge.commit !== merge.bufferBefore);
  const inGit = lines(
    story.git.gitIn(
      story.dir,
      'log',
      '--first-parent',
      '--format=%H %(trailers:key=GitSwarm-Merge,valueonly,separator=%x20)',
      'buffer',
    ),
  )
    .map((line) => line.trim().split(' '))
    .filter((words) => words.length === 2)
    .map(([commit, merge]) => `${merge} ${commit}`);
  expect(inGit.sort(), 'landings on the buffer, and in the ledger').toEqual(
    moved.map((merge) => `${merge.id} ${merge.commit}`).sort(),
  );
  const seen = new Map<string, string>();
  const standing = moved.filter((merge) => merge.kind === 'stream' && merge.state === 'landed');
  for (const merge of standing) {
    const own = lines(
      story.git.gitIn(story.dir, 'rev-list', '--no-merges', `${merge.commit}^1..${merge.commit}^2`),
    );
    for (const commit of own) {
      const change = changeIdOf(story.git.gitIn(story.dir, 'log', '-1', '--format=%B', commit));
      if (change === undefined) continue;
      expect(seen.get(change), `change ${change} landed twice`).toBeUndefined();
      seen.set(change, merge.id);
    }
  }
}

async function expectNoLeftovers(story: Story, streams: Stream[], merges: Merge[]): Promise<void> {
  const machine = await story.run('Olga', async (workflow) => ({
    intents: listIntents(workflow.machine).map(({ kind, data }) => `${kind} ${data}`),
    workspaces: listWorkspaces(workflow.machine),
    checkouts: listCheckouts(workflow.machine),
  }));
  expect(machine.intents, 'intents').toEqual([]);
  const abandoned = merges.filter(
    (merge) => merge.state === 'prepared' && !(merge.holder && isHolderAlive(merge.holder)),
  );
  expect(
    abandoned.map((merge) => merge.handle),
    'prepared landings of the dead',
  ).toEqual([]);

  const own = new Set([
    ...machine.workspaces.map(({ path }) => path),
    ...machine.checkouts.map(({ path }) => path),
  ]);
  const linked = checkouts(story).filter((dir) => dir !== story.dir);
  expect(
    linked.filter((dir) => !own.has(dir)),
    'worktrees that nobody knows',
  ).toEqual([]);
  expect(
    machine.workspaces.map(({ path }) => path).filter((path) => !linked.includes(path)),
    'workspaces without worktree',
  ).toEqual([]);
  const folder = join(story.dir, '.worktrees');
  const onDisk = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  expect(
    onDisk.filter((dir) => !own.has(dir)),
    'directories left over',
  ).toEqual([]);

  const byBranch = new Map(streams.map((stream) => [stream.branch, stream]));
  const branches = lines(
    story.git.gitIn(story.dir, 'for-each-ref', '--format=%(refname:short)', 'refs/heads/stream/'),
  );
  const orphans = branches.filter((branch) => {
    const stream = byBranch.get(branch);
    return !stream || (stream.state === 'abandoned' && stream.stateReason?.includes('interrupted'));
  });
  expect(orphans, 'branches of dead creations').toEqual([]);
  const gone = streams.filter(
    (stream) =>
      stream.state !== 'abandoned' && !branches.includes(stream.branch) && stream.source !== 'tracked',
  );
  expect(
    gone.map((stream) => stream.handle),
    'streams without branch',
  ).toEqual([]);
  expect(lockFiles(join(story.dir, '.git')), 'lock files of git').toEqual([]);
}

function lockFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.lock'));
}

/** A commit but for its place and its Change-Id: work that was adopted is the same work under a name. */
function meaningOf(story: Story, commit: string): string {
  const text = story.git.gitIn(story.dir, 'log', '-1', '--format=%T %an %ae %ad %B', commit);
  return text.replace(/^Change-Id: .*$/m, '').trim();
}

/** Every commit that a ref or the HEAD of a checkout leads to. */
function reachable(story: Story): string[] {
  const heads = checkouts(story).map((dir) => story.git.oid('HEAD', dir));
  return lines(story.git.gitIn(story.dir, 'rev-list', '--all', ...heads));
}

function checkouts(story: Story): string[] {
  return lines(story.git.gitIn(story.dir, 'worktree', 'list', '--porcelain'))
    .filter((line) => line.startsWith('worktree '))
    .map((line) => line.slice('worktree '.length))
    .filter((dir) => existsSync(join(dir, '.git')));
}

/** The blob ids of all files of a checkout that differ from HEAD. */
function unsaved(story: Story, dir: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of story.status(dir)) {
    const path = line.slice(3);
    if (!statSync(join(dir, path), { throwIfNoEntry: false })?.isFile()) continue;
    found.set(story.git.gitIn(dir, 'hash-object', '--no-filters', '--', path), join(dir, path));
  }
  return found;
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
