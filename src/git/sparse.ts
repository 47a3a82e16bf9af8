import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readConfig } from './config.ts';
import { entryType } from './objects.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { worktreeGitDir } from './worktree-git-dir.ts';

/** Ours in the repository's configuration: says that nobody but us has asked for settings of single worktrees. */
const OURS = 'gitswarm.worktreeConfig';

/**
 * Lets worktrees have settings of their own, which sparse ones need; false where that would move settings that others
 * have made (a bare repository, or one whose files are elsewhere). Not to be called twice at a time.
 */
export async function allowSparse(repo: Repository): Promise<boolean> {
  if (repo.isBare || (await readConfig(repo, 'core.worktree')) !== undefined) return false;
  if ((await readConfig(repo, 'extensions.worktreeConfig')) === 'true') return true;
  await runGit(repo, ['config', OURS, 'true']);
  await runGit(repo, ['config', 'extensions.worktreeConfig', 'true']);
  return true;
}

/** Takes back what `allowSparse` has set, once no worktree has settings of its own. True where it did. */
export async function disallowSparse(repo: Repository): Promise<boolean> {
  if ((await readConfig(repo, OURS)) === undefined) return false;
  const worktrees = join(repo.commonDir, 'worktrees');
  const names = existsSync(worktrees) ? readdirSync(worktrees) : [];
  const places = [repo.commonDir, ...names.map((name) => join(worktrees, name))];
  const isFree = !places.some((place) => existsSync(join(place, 'config.worktree')));
  if (isFree) await runGit(repo, ['config', '--unset-all', 'extensions.worktreeConfig'], { okExits: [0, 5] });
  await runGit(repo, ['config', '--remove-section', 'gitswarm'], { okExits: [0, 128] });
  return isFree;
}

/**
 * Says which directories a worktree without files will hold, besides the files at the top; a file stands for its own.
 * A pattern that may fit in any directory leaves the worktree whole.
 */
export async function chooseDirectories(
  repo: Repository,
  worktree: string,
  paths: readonly string[],
): Promise<void> {
  if (paths.some(isAnywhere)) return;
  const dir = resolve(worktree);
  const head = (await runGit(repo, ['rev-parse', 'HEAD'], { cwd: dir })).stdout.trim();
  const directories = await Promise.all(paths.map((path) => directoryOf(repo, head, path)));
  const lines = [...new Set(directories)].filter((each) => each !== '.').map((each) => `${quote(each)}\n`);
  await runGit(repo, ['sparse-checkout', 'set', '--cone', '--sparse-index', '--stdin'], {
    cwd: dir,
    input: lines.join(''),
  });
}

/**
 * Puts all files into a worktree that held some directories only. Called before files are written there that may be
 * anywhere: git would leave out those outside the directories, as if they had been deleted on purpose.
 */
export async function widenWorktree(repo: Repository, worktree: string): Promise<void> {
  if (isSparse(worktree)) await runGit(repo, ['sparse-checkout', 'disable'], { cwd: resolve(worktree) });
}

/** True where directories were chosen for a worktree; false again once it holds everything. */
export function isSparse(worktree: string): boolean {
  const gitDir = worktreeGitDir(resolve(worktree));
  if (!existsSync(join(gitDir, 'info', 'sparse-checkout'))) return false;
  const settings = join(gitDir, 'config.worktree');
  return existsSync(settings) && /^\s*sparseCheckout\s*=\s*true\s*$/im.test(readFileSync(settings, 'utf8'));
}

function isAnywhere(path: string): boolean {
  const [first = '', ...more] = path.replace(/^\.?\/+/, '').split('/');
  return /[*?[]/.test(first) && (more.length > 0 || first.includes('**'));
}

/** A pattern stands for the directory above its first star. */
async function directoryOf(repo: Repository, commit: string, path: string): Promise<string> {
  const plain = path.replace(/\/+$/, '').split('/');
  const star = plain.findIndex((part) => /[*?[]/.test(part));
  if (star >= 0) return plain.slice(0, star).join('/') || '.';
  const whole = plain.join('/');
  return (await entryType(repo, commit, whole)) === 'blob' ? dirname(whole) : whole;
}

/** git reads one path per line and undoes C quoting. */
function quote(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be quoted
  if (!/["\\\u0000-\u001f]/.test(path)) return path;
  const escaped = path.replace(/["\\]/g, '\\$&').replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be quoted
    /[\u0000-\u001f]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}
