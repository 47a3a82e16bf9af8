import { closeSync, mkdirSync, openSync, readdirSync, readSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { randomHex } from '../base/ids.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';
import { alternate } from './scratch-objects.ts';

export interface PackFile {
  path: string;
  /** Where the pack begins in the file. */
  from: number;
  /** The commits and tags that it has to complete. */
  tips: readonly string[];
}

/** As git's own, so that its `prune` knows them too. */
export const INCOMING = 'tmp_objdir-incoming-';
/** Unpacking somebody else's pack must not keep a server busy for ever. */
const PATIENCE_MS = 10 * 60_000;

/**
 * Takes in a pack from outside as git does on a push: unpacked aside, every object checked (`--strict`, the rules of
 * transfer.fsckObjects), nothing missing below the tips, and only then, where `judge` does not throw, moved to the
 * other objects. What is refused leaves nothing behind.
 */
export async function takePack<T>(
  repo: Repository,
  pack: PackFile,
  judge: (aside: Repository) => Promise<T>,
): Promise<T> {
  const directory = join(repo.objectsDir, `${INCOMING}${randomHex(8)}`);
  mkdirSync(join(directory, 'pack'), { recursive: true });
  const env = {
    ...repo.env,
    GIT_OBJECT_DIRECTORY: directory,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternate(repo.objectsDir),
  };
  const aside = repo.withObjectsIn(directory, env);
  try {
    await unpack(aside, pack);
    await requireConnected(aside, pack.tips);
    const judged = await judge(aside);
    await aside.close();
    keep(join(directory, 'pack'), join(repo.objectsDir, 'pack'));
    return judged;
  } finally {
    await aside.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function unpack(aside: Repository, { path, from }: PackFile): Promise<void> {
  const file = openSync(path, 'r');
  try {
    // The child reads on from where we stopped.
    skip(file, from);
    const args = ['index-pack', '--stdin', '--strict', '--fix-thin'];
    await runGit(aside, args, { inputFile: file, timeoutMs: PATIENCE_MS });
  } catch (error) {
    throw asRefusal(error, 'its objects are damaged, incomplete or not allowed');
  } finally {
    closeSync(file);
  }
}

function skip(file: number, bytes: number): void {
  const waste = Buffer.alloc(64 * 1024);
  for (let left = bytes; left > 0; ) {
    const read = readSync(file, waste, 0, Math.min(left, waste.length), null);
    if (read === 0) return;
    left -= read;
  }
}

async function requireConnected(aside: Repository, tips: readonly string[]): Promise<void> {
  if (tips.length === 0) return;
  try {
    await runGit(aside, ['rev-list', '--objects', '--quiet', '--stdin', '--not', '--all'], {
      input: `${tips.join('\n')}\n`,
      timeoutMs: PATIENCE_MS,
    });
  } catch (error) {
    throw asRefusal(error, 'something that it builds on is missing');
  }
}

function asRefusal(error: unknown, why: string): unknown {
  if (!isSwarmError(error, 'git_failed')) return error;
  const words = String(error.details?.output ?? '').replaceAll(/\/\S+/g, '…');
  return new SwarmError('invalid', `The upload is refused: ${why}.`, {
    fix: 'git fsck --strict, where it was made, tells more.',
    details: { words: words.slice(0, 1000) },
  });
}

/** The index last: git finds a pack by it. */
function keep(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const names = readdirSync(from).sort((a, b) => Number(a.endsWith('.idx')) - Number(b.endsWith('.idx')));
  for (const name of names) renameSync(join(from, name), join(to, name));
}
