import { assertOid } from './oid.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

export type PathStatus = 'added' | 'deleted' | 'modified' | 'type_changed' | 'renamed' | 'copied' | 'other';

export interface ChangedPath {
  path: string;
  status: PathStatus;
  /** Where a renamed or copied file came from. */
  oldPath?: string;
}

export interface DiffStat {
  files: number;
  insertions: number;
  deletions: number;
  /** Lines are undefined for binary files. */
  perFile: { path: string; insertions: number | undefined; deletions: number | undefined }[];
}

const STATUS: Record<string, PathStatus> = {
  A: 'added',
  D: 'deleted',
  M: 'modified',
  T: 'type_changed',
  R: 'renamed',
  C: 'copied',
};

const PLAIN = ['--no-ext-diff', '--no-textconv', '--no-color'];

/** The paths that differ between two commits or trees, by path. Renames are a deletion and an addition unless asked. */
export async function changedPaths(
  repo: Repository,
  a: string,
  b: string,
  { renames = false }: { renames?: boolean } = {},
): Promise<ChangedPath[]> {
  assertOid(a);
  assertOid(b);
  const found = renames ? '-M' : '--no-renames';
  const { stdout } = await runGit(repo, ['diff-tree', '-r', '-z', '--name-status', found, a, b]);
  const fields = stdout.split('\0');
  const paths: ChangedPath[] = [];
  for (let i = 0; i + 1 < fields.length; ) {
    const status = STATUS[fields[i]?.[0] ?? ''] ?? 'other';
    const moved = status === 'renamed' || status === 'copied';
    const path = fields[i + (moved ? 2 : 1)] ?? '';
    paths.push({ path, status, ...(moved ? { oldPath: fields[i + 1] ?? '' } : {}) });
    i += moved ? 3 : 2;
  }
  return paths;
}

export interface DiffTextOptions {
  /** Only these paths, taken literally. */
  paths?: readonly string[];
  /** Lines around a change. Default: 3. */
  context?: number;
  /** Default: true, as people expect of a diff. */
  renames?: boolean;
}

/** The unified diff from one commit or tree to another. */
export async function diffText(
  repo: Repository,
  a: string,
  b: string,
  { paths = [], context = 3, renames = true }: DiffTextOptions = {},
): Promise<string> {
  assertOid(a);
  assertOid(b);
  const options = [`-U${context}`, renames ? '-M' : '--no-renames', ...PLAIN];
  const { stdout } = await runGit(repo, ['diff-tree', '-r', '-p', ...options, a, b, '--', ...paths]);
  return stdout;
}

/** Files and lines changed from one commit or tree to another. */
export async function diffStat(repo: Repository, a: string, b: string): Promise<DiffStat> {
  assertOid(a);
  assertOid(b);
  const { stdout } = await runGit(repo, ['diff-tree', '-r', '-z', '--numstat', '--no-renames', a, b]);
  const perFile = stdout
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [insertions = '', deletions = '', ...path] = entry.split('\t');
      return { path: path.join('\t'), insertions: lines(insertions), deletions: lines(deletions) };
    });
  const sum = (key: 'insertions' | 'deletions') =>
    perFile.reduce((total, file) => total + (file[key] ?? 0), 0);
  return { files: perFile.length, insertions: sum('insertions'), deletions: sum('deletions'), perFile };
}

function lines(count: string): number | undefined {
  return count === '-' ? undefined : Number(count);
}
