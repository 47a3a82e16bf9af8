import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { shellWord } from '../base/shell-word.ts';
import { SwarmError } from '../contract/errors.ts';
import { withTrailers } from './change-id.ts';
import { identity } from './config.ts';
import { findMarkers } from './conflict-markers.ts';
import { headRef } from './head.ts';
import { authorEnv, committerEnv, type Person } from './person.ts';
import { branchRef } from './ref-name.ts';
import { findRef } from './refs.ts';
import type { Repository } from './repository.ts';
import { gitFailed, gitWords, runGit } from './run-git.ts';
import { isSparse } from './sparse.ts';
import { type InProgress, type WorktreeStatus, worktreeStatus } from './worktree-files.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

export interface CommitWorktreeInput {
  message: string;
  /** Only these paths, taken literally; directories with what is in them. Default: everything git does not ignore. */
  paths?: readonly string[];
  /** Default: git's own identity, as for the committer. */
  author?: Person | undefined;
  committer?: Person | undefined;
  /** The change this commit is; written as a trailer. */
  changeId: string;
  trailers?: Readonly<Record<string, string>>;
  allowEmpty?: boolean;
  /** Default: true. The repository's hooks judge the commit. */
  runHooks?: boolean;
  /** The branch HEAD must stand on. */
  expectBranch: string;
  /** The commit the branch must be at. */
  expectHead?: string;
  /** The operation this commit may conclude. */
  concludes?: InProgress;
  /** Commit files that hold conflict markers, where these are meant. */
  allowMarkers?: boolean;
}

export type CommitOutcome =
  | { kind: 'committed'; commit: string; parent: string | undefined; files: string[] }
  | { kind: 'nothing' }
  /** A hook said no: its words. Nothing was committed, no file was touched. */
  | { kind: 'hook_failed'; output: string }
  /** git knows nobody here, and somebody has to be named. */
  | { kind: 'nobody' };

/** Commits what is in a worktree on the branch it must be on, as `git add -A && git commit` would. */
export async function commitWorktree(
  repo: Repository,
  worktree: string,
  input: CommitWorktreeInput,
): Promise<CommitOutcome> {
  const dir = resolve(worktree);
  const ref = branchRef(input.expectBranch);
  const status = await worktreeStatus(repo, dir);
  await checkPlace(repo, dir, status, input);
  const files = changedFiles(status, input.paths);
  refuseMissing(dir, files, input.paths ?? []);
  if (files.length === 0 && !input.allowEmpty && input.concludes === undefined) return { kind: 'nothing' };
  if (!input.allowMarkers) await refuseMarkers(repo, dir, files, status.head);
  const failure = await stageAndCommit(repo, dir, status, input);
  if (failure) return failure;
  const commit = await findRef(repo, ref);
  if (commit === undefined || commit === status.head) {
    throw new SwarmError('wrong_branch', `The commit in ${dir} did not land on ${input.expectBranch}`);
  }
  return { kind: 'committed', commit, parent: status.head, files };
}

async function checkPlace(
  repo: Repository,
  dir: string,
  status: WorktreeStatus,
  { expectBranch, expectHead, concludes }: CommitWorktreeInput,
): Promise<void> {
  const ref = await headRef(repo, dir);
  if (ref !== `refs/heads/${expectBranch}`) {
    throw new SwarmError('wrong_branch', `${dir} is on ${ref ?? 'a detached HEAD'}, not on ${expectBranch}`, {
      fix: `git -C ${shellWord(dir)} switch ${expectBranch}`,
      details: { expected: expectBranch, found: ref ?? null },
    });
  }
  if (status.inProgress !== undefined && status.inProgress !== concludes) {
    throw new SwarmError('wrong_state', `A ${status.inProgress} was begun in ${dir} and is not finished`, {
      fix: `git -C ${shellWord(dir)} ${status.inProgress} --abort, or finish it`,
      details: { inProgress: status.inProgress },
    });
  }
  if (status.unmerged.length > 0) {
    throw new SwarmError('conflict', `These files are not merged yet: ${status.unmerged.join(', ')}`, {
      fix: 'edit them, then git add them',
      details: { files: status.unmerged },
    });
  }
  if (status.indexLocked) {
    const lockFile = join(worktreeGitDir(dir), 'index.lock');
    throw new SwarmError('busy', `Another process holds ${lockFile}`, { details: { lockFile } });
  }
  if (expectHead !== undefined && status.head !== expectHead) {
    throw new SwarmError('stale', `${expectBranch} is at ${status.head ?? 'nothing'}, not at ${expectHead}`);
  }
}

function changedFiles(status: WorktreeStatus, paths: readonly string[] | undefined): string[] {
  const all = [...new Set([...status.staged, ...status.unstaged, ...status.untracked])].sort();
  if (!paths) return all;
  const wanted = paths.map((path) => path.replace(/^\.\//, '').replace(/\/+$/, ''));
  return all.filter((file) =>
    wanted.some((path) => path === '' || path === '.' || file === path || file.startsWith(`${path}/`)),
  );
}

/** A name that was mistyped is told, not taken for a file without changes. */
function refuseMissing(dir: string, changed: readonly string[], paths: readonly string[]): void {
  const known = (path: string) =>
    lstatSync(join(dir, path), { throwIfNoEntry: false }) !== undefined ||
    changed.some((file) => file === path || file.startsWith(`${path}/`));
  const missing = paths.filter((path) => !known(path.replace(/\/+$/, '')));
  if (missing.length === 0) return;
  throw new SwarmError('not_found', `There is no file ${missing.join(', ')} in ${dir}`, {
    details: { files: missing },
  });
}

async function refuseMarkers(
  repo: Repository,
  dir: string,
  files: readonly string[],
  head: string | undefined,
): Promise<void> {
  const marked = await findMarkers(repo, dir, files, head);
  if (marked.length === 0) return;
  throw new SwarmError('conflict', `These files hold conflict markers: ${marked.join(', ')}`, {
    fix: 'resolve them and commit again',
    details: { files: marked },
  });
}

/** Files outside the directories of a sparse worktree are work like any other. */
const ADD = ['add', '--all', '--sparse'];

/** Undefined when the commit was made. As few processes as the changes allow. */
async function stageAndCommit(
  repo: Repository,
  dir: string,
  status: WorktreeStatus,
  input: CommitWorktreeInput,
): Promise<CommitOutcome | undefined> {
  const { paths, runHooks = true } = input;
  const list = paths?.map((path) => `${path}\0`).join('');
  const fromInput = ['--pathspec-from-file=-', '--pathspec-file-nul'];
  // A commit by itself leaves out what it does not find, and what a sparse worktree was not meant to hold.
  const addsAll = status.untracked.length > 0 || isSparse(dir);
  if (list !== undefined) await runGit(repo, [...ADD, ...fromInput], { cwd: dir, input: list });
  else if (addsAll) await runGit(repo, [...ADD, '--', '.'], { cwd: dir });
  const all = list === undefined && !addsAll && status.unstaged.length > 0;
  const message = withTrailers(input.message, { ...input.trailers, 'Change-Id': input.changeId });
  const args = [
    // Never somebody whom git has guessed from the names of user and machine.
    ...['-c', 'user.useConfigOnly=true'],
    'commit',
    '--quiet',
    '--no-status',
    '--cleanup=whitespace',
    ...(all ? ['--all'] : []),
    ...(runHooks ? [] : ['--no-verify']),
    ...(input.allowEmpty ? ['--allow-empty'] : []),
    `--message=${message}`,
    ...(list === undefined ? [] : ['--only', ...fromInput]),
  ];
  const result = await runGit(repo, args, {
    cwd: dir,
    env: {
      ...(input.author && authorEnv(input.author)),
      ...(input.committer && committerEnv(input.committer)),
      ...(list === undefined ? {} : { GIT_LITERAL_PATHSPECS: '1' }),
    },
    hooks: runHooks,
    okExits: [0, 1, 128],
    ...(list === undefined ? {} : { input: list }),
  });
  if (result.code === 0) return undefined;
  if (result.code === 128) {
    const isKnown = (input.author && input.committer) || (await identity(repo));
    if (isKnown) throw gitFailed(args, dir, result);
    return { kind: 'nobody' };
  }
  // git forgets what it staged itself when a hook says no, so the files are compared then.
  const against = all ? 'HEAD' : '--cached';
  const change = await runGit(repo, ['diff', '--quiet', '--ignore-submodules=dirty', against], {
    cwd: dir,
    okExits: [0, 1, 128],
  });
  if (change.code === 0 && !input.allowEmpty) return { kind: 'nothing' };
  if (runHooks && (await hasHooks(repo, dir))) return { kind: 'hook_failed', output: gitWords(result) };
  throw gitFailed(args, dir, result);
}

/** True when a hook of the repository may have judged the commit. */
async function hasHooks(repo: Repository, dir: string): Promise<boolean> {
  const { stdout } = await runGit(repo, ['rev-parse', '--path-format=absolute', '--git-path', 'hooks'], {
    cwd: dir,
    hooks: true,
  });
  const configured = stdout.trim();
  const names = existsSync(configured) ? readdirSync(configured) : [];
  return names.some((name) =>
    /^(pre-commit|prepare-commit-msg|commit-msg|reference-transaction)$/.test(name),
  );
}
