import { SwarmError } from '../contract/errors.ts';
import { type GitPlace, runGit } from './run-git.ts';

const OLDEST = [2, 38] as const;

/** The version of the git that runs in a place, such as `2.39.5`. */
export async function versionOf(place: GitPlace): Promise<string> {
  const { stdout } = await runGit(place, ['version']);
  return /(\d+\.\d+\S*)/.exec(stdout)?.[1] ?? stdout.trim();
}

/** Throws git_too_old below git 2.38, the first that merges without a checkout. */
export function requireGit(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new SwarmError('git_too_old', `git ${version} was found, but 2.38 or newer is needed`, {
    fix: 'install git 2.38 or newer and put it first on the PATH',
    details: { found: version },
  });
}
