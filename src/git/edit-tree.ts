import { SwarmError } from '../contract/errors.ts';
import { writeObject } from './loose-objects.ts';
import { emptyTree } from './oid.ts';
import type { Repository } from './repository.ts';
import { assertSafePath } from './safe-path.ts';
import { isDirectory, type TreeEntry } from './tree-record.ts';

export interface FileEntry {
  mode: string;
  oid: string;
}

/** What a file is to be; null: it goes. */
export interface TreeEdit {
  path: string;
  entry: FileEntry | null;
}

/**
 * The tree with these files written or taken away; only the trees on the way are made anew, and nothing is checked out.
 * A file never takes the place of a directory, nor the other way round. Empty directories go with their last file.
 */
export async function editTree(repo: Repository, tree: string, edits: readonly TreeEdit[]): Promise<string> {
  let at = tree;
  for (const edit of edits) {
    assertSafePath(edit.path);
    at = (await editIn(repo, at, { ...edit, names: edit.path.split('/') })) ?? emptyTreeOf(repo);
  }
  return at;
}

/** What is at a path of a tree: a file, a link, a submodule or a directory. */
export async function findEntry(
  repo: Repository,
  tree: string,
  path: string,
): Promise<TreeEntry | undefined> {
  let at = tree;
  const names = path.split('/');
  for (const [i, name] of names.entries()) {
    const entry = (await entriesOf(repo, at)).find((each) => each.name === name);
    if (!entry || i === names.length - 1) return entry;
    if (!isDirectory(entry)) return undefined;
    at = entry.oid;
  }
  return undefined;
}

interface Step extends TreeEdit {
  names: string[];
}

/** The new tree; undefined where nothing is left in it. */
async function editIn(repo: Repository, tree: string | undefined, step: Step): Promise<string | undefined> {
  const [name = '', ...rest] = step.names;
  const entries = tree === undefined ? [] : await entriesOf(repo, tree);
  const before = entries.find((each) => each.name === name);
  const others = entries.filter((each) => each !== before);
  const isLast = rest.length === 0;
  if (before && isDirectory(before) === isLast && step.entry !== null) throw inTheWay(step, before);
  if (before && isDirectory(before) === isLast) return tree;
  const after = isLast ? step.entry : await below(repo, before, { ...step, names: rest });
  const all = after ? [...others, { ...after, name }] : others;
  return all.length === 0 ? undefined : writeTree(repo, all);
}

async function below(
  repo: Repository,
  before: TreeEntry | undefined,
  step: Step,
): Promise<FileEntry | undefined> {
  const oid = await editIn(repo, before?.oid, step);
  return oid === undefined ? undefined : { mode: '40000', oid };
}

function inTheWay({ path }: Step, entry: TreeEntry): SwarmError {
  const what = isDirectory(entry) ? 'is a directory' : 'is a file';
  return new SwarmError('conflict', `${path} cannot be written: ${entry.name} ${what}.`, {
    fix: 'Take that away first, or choose another path.',
  });
}

async function entriesOf(repo: Repository, tree: string): Promise<readonly TreeEntry[]> {
  return tree === emptyTreeOf(repo) ? [] : repo.objects.tree(tree);
}

function emptyTreeOf(repo: Repository): string {
  return emptyTree(repo.objectFormat);
}

/** In git's order: by bytes, directories as if their names ended in a slash. */
function writeTree(repo: Repository, entries: readonly TreeEntry[]): string {
  const keyed = entries.map((entry) => ({
    entry,
    key: Buffer.from(isDirectory(entry) ? `${entry.name}/` : entry.name),
  }));
  keyed.sort((a, b) => Buffer.compare(a.key, b.key));
  const parts = keyed.flatMap(({ entry }) => [
    Buffer.from(`${entry.mode} ${entry.name}\0`),
    Buffer.from(entry.oid, 'hex'),
  ]);
  return writeObject(repo, 'tree', Buffer.concat(parts));
}
