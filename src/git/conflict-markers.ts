import { lstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBlob } from './objects.ts';
import type { Repository } from './repository.ts';

const LARGE = 8 * 1024 ** 2;

/** The lines a merge leaves, in this order, each at the start of a line. */
const MARKS = [/^<{7}(?: |$)/, /^={7}$/, /^>{7}(?: |$)/] as const;

/** Of these files the ones in which a merge left its markers. Files that had such lines before are let through. */
export async function findMarkers(
  repo: Repository,
  worktree: string,
  files: readonly string[],
  head: string | undefined,
): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const text = await readText(join(worktree, file));
    if (text === undefined || !hasMarkers(text)) continue;
    const before = head === undefined ? undefined : await readBlob(repo, head, file);
    if (before === undefined || !hasMarkers(before.toString('utf8'))) found.push(file);
  }
  return found;
}

/** True for a text with a whole set of markers: ours, the divider, theirs. */
export function hasMarkers(text: string): boolean {
  if (!text.includes('<<<<<<<')) return false;
  let next = 0;
  for (const line of text.split(/\r?\n/)) {
    if (MARKS[next]?.test(line)) next++;
    if (next === MARKS.length) return true;
  }
  return false;
}

async function readText(path: string): Promise<string | undefined> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > LARGE) return undefined;
  const bytes = await readFile(path);
  return bytes.subarray(0, 8000).includes(0) ? undefined : bytes.toString('utf8');
}
