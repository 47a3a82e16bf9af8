import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Conflict } from './merge.ts';
import type { ConflictFile, ConflictSide } from './merge-tree-output.ts';
import { writeBlob } from './objects.ts';
import { zeroOid } from './oid.ts';
import type { Repository } from './repository.ts';
import { runGit, runGitBytes } from './run-git.ts';

/** Conflicts whose paths stay where they are; the others (renames, directories) need a person. */
const SETTLED = new Set(['content', 'added_twice', 'changed_and_deleted']);

/**
 * The tree in which each conflict is decided for one side, as `git merge -X ours` does: only the conflicting lines of
 * a text, the whole file otherwise. Undefined where a conflict is not about the content of a path.
 */
export async function resolveConflict(
  repo: Repository,
  conflict: Conflict,
  side: 'ours' | 'theirs',
): Promise<string | undefined> {
  if (!conflict.files.every((file) => SETTLED.has(file.kind) && (file.ours || file.theirs))) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'gitswarm-resolve-'));
  try {
    const entries: string[] = [];
    for (const file of conflict.files) {
      const chosen = await decide(repo, file, side, directory);
      const { mode, oid } = chosen ?? { mode: '0', oid: zeroOid(repo.objectFormat) };
      entries.push(`${mode} ${oid}\t${file.path}\0`);
    }
    const env = { GIT_INDEX_FILE: join(directory, 'index') };
    await runGit(repo, ['read-tree', conflict.tree], { env });
    await runGit(repo, ['update-index', '-z', '--index-info'], { env, input: entries.join('') });
    return (await runGit(repo, ['write-tree'], { env })).stdout.trim();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function decide(
  repo: Repository,
  file: ConflictFile,
  side: 'ours' | 'theirs',
  directory: string,
): Promise<ConflictSide | undefined> {
  const { base, ours, theirs } = file;
  const chosen = file[side];
  if (!ours || !theirs || !chosen || !isText(ours) || !isText(theirs)) return chosen;
  const names = { ours: join(directory, 'a'), base: join(directory, 'o'), theirs: join(directory, 'b') };
  const contents = await Promise.all([read(repo, ours), read(repo, base), read(repo, theirs)]);
  if (contents.some((content) => content.includes(0))) return chosen;
  [names.ours, names.base, names.theirs].forEach((name, i) => {
    writeFileSync(name, contents[i] ?? '');
  });
  const args = ['merge-file', '-p', `--${side}`, names.ours, names.base, names.theirs];
  const merged = await runGitBytes(repo, args);
  return { mode: chosen.mode, oid: await writeBlob(repo, merged.stdout) };
}

async function read(repo: Repository, side: ConflictSide | undefined): Promise<Buffer> {
  if (!side || !isText(side)) return Buffer.alloc(0);
  return (await repo.objects.object(side.oid))?.content ?? Buffer.alloc(0);
}

function isText(side: ConflictSide): boolean {
  return side.mode.startsWith('100');
}
