import { listCommits } from './commits.ts';
import { changedPaths } from './diff.ts';
import { entryOid } from './objects.ts';
import { assertOid } from './oid.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

/** A change of the base's history that a later change takes back, file by file, to what was there before. */
export interface UndoneChange {
  commit: string;
  paths: string[];
}

const FAR_BACK = 100;
const MOST_PATHS = 500;
const NONE = /^0+$/;
const ENTRY = /^:\d+ \d+ ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*$/;

/**
 * Which changes in the history of `base` the way from `base` to `head` takes back: a file has exactly the content again
 * that it had before such a change, and nothing else has touched it since. This is what committing an old checkout on
 * top of a new base does. Files that only vanish count where all that the change added vanishes.
 */
export async function undoneChanges(
  repo: Repository,
  { base, head }: { base: string; head: string },
): Promise<UndoneChange[]> {
  assertOid(base);
  const changed = (await changedPaths(repo, base, head)).slice(0, MOST_PATHS).map(({ path }) => path);
  if (changed.length === 0) return [];
  const undone: UndoneChange[] = [];
  const settled = new Set<string>();
  for (const { commit, entries } of await history(repo, base, changed)) {
    const back: { path: string; isGone: boolean }[] = [];
    for (const { path, before } of entries) {
      // Only the newest change of a file counts: older ones were overwritten already.
      if (settled.has(path)) continue;
      settled.add(path);
      const now = await entryOid(repo, head, path);
      if (NONE.test(before) ? now === undefined : now === before)
        back.push({ path, isGone: now === undefined });
    }
    const isWhole = back.length > 0 && back.length === (await sizeOf(repo, commit));
    if (isWhole || back.some(({ isGone }) => !isGone)) {
      undone.push({ commit, paths: back.map(({ path }) => path) });
    }
  }
  return undone;
}

/** True where a commit on the way says that it takes something back. */
export async function declaresUndo(
  repo: Repository,
  { base, head }: { base: string; head: string },
): Promise<boolean> {
  const commits = await listCommits(repo, { from: head, notIn: [base] });
  return commits.some(({ message }) => /^(revert|undo|roll ?back)\b|^this reverts /im.test(message));
}

async function history(repo: Repository, base: string, paths: readonly string[]) {
  const { stdout } = await runGit(repo, [
    'log',
    '--first-parent',
    '--diff-merges=first-parent',
    '--raw',
    '--no-abbrev',
    '--no-renames',
    '-z',
    '--format=%x00%H',
    `--max-count=${FAR_BACK}`,
    base,
    '--',
    ...paths,
  ]);
  const changes: { commit: string; entries: { path: string; before: string }[] }[] = [];
  const fields = stdout.split('\0').map((field) => field.replace(/^\n/, ''));
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? '';
    const entry = ENTRY.exec(field);
    if (entry) changes.at(-1)?.entries.push({ path: fields[++i] ?? '', before: entry[1] ?? '' });
    else if (/^[0-9a-f]{40,64}$/.test(field)) changes.push({ commit: field, entries: [] });
  }
  return changes;
}

async function sizeOf(repo: Repository, commit: string): Promise<number> {
  const { stdout } = await runGit(repo, ['rev-list', '--parents', '--max-count=1', commit]);
  const parent = stdout.trim().split(' ')[1];
  return parent === undefined ? Number.POSITIVE_INFINITY : (await changedPaths(repo, parent, commit)).length;
}
