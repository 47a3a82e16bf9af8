import { onTestFinished } from 'vitest';
import { initBare } from '../../src/git/clone.ts';
import { openRepository, type Repository } from '../../src/git/repository.ts';
import { tempDir } from './temp-dir.ts';

/** An empty bare repository, open until the test ends. */
export async function bareRepository(): Promise<Repository> {
  const directory = `${tempDir('bare')}/it.git`;
  const inheritedEnv = { PATH: process.env.PATH, HOME: tempDir('home') };
  await initBare(directory, { inheritedEnv, branch: 'main' });
  const repo = await openRepository(directory, { inheritedEnv });
  onTestFinished(() => repo.close());
  return repo;
}
