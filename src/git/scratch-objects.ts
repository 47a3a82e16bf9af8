import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Repository } from './repository.ts';

/**
 * Runs `work` on the same repository with a throw-away directory for new objects: merges are predicted, nothing is
 * written. Ids of new objects mean nothing afterwards.
 */
export async function withScratchObjects<T>(
  repo: Repository,
  work: (scratch: Repository) => Promise<T>,
): Promise<T> {
  const { scratch, close } = openScratch(repo);
  try {
    return await work(scratch);
  } finally {
    await close();
  }
}

/** The same for longer use; `close` takes the objects away. */
export function openScratch(repo: Repository): { scratch: Repository; close(): Promise<void> } {
  const directory = mkdtempSync(join(scratchPlace(), 'gitswarm-scratch-'));
  mkdirSync(join(directory, 'pack'));
  const env = {
    ...repo.env,
    GIT_OBJECT_DIRECTORY: directory,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate(repo.objectsDir),
  };
  const scratch = repo.withObjectsIn(directory, env);
  return {
    scratch,
    async close() {
      await scratch.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const MEMORY = '/dev/shm';
const ENOUGH_BYTES = 1024 ** 3;

/** Memory where there is plenty: predictions write many small files that nobody will read, and a disk takes three times as long. */
function scratchPlace(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    accessSync(MEMORY, constants.W_OK);
    return bavail * bsize >= ENOUGH_BYTES ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** git splits this variable at the delimiter, except inside double quotes. */
export function alternate(path: string): string {
  if (!path.includes(delimiter) && !path.includes('"') && !path.includes('\n')) return path;
  return `"${path.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}
