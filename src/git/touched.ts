import type { ChangedPath, PathStatus } from './diff.ts';
import { assertOid } from './oid.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

/** What a change touches, as far as it matters for whether two changes of one base can conflict. */
export interface Touched {
  paths: readonly string[];
  /** Folders above what it adds. */
  aboveAdded: readonly string[];
  /** Folders above what it deletes, where it adds something, too: git may take them for folders that were renamed. */
  aboveDeleted: readonly string[];
}

/** From the changes without renames, so that each renamed file counts as a deletion and an addition. */
export function touchedBy(changes: readonly ChangedPath[]): Touched {
  const added = changes.filter(({ status }) => status === 'added').map(({ path }) => path);
  const deleted = changes.filter(({ status }) => status === 'deleted').map(({ path }) => path);
  return {
    paths: changes.map(({ path }) => path),
    aboveAdded: above(added),
    aboveDeleted: added.length > 0 ? above(deleted) : [],
  };
}

/** All folders above these paths; the top is the empty one. */
function above(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    folders.add('');
    for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1))
      folders.add(path.slice(0, end));
  }
  return [...folders];
}

/**
 * The pairs that may conflict, as places in the list. A pair that is left out cannot: the two share no path, neither
 * has a folder where the other has a file, and neither adds to a folder that the other may have renamed.
 */
export function meetingPairs(all: readonly Touched[]): [number, number][] {
  const found = new Set<number>();
  const note = (a: number, b: number) => {
    if (a !== b) found.add(Math.min(a, b) * all.length + Math.max(a, b));
  };
  const byPath = index(all, ({ paths }) => paths);
  const byAdded = index(all, ({ aboveAdded }) => aboveAdded);
  for (const [path, here] of byPath) {
    for (const [i, a] of here.entries()) for (const b of here.slice(i + 1)) note(a, b);
    for (const b of byAdded.get(path) ?? []) for (const a of here) note(a, b);
  }
  for (const [folder, here] of index(all, ({ aboveDeleted }) => aboveDeleted)) {
    for (const b of byAdded.get(folder) ?? []) for (const a of here) note(a, b);
  }
  return [...found].sort((a, b) => a - b).map((pair) => [Math.floor(pair / all.length), pair % all.length]);
}

function index(
  all: readonly Touched[],
  keysOf: (touched: Touched) => readonly string[],
): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [i, touched] of all.entries()) {
    for (const key of keysOf(touched)) {
      const here = places.get(key);
      if (here) here.push(i);
      else places.set(key, [i]);
    }
  }
  return places;
}

const STATUS: Record<string, PathStatus> = { A: 'added', D: 'deleted', M: 'modified', T: 'type_changed' };

/** The changes between each pair of trees, asked of one process; renames are a deletion and an addition. */
export async function changesBetween(
  repo: Repository,
  pairs: readonly { from: string; to: string }[],
): Promise<ChangedPath[][]> {
  for (const { from, to } of pairs) {
    assertOid(from);
    assertOid(to);
  }
  if (pairs.length === 0) return [];
  const input = pairs.map(({ from, to }) => `${from} ${to}\n`).join('');
  const args = ['diff-tree', '--stdin', '-r', '-z', '--name-status', '--no-renames'];
  const { stdout } = await runGit(repo, args, { input });
  const answers = new Map<string, ChangedPath[]>();
  let changes: ChangedPath[] = [];
  const fields = stdout.split('\0');
  for (let i = 0; i + 1 < fields.length; i += 2) {
    // The two trees stand in front of the first change between them, on a line of their own; alone where there is none.
    const lines = (fields[i] ?? '').split('\n');
    const status = lines.pop() ?? '';
    for (const head of lines) {
      changes = [];
      answers.set(head, changes);
    }
    changes.push({ path: fields[i + 1] ?? '', status: STATUS[status] ?? 'other' });
  }
  return pairs.map(({ from, to }) => answers.get(`${from} ${to}`) ?? []);
}
