import { readCommit, writeCommit } from './commits.ts';
import type { Repository } from './repository.ts';

/**
 * A commit nobody will ever see: this tree on that parent. Merging two of them on one parent merges their trees with
 * the parent's tree as base, which older gits cannot be told otherwise. Its time is the parent's, so that the search
 * for the common ancestor finds it at once, and equal input gives the same object again.
 */
export async function syntheticCommit(repo: Repository, tree: string, parent: string): Promise<string> {
  const { committer } = await readCommit(repo, parent);
  const author = {
    name: 'GitSwarm',
    email: 'merge@gitswarm.local',
    seconds: committer.seconds,
    zone: '+0000',
  };
  return writeCommit(repo, { tree, parents: [parent], message: 'merge side\n', author });
}
