import { SwarmError } from '../contract/errors.ts';
import { type CommitRecord, parseCommit } from './commit-record.ts';
import { Coprocess, CoprocessDied, type Parsed } from './coprocess.ts';
import { type GitObject, readLooseObject } from './loose-objects.ts';
import { isOid } from './oid.ts';
import type { GitPlace } from './run-git.ts';
import { parseTree, type TreeEntry } from './tree-record.ts';

export type { GitObject };

export interface ObjectHead {
  oid: string;
  type: GitObject['type'];
  size: number;
}

const KEPT = 4096;

/**
 * Reads objects through one `cat-file`, started at the first question and started anew when it dies. Commits and trees
 * that lie in files of their own, as all fresh ones do, are read from there.
 */
export class ObjectReader {
  readonly #place: GitPlace;
  readonly #objectsDir: string;
  /** Objects of this reader's repository are found here, too. */
  readonly #below: ObjectReader | undefined;
  #process: Coprocess | undefined;
  readonly #commits = new Map<string, CommitRecord>();
  readonly #trees = new Map<string, readonly TreeEntry[]>();

  constructor(place: GitPlace, objectsDir: string, below?: ObjectReader) {
    this.#place = place;
    this.#objectsDir = objectsDir;
    this.#below = below;
  }

  /** Id, type and size of what a revision names, or undefined when it names nothing. */
  head(revision: string): Promise<ObjectHead | undefined> {
    return this.#ask('info', revision, (bytes) => parseHead(bytes));
  }

  /** The object a revision names, or undefined. */
  object(revision: string): Promise<GitObject | undefined> {
    return this.#ask('contents', revision, (bytes) => parseObject(bytes));
  }

  /** A commit by its id; throws not_found. */
  async commit(oid: string): Promise<CommitRecord> {
    const kept = this.#commits.get(oid) ?? this.#below?.knownCommit(oid);
    if (kept) return kept;
    const object = this.#loose(oid) ?? (await this.object(oid));
    if (object?.type !== 'commit') throw new SwarmError('not_found', `There is no commit ${oid}`);
    return keep(this.#commits, oid, parseCommit(object.oid, object.content));
  }

  /** The entries of a tree by its id; throws not_found. */
  async tree(oid: string): Promise<readonly TreeEntry[]> {
    const kept = this.#trees.get(oid) ?? this.#below?.knownTree(oid);
    if (kept) return kept;
    const object = this.#loose(oid) ?? (await this.object(oid));
    if (object?.type !== 'tree') throw new SwarmError('not_found', `There is no tree ${oid}`);
    return keep(this.#trees, oid, parseTree(object.content, oid.length / 2));
  }

  /** A commit that was read before, or that lies in a file of its own. */
  knownCommit(oid: string): CommitRecord | undefined {
    const kept = this.#commits.get(oid);
    const object = kept ? undefined : this.#loose(oid);
    return object?.type === 'commit' ? keep(this.#commits, oid, parseCommit(oid, object.content)) : kept;
  }

  /** The entries of a tree that was read before, or that lies in a file of its own. */
  knownTree(oid: string): readonly TreeEntry[] | undefined {
    const kept = this.#trees.get(oid);
    const object = kept ? undefined : this.#loose(oid);
    return object?.type === 'tree' ? keep(this.#trees, oid, parseTree(object.content, oid.length / 2)) : kept;
  }

  #loose(oid: string): GitObject | undefined {
    return isOid(oid) ? readLooseObject(this.#objectsDir, oid) : undefined;
  }

  async close(): Promise<void> {
    await this.#process?.close();
    this.#process = undefined;
  }

  async #ask<T>(command: string, revision: string, parse: (bytes: Buffer) => Parsed<T>): Promise<T> {
    if (revision === '' || /[\n\0]/.test(revision)) {
      throw new SwarmError('invalid', `${JSON.stringify(revision)} cannot name an object`);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#running().ask(`${command} ${revision}\n`, parse);
      } catch (error) {
        if (!(error instanceof CoprocessDied)) throw error;
        if (attempt === 3) throw new SwarmError('git_failed', error.message, { cause: error });
      }
    }
  }

  #running(): Coprocess {
    if (!this.#process?.alive) {
      const args = ['cat-file', '--batch-command'];
      this.#process = new Coprocess({ args, cwd: this.#place.dir, env: this.#place.env });
    }
    return this.#process;
  }
}

function parseHead(bytes: Buffer): Parsed<ObjectHead | undefined> {
  const end = bytes.indexOf(10);
  if (end < 0) return { need: bytes.length + 1 };
  const match = /^([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)$/.exec(bytes.toString('utf8', 0, end));
  if (!match?.[1] || !match[2]) return { value: undefined, end: end + 1 };
  const type = match[2] as GitObject['type'];
  return { value: { oid: match[1], type, size: Number(match[3]) }, end: end + 1 };
}

function parseObject(bytes: Buffer): Parsed<GitObject | undefined> {
  const head = parseHead(bytes);
  if ('need' in head || head.value === undefined) return head as Parsed<undefined>;
  const end = head.end + head.value.size;
  if (bytes.length <= end) return { need: end + 1 };
  const { oid, type } = head.value;
  return { value: { oid, type, content: Buffer.from(bytes.subarray(head.end, end)) }, end: end + 1 };
}

function keep<T>(cache: Map<string, T>, oid: string, value: T): T {
  const oldest = cache.size >= KEPT ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(oid, value);
  return value;
}
