import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSwarmError } from '../contract/errors.ts';
import type { ObjectReader } from './object-reader.ts';
import { emptyTree, type ObjectFormat } from './oid.ts';
import { type GitPlace, runGit } from './run-git.ts';
import { isDirectory, type TreeEntry } from './tree-record.ts';

const NAME = '.gitattributes';

/** Trees whose view is remembered. */
const KEPT = 1024;

/** Path of each .gitattributes file of a tree, with its blob. */
type Attributes = ReadonlyMap<string, string>;

/** The attributes of one tree, from which those of others are found by comparing. */
export interface KnownAttributes {
  tree: string;
  attributes: Attributes;
}

/** Carries them from one program to the next. */
export interface AttributeMemory {
  read(): KnownAttributes | undefined;
  write(known: KnownAttributes): void;
}

/**
 * Merging needs the .gitattributes of our side, but git reads them from the files of a working tree, and from none in
 * a bare repository. A view is a directory that holds just these files; git is told that it is the working tree.
 */
export class AttributeView {
  readonly #place: GitPlace;
  readonly #objects: ObjectReader;
  readonly #format: ObjectFormat;
  readonly #emptyView: string;
  readonly #below: AttributeView | undefined;
  readonly #memory: AttributeMemory | undefined;
  readonly #views = new Map<string, string>();
  readonly #known = new Map<string, string>();
  #latest: KnownAttributes | undefined;
  #latestView: string | undefined;
  #scratch: string | undefined;

  constructor(
    place: GitPlace,
    given: {
      objects: ObjectReader;
      format: ObjectFormat;
      commonDir: string;
      /** The view of the repository that holds most of the trees that are asked for. */
      below?: AttributeView | undefined;
      memory?: AttributeMemory | undefined;
    },
  ) {
    const { objects, format, commonDir } = given;
    this.#place = place;
    this.#objects = objects;
    this.#format = format;
    this.#below = given.below;
    this.#memory = given.memory;
    // No part of a ref name may start with a dot, so the directory of refs can never hold such a file.
    this.#emptyView = join(commonDir, 'refs');
  }

  /** The directory of the latest question: nearly always that of the next one, too. */
  get latest(): string | undefined {
    return this.#latestView;
  }

  /** The directory to merge in when this tree is our side. Equal attributes give the same directory. */
  async directoryFor(tree: string): Promise<string> {
    const known = this.#known.get(tree);
    if (known !== undefined) return known;
    const view = (await this.#viewBelow(tree)) ?? (await this.#viewOf(await this.#remembered(tree)));
    this.#keep(tree, view);
    return view;
  }

  #keep(tree: string, view: string): void {
    if (this.#known.size === KEPT) this.#known.clear();
    this.#known.set(tree, view);
    this.#latestView = view;
  }

  /**
   * Says that `tree` came out of merging into `from` a side that touched only these paths. Where no attributes were and
   * none came, none are, and the trees need not be compared. (Where there are some, a renamed directory may have
   * carried one along.)
   */
  learn(tree: string, from: string, touched: readonly string[]): void {
    const known = this.#latest;
    if (known?.tree !== from || known.attributes.size > 0 || touched.some(isAttributes)) return;
    this.#latest = { tree, attributes: known.attributes };
    this.#keep(tree, this.#emptyView);
  }

  /** The view of a tree that lies in the repository below. */
  async #viewBelow(tree: string): Promise<string | undefined> {
    try {
      return await this.#below?.directoryFor(tree);
    } catch (error) {
      if (isSwarmError(error, 'git_failed') || isSwarmError(error, 'not_found')) return undefined;
      throw error;
    }
  }

  async #remembered(tree: string): Promise<Attributes> {
    const last = this.#latest ?? this.#memory?.read();
    const attributes = await this.#attributesOf(tree, last);
    this.#latest = { tree, attributes };
    if (last?.tree !== tree) this.#memory?.write(this.#latest);
    return attributes;
  }

  close(): void {
    if (this.#scratch) rmSync(this.#scratch, { recursive: true, force: true });
    this.#scratch = undefined;
    this.#latestView = undefined;
    this.#views.clear();
    this.#known.clear();
  }

  async #viewOf(attributes: Attributes): Promise<string> {
    if (attributes.size === 0) return this.#emptyView;
    const key = JSON.stringify([...attributes].sort());
    const view = this.#views.get(key) ?? (await this.#write(attributes, this.#views.size));
    this.#views.set(key, view);
    return view;
  }

  async #attributesOf(tree: string, last: KnownAttributes | undefined): Promise<Attributes> {
    if (!last) return this.#scan(tree);
    if (last.tree === tree) return last.attributes;
    const attributes = new Map(last.attributes);
    try {
      await this.#compare(last.tree, tree, '', attributes);
      return attributes;
    } catch (error) {
      // A tree of an earlier program may be gone since.
      if (!isSwarmError(error, 'not_found')) throw error;
      return this.#scan(tree);
    }
  }

  /** One process walks the whole tree, which is far cheaper than reading it here. */
  async #scan(tree: string): Promise<Attributes> {
    const found = await runGit(
      this.#place,
      ['diff-tree', '-r', '-z', '--no-renames', emptyTree(this.#format), tree, '--', `:(glob)**/${NAME}`],
      { env: { GIT_LITERAL_PATHSPECS: undefined } },
    );
    const fields = found.stdout.split('\0');
    const attributes = new Map<string, string>();
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const [, mode, , oid] = (fields[i] ?? '').split(' ');
      if (oid && mode?.startsWith('100')) attributes.set(fields[i + 1] ?? '', oid);
    }
    return attributes;
  }

  /** Follows only the directories that differ, so a merge that changes four files reads a handful of trees. */
  async #compare(
    before: string | undefined,
    after: string | undefined,
    at: string,
    into: Map<string, string>,
  ) {
    const [old, now] = await Promise.all([this.#entries(before), this.#entries(after)]);
    const deeper: Promise<void>[] = [];
    for (const [a, b] of differences(old, now)) {
      const name = a?.name ?? b?.name ?? '';
      if (name === NAME && b?.mode.startsWith('100')) into.set(at + NAME, b.oid);
      else if (name === NAME) into.delete(at + NAME);
      const trees = [a, b].map((entry) => (entry && isDirectory(entry) ? entry.oid : undefined));
      if (trees[0] !== trees[1]) deeper.push(this.#compare(trees[0], trees[1], `${at}${name}/`, into));
    }
    await Promise.all(deeper);
  }

  async #entries(tree: string | undefined): Promise<readonly TreeEntry[]> {
    return tree === undefined ? [] : this.#objects.tree(tree);
  }

  async #write(attributes: Attributes, number: number): Promise<string> {
    this.#scratch ??= mkdtempSync(join(tmpdir(), 'gitswarm-attributes-'));
    const view = join(this.#scratch, String(number));
    for (const [path, oid] of attributes) {
      const blob = await this.#objects.object(oid);
      mkdirSync(join(view, dirname(path)), { recursive: true });
      writeFileSync(join(view, path), blob?.content ?? '');
    }
    return view;
  }
}

function isAttributes(path: string): boolean {
  return path === NAME || path.endsWith(`/${NAME}`);
}

/** The entries that two trees do not share, in pairs of one name. Most trees differ in one entry of many. */
function differences(
  old: readonly TreeEntry[],
  now: readonly TreeEntry[],
): [TreeEntry | undefined, TreeEntry | undefined][] {
  const same = (a: TreeEntry | undefined, b: TreeEntry | undefined) =>
    a?.oid === b?.oid && a?.name === b?.name;
  let start = 0;
  while (start < now.length && same(old[start], now[start])) start++;
  let end = 0;
  const most = Math.min(old.length, now.length) - start;
  while (end < most && same(old[old.length - 1 - end], now[now.length - 1 - end])) end++;
  const left = new Map(old.slice(start, old.length - end).map((entry) => [entry.name, entry]));
  const pairs: [TreeEntry | undefined, TreeEntry | undefined][] = [];
  for (const entry of now.slice(start, now.length - end)) {
    const before = left.get(entry.name);
    left.delete(entry.name);
    if (before?.oid !== entry.oid) pairs.push([before, entry]);
  }
  for (const entry of left.values()) pairs.push([entry, undefined]);
  return pairs;
}
