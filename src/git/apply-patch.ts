import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SwarmError } from '../contract/errors.ts';
import { findEntry } from './edit-tree.ts';
import { assertOid } from './oid.ts';
import { firstMissing, type PatchSection, patchSections } from './patch-sections.ts';
import type { Repository } from './repository.ts';
import { type GitPlace, gitWords, runGit } from './run-git.ts';
import { assertSafePath } from './safe-path.ts';

/** A file of a patch that does not fit, and the first of its hunks whose lines are not there. */
export interface UnfitFile {
  path: string;
  /** Null where it is the file that is missing, is there already, or is of another kind or content. */
  hunk: string | null;
  /** What the hunk expects to find. */
  expects: string[];
}

export type AppliedPatch =
  | { kind: 'applied'; tree: string; paths: string[] }
  | { kind: 'unfit'; files: UnfitFile[] };

interface Limits {
  /** Files that may change. */
  files: number;
  /** Bytes of one changed file. */
  bytes: number;
}

const MOST_EXPLAINED = 50;
const MOST_TRIED = 200;
const MOST_LINES = 20;
const PATIENCE_MS = 60_000;

/**
 * The tree that a unified diff makes of a tree: all of it or nothing. Renames, modes and binary patches of git's are
 * understood. What comes out is judged, not what the patch says of itself: ordinary files at safe paths only.
 */
export async function applyPatch(
  repo: Repository,
  tree: string,
  { patch, limits }: { patch: Buffer; limits: Limits },
): Promise<AppliedPatch> {
  assertOid(tree);
  const directory = mkdtempSync(join(tmpdir(), 'gitswarm-patch-'));
  const place = { dir: directory, env: { ...repo.env, ...placeOf(repo, directory) } };
  try {
    const paths = await pathsOf(place, patch, limits);
    await runGit(place, ['read-tree', tree]);
    const done = await apply(place, ['--cached'], patch);
    if (!done) return { kind: 'unfit', files: await explain(repo, { tree, place, patch, paths }) };
    const after = (await runGit(place, ['write-tree'])).stdout.trim();
    const changed = await judge(repo, { tree, after, limits });
    // A mode that git does not know leaves no trace at all.
    const lost = paths.find((path) => !changed.includes(path));
    if (lost !== undefined)
      throw new SwarmError('invalid', `The patch would change nothing in ${JSON.stringify(lost)}.`);
    return { kind: 'applied', tree: after, paths: changed };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** An index of its own and no files: a link in a checkout could lead elsewhere, an index entry cannot. */
function placeOf(repo: Repository, directory: string): Record<string, string> {
  return {
    GIT_DIR: repo.commonDir,
    GIT_WORK_TREE: directory,
    GIT_INDEX_FILE: join(directory, '.index'),
  };
}

/** The files that the patch is about, as git reads it. */
async function pathsOf(place: GitPlace, patch: Buffer, limits: Limits): Promise<string[]> {
  const args = ['apply', '--numstat', '-z', '--whitespace=nowarn', '-'];
  const read = await runGit(place, args, { input: patch, okExits: [0, 1, 128], timeoutMs: PATIENCE_MS });
  if (read.code !== 0) throw unreadable(read);
  const paths = read.stdout
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => entry.split('\t').slice(2).join('\t'));
  if (paths.length > limits.files)
    throw new SwarmError('too_large', `The patch changes ${paths.length} files; ${limits.files} may.`);
  return paths;
}

/** False where it does not fit. */
async function apply(place: GitPlace, more: readonly string[], patch: string | Buffer): Promise<boolean> {
  const args = ['apply', ...more, '--whitespace=nowarn', '-'];
  const done = await runGit(place, args, { input: patch, okExits: [0, 1, 128], timeoutMs: PATIENCE_MS });
  if (done.code === 128) throw unreadable(done);
  return done.code === 0;
}

function unreadable(result: { stdout: string; stderr: string }): SwarmError {
  return new SwarmError('invalid', 'The patch cannot be read as a unified diff.', {
    fix: 'Send what `git diff --binary` prints.',
    details: { words: gitWords(result).slice(0, 1000) },
  });
}

async function judge(
  repo: Repository,
  { tree, after, limits }: { tree: string; after: string; limits: Limits },
): Promise<string[]> {
  const { stdout } = await runGit(repo, ['diff-tree', '-r', '-z', '--raw', '--no-renames', tree, after]);
  const fields = stdout.split('\0');
  const paths: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [, mode = '', , oid = ''] = (fields[i] ?? '').split(' ');
    const path = fields[i + 1] ?? '';
    assertSafePath(path);
    paths.push(path);
    if (mode === '000000') continue;
    if (mode !== '100644' && mode !== '100755')
      throw new SwarmError('invalid', `${path} would be no ordinary file (mode ${mode}).`, {
        fix: 'Leave links and submodules out of the patch.',
      });
    if (((await repo.objects.head(oid))?.size ?? 0) > limits.bytes)
      throw new SwarmError('too_large', `${path} would be larger than ${limits.bytes} bytes.`);
  }
  return paths;
}

/**
 * Each part of the patch by itself against the tree: which do not fit, and where. Of a very long patch only so many are
 * looked at; then it may not be known.
 */
async function explain(
  repo: Repository,
  { tree, place, patch, paths }: { tree: string; place: GitPlace; patch: Buffer; paths: string[] },
): Promise<UnfitFile[]> {
  const unfit: UnfitFile[] = [];
  const sections = patchSections(patch.toString('utf8'));
  for (const [i, section] of sections.slice(0, MOST_TRIED).entries()) {
    if (unfit.length === MOST_EXPLAINED) break;
    if (await apply(place, ['--cached', '--check'], section.text).catch(() => false)) continue;
    unfit.push(await explainSection(repo, { tree, section, path: paths[i] ?? '' }));
  }
  return unfit;
}

async function explainSection(
  repo: Repository,
  { tree, section, path }: { tree: string; section: PatchSection; path: string },
): Promise<UnfitFile> {
  const entry = path === '' ? undefined : await findEntry(repo, tree, path);
  const object = entry && (await repo.objects.object(entry.oid));
  if (object?.type !== 'blob') return nowhere(path);
  const hunk = firstMissing(section.hunks, object.content.toString('utf8'));
  return hunk ? { path, hunk: hunk.header, expects: hunk.before.slice(0, MOST_LINES) } : nowhere(path);
}

function nowhere(path: string): UnfitFile {
  return { path, hunk: null, expects: [] };
}
