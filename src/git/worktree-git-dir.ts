import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SwarmError } from '../contract/errors.ts';

/** The git directory of a worktree; throws not_a_repository. */
export function worktreeGitDir(path: string): string {
  const link = join(path, '.git');
  const stat = statSync(link, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return link;
  const pointer = stat ? /^gitdir: (.+)$/m.exec(readFileSync(link, 'utf8'))?.[1] : undefined;
  if (pointer === undefined) throw new SwarmError('not_a_repository', `${path} is not a worktree of git`);
  return resolve(path, pointer);
}
