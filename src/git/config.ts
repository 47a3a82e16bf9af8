import type { Person } from './person.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

/** A setting of git, or undefined where it is not set. */
export async function readConfig(repo: Repository, key: string): Promise<string | undefined> {
  const { stdout, code } = await runGit(repo, ['config', '-z', '--get', key], { okExits: [0, 1] });
  return code === 0 ? stdout.replace(/\0$/, '') : undefined;
}

/** Who works here, from the environment or git's configuration; undefined where git does not know. */
export async function identity(repo: Repository): Promise<Person | undefined> {
  const { stdout } = await runGit(repo, ['config', '-z', '--get-regexp', '^user\\.(name|email)$'], {
    okExits: [0, 1],
  });
  const settings = new Map<string, string>();
  for (const entry of stdout.split('\0')) {
    const at = entry.indexOf('\n');
    if (at > 0) settings.set(entry.slice(0, at), entry.slice(at + 1));
  }
  const name = repo.env.GIT_COMMITTER_NAME ?? settings.get('user.name');
  const email = repo.env.GIT_COMMITTER_EMAIL ?? settings.get('user.email');
  return name && email ? { name, email } : undefined;
}
