import { readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** What git would say of the place of an ordinary repository. */
export interface PlainPlace {
  commonDir: string;
  gitDir: string;
  worktreeDir: string;
  root: string;
}

/**
 * Finds an ordinary repository (SHA-1, not bare, not shallow, refs as files, nothing unusual in its configuration) as
 * git itself would, without asking git: starting a process costs more than everything else a small question needs.
 * Whatever is not plainly ordinary is undefined, and git is asked.
 */
export function findPlainRepository(
  dir: string,
  inherited: Readonly<Record<string, string | undefined>>,
): PlainPlace | undefined {
  // Variables that change how git looks for a repository.
  if (inherited.GIT_CEILING_DIRECTORIES || inherited.GIT_DISCOVERY_ACROSS_FILESYSTEM) return undefined;
  try {
    const found = findUpwards(realpathSync(dir));
    return found && isOrdinary(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function findUpwards(start: string): PlainPlace | undefined {
  const { dev } = statSync(start);
  for (let at = start; ; at = dirname(at)) {
    if (statSync(at).dev !== dev) return undefined;
    const entry = statSync(join(at, '.git'), { throwIfNoEntry: false });
    if (entry) return entry.isDirectory() ? checkoutAt(at, entry) : linkedWorktreeAt(at, entry);
    // Inside a git directory, or a bare repository.
    if (exists(join(at, 'HEAD')) || at === dirname(at)) return undefined;
  }
}

function checkoutAt(at: string, entry: Stats): PlainPlace | undefined {
  const gitDir = join(at, '.git');
  // A link to a directory elsewhere is a matter for git.
  if (realpathSync(gitDir) !== gitDir || !isOurs(entry) || !isOurs(statSync(at))) return undefined;
  return { commonDir: gitDir, gitDir, worktreeDir: at, root: at };
}

function linkedWorktreeAt(at: string, entry: Stats): PlainPlace | undefined {
  const text = readFileSync(join(at, '.git'), 'utf8');
  const target = /^gitdir: ([^\n]+)\n?$/.exec(text)?.[1];
  if (target === undefined || !isOurs(entry) || !isOurs(statSync(at))) return undefined;
  const gitDir = realpathSync(resolve(at, target));
  // A submodule has a git directory of its own, and no such file.
  const common = statSync(join(gitDir, 'commondir'), { throwIfNoEntry: false });
  if (!common) return undefined;
  const commonDir = realpathSync(resolve(gitDir, readFileSync(join(gitDir, 'commondir'), 'utf8').trim()));
  if (basename(commonDir) !== '.git' || !isOurs(statSync(commonDir))) return undefined;
  return { commonDir, gitDir, worktreeDir: at, root: dirname(commonDir) };
}

function isOrdinary({ commonDir, gitDir }: PlainPlace): boolean {
  const head = readFileSync(join(gitDir, 'HEAD'), 'utf8');
  if (!/^(ref: refs\/|[0-9a-f]{40}\n)/.test(head)) return false;
  if (!exists(join(commonDir, 'objects')) || !exists(join(commonDir, 'refs'))) return false;
  if (exists(join(commonDir, 'shallow'))) return false;
  return isOrdinaryConfig(readFileSync(join(commonDir, 'config'), 'utf8'));
}

/** Says for sure that it is not bare, and holds no extension, other worktree or other file. */
function isOrdinaryConfig(text: string): boolean {
  if (/worktree|\[\s*(include|extensions)/i.test(text)) return false;
  const versions = text.match(/^\s*repositoryformatversion\s*=.*$/gim) ?? [];
  const bare = text.match(/^\s*bare\b.*$/gim) ?? [];
  return (
    versions.length === 1 &&
    /=\s*0\s*$/.test(versions[0] ?? '') &&
    bare.length === 1 &&
    /=\s*false\s*$/.test(bare[0] ?? '')
  );
}

/** git refuses repositories of other people unless they are declared safe. */
function isOurs({ uid }: Stats): boolean {
  return process.geteuid?.() === uid;
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
