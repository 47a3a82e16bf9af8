import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withoutPassword } from '../base/without-password.ts';
import { SwarmError } from '../contract/errors.ts';
import { gitEnv } from './git-env.ts';
import { type Transport, withTransport } from './remote-transport.ts';
import { runGit } from './run-git.ts';

interface Surroundings {
  inheritedEnv: Readonly<Record<string, string | undefined>>;
}

/** Makes an empty bare repository whose first branch has this name. */
export async function initBare(directory: string, given: Surroundings & { branch: string }): Promise<void> {
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  const place = { dir: dirname(directory), env: gitEnv(given.inheritedEnv) };
  const branch = `--initial-branch=${given.branch}`;
  await runGit(place, ['init', '--quiet', '--bare', branch, '--template=', '--', directory]);
}

/** Copies a bare repository of this machine with all its refs and its settings, while others may work on it. */
export async function mirrorBare(source: string, directory: string, given: Surroundings): Promise<void> {
  const place = { dir: dirname(directory), env: gitEnv(given.inheritedEnv) };
  // Not by its files: one that is written meanwhile could be copied in half.
  await runGit(place, ['clone', '--quiet', '--mirror', '--no-local', '--template=', '--', source, directory]);
  copyFileSync(join(source, 'config'), join(directory, 'config'));
}

/** A remote that answers so slowly is one that does not. */
const PATIENCE_MS = 15 * 60_000;

/**
 * Clones all branches and tags into a bare repository. Throws `invalid` with git's own words, without the password of
 * the URL.
 */
export async function cloneBare(transport: Transport, directory: string, given: Surroundings): Promise<void> {
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  const env = withTransport(gitEnv(given.inheritedEnv), transport);
  const args = ['clone', '--quiet', '--bare', '--no-local', '--template=', '--', transport.url, directory];
  const place = { dir: dirname(directory), env };
  const result = await runGit(place, args, { okExits: [0, 1, 128], timeoutMs: PATIENCE_MS });
  if (result.code === 0) return;
  const words = withoutPassword(result.stderr).trim();
  throw new SwarmError('invalid', `The repository could not be cloned: ${words.slice(0, 1000)}`, {
    fix: 'Check the address, and that the server may read it.',
  });
}
