import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SwarmError } from '../contract/errors.ts';
import { type AttributeMemory, AttributeView } from './attribute-view.ts';
import { type GitEnv, gitEnv } from './git-env.ts';
import { requireGit, versionOf } from './git-version.ts';
import { MergeTree } from './merge-tree.ts';
import { ObjectReader } from './object-reader.ts';
import type { ObjectFormat } from './oid.ts';
import { findPlainRepository } from './plain-repository.ts';
import { hasRefFiles } from './ref-files.ts';
import { RefWriter } from './ref-writer.ts';
import { type GitPlace, type GitResult, gitWords, runGit } from './run-git.ts';
import { SpawnHelper } from './spawn-helper.ts';

export interface OpenOptions {
  /** The environment of the program; what git needs of it is passed on. */
  inheritedEnv: Readonly<Record<string, string | undefined>>;
  /** Keeps helper processes for the life of the program: servers, swarms. */
  longLived?: boolean;
  /** Survives a power cut, not only a kill. */
  durable?: boolean;
  /** False: as if the system had no `stdbuf`. */
  stdbuf?: boolean;
  /** How long a new merge process may take to answer its first question, in milliseconds. */
  patience?: number;
  /** Carries what is known of .gitattributes files from one program to the next. */
  attributeMemory?: AttributeMemory;
}

interface Found {
  commonDir: string;
  gitDir: string;
  worktreeDir: string | undefined;
  isBare: boolean;
  isShallow: boolean;
  objectFormat: ObjectFormat;
  root: string;
  /** Refs are files that can be read without git. */
  hasRefFiles: boolean;
}

const QUESTIONS = [
  '--git-common-dir',
  '--git-dir',
  '--is-bare-repository',
  '--is-shallow-repository',
  '--show-object-format',
  '--show-toplevel',
];

/** A git repository and the helper processes we keep for it. Close it, or the helpers go when the program ends. */
export class Repository implements GitPlace {
  /** The first worktree; in a bare repository the git directory. */
  readonly root: string;
  /** Where git runs when no worktree is meant. */
  readonly dir: string;
  readonly env: GitEnv;
  readonly commonDir: string;
  /** The git directory of the worktree it was opened from. */
  readonly gitDir: string;
  /** The top of the worktree it was opened from; undefined in a bare repository. */
  readonly worktreeDir: string | undefined;
  readonly isBare: boolean;
  readonly isShallow: boolean;
  readonly hasRefFiles: boolean;
  readonly objectFormat: ObjectFormat;
  readonly longLived: boolean;
  readonly durable: boolean;
  readonly objectsDir: string;
  readonly objects: ObjectReader;
  readonly merger: MergeTree;
  readonly attributes: AttributeView;
  readonly refWriter: RefWriter;
  readonly helper: SpawnHelper | undefined;
  readonly options: OpenOptions;
  /** For a commit one that was found to descend from it; commits never change, so neither does this. */
  readonly ancestry = new Map<string, string>();
  readonly #found: Found;

  constructor(
    found: Found,
    options: OpenOptions,
    env: GitEnv,
    over?: { objectsDir: string; below: Repository },
  ) {
    this.#found = found;
    this.options = options;
    this.root = found.root;
    // A linked worktree outlives the first one's directory.
    this.dir = existsSync(found.root) ? found.root : found.commonDir;
    this.env = env;
    this.commonDir = found.commonDir;
    this.gitDir = found.gitDir;
    this.worktreeDir = found.worktreeDir;
    this.isBare = found.isBare;
    this.isShallow = found.isShallow;
    this.hasRefFiles = found.hasRefFiles;
    this.objectFormat = found.objectFormat;
    this.longLived = options.longLived ?? false;
    this.durable = options.durable ?? false;
    this.objectsDir = over?.objectsDir ?? join(found.commonDir, 'objects');
    this.objects = new ObjectReader(this, this.objectsDir, over?.below.objects);
    this.merger = new MergeTree(this, {
      commonDir: found.commonDir,
      longLived: this.longLived,
      stdbuf: options.stdbuf ?? true,
      patience: options.patience ?? 3000,
    });
    this.attributes = new AttributeView(this, {
      objects: this.objects,
      format: found.objectFormat,
      commonDir: found.commonDir,
      below: over?.below.attributes,
      memory: over ? undefined : options.attributeMemory,
    });
    this.refWriter = new RefWriter(this, this.longLived);
    this.helper = this.longLived ? new SpawnHelper(env) : undefined;
  }

  /** The same repository, writing its new objects to another directory. */
  withObjectsIn(directory: string, env: GitEnv): Repository {
    return new Repository(this.#found, this.options, env, { objectsDir: directory, below: this });
  }

  /** The version of git that is used here. Throws git_too_old. */
  async version(): Promise<string> {
    const version = await versionOf(this);
    requireGit(version);
    return version;
  }

  /** Ends the helper processes. */
  async close(): Promise<void> {
    await Promise.all([
      this.objects.close(),
      this.merger.close(),
      this.refWriter.close(),
      this.helper?.close(),
    ]);
    this.attributes.close();
  }
}

/** Opens the repository that `dir` belongs to: a checkout, a linked worktree, a submodule or a bare repository. */
export async function openRepository(dir: string, options: OpenOptions): Promise<Repository> {
  const env = gitEnv(options.inheritedEnv, { durable: options.durable ?? false });
  const place = { dir: resolve(dir), env };
  const plain = findPlainRepository(place.dir, options.inheritedEnv);
  if (plain) {
    const facts = { isBare: false, isShallow: false, objectFormat: 'sha1', hasRefFiles: true } as const;
    return new Repository({ ...plain, ...facts }, options, env);
  }
  // The trace names git's version in the same process that answers the questions.
  const result = await runGit(place, ['rev-parse', '--path-format=absolute', ...QUESTIONS], {
    env: { GIT_TRACE2_EVENT: '1' },
    okExits: [0, 128, 129],
  });
  requireGit(tracedVersion(result.stderr) ?? (await versionOf(place)));
  const [commonDir, gitDir, bare, shallow, format, worktreeDir] = result.stdout.split('\n');
  if (!commonDir || !gitDir || !format) throw notARepository(place.dir, result);
  const facts = {
    commonDir,
    gitDir,
    worktreeDir: worktreeDir === undefined || worktreeDir === '' ? undefined : worktreeDir,
    isShallow: shallow === 'true',
    objectFormat: format === 'sha256' ? 'sha256' : 'sha1',
    hasRefFiles: hasRefFiles(commonDir),
  } as const;
  if (gitDir === commonDir && facts.worktreeDir) {
    return new Repository({ ...facts, isBare: false, root: facts.worktreeDir }, options, env);
  }
  if (gitDir === commonDir && bare === 'true') {
    return new Repository({ ...facts, isBare: true, root: commonDir }, options, env);
  }
  return new Repository({ ...facts, ...(await mainWorktree(place, commonDir)) }, options, env);
}

/** Throws shallow_clone where history was cut off: merging would find no common ancestor. */
export function requireHistory(repo: Repository): void {
  if (!repo.isShallow) return;
  throw new SwarmError('shallow_clone', `${repo.root} is a shallow clone: its history is cut off`, {
    fix: 'git fetch --unshallow',
  });
}

function tracedVersion(trace: string): string | undefined {
  return /"event":"version"[^\n]*"exe":"(\d+\.\d+[^"]*)"/.exec(trace)?.[1];
}

/** Seen from a linked worktree or from inside a git directory: where the first worktree is, if there is one. */
async function mainWorktree(place: GitPlace, commonDir: string): Promise<{ isBare: boolean; root: string }> {
  const keys = '^core\\.(bare|worktree)$';
  const { stdout } = await runGit(place, ['config', '-z', '--get-regexp', keys], {
    cwd: commonDir,
    env: { GIT_DIR: commonDir },
    okExits: [0, 1],
  });
  const settings = new Map(stdout.split('\0').map((line) => splitOnce(line)));
  if (settings.get('core.bare') === 'true') return { isBare: true, root: commonDir };
  const worktree = settings.get('core.worktree');
  if (worktree !== undefined) return { isBare: false, root: resolve(commonDir, worktree) };
  if (basename(commonDir) === '.git') return { isBare: false, root: dirname(commonDir) };
  return { isBare: true, root: commonDir };
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('\n');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

function notARepository(dir: string, result: GitResult): SwarmError {
  const said = result.stderr
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{"event"'))
    .join('\n');
  for (let at = dir; ; at = dirname(at)) {
    // Something is there that git refuses to open: an owner it does not trust, a broken file.
    if (existsSync(join(at, '.git'))) {
      const words = gitWords({ stdout: '', stderr: said });
      return new SwarmError('git_failed', `git does not open the repository at ${at}: ${words}`);
    }
    if (at === dirname(at)) break;
  }
  return new SwarmError('not_a_repository', `${dir} is not inside a git repository`, {
    fix: 'git init, or change to a repository',
  });
}
