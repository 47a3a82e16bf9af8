import { assertOid } from './oid.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

export interface TreeFile {
  path: string;
  mode: string;
  oid: string;
}

/** All files of a commit or tree, links and submodules included, by path. */
export async function listTreeFiles(repo: Repository, tree: string): Promise<TreeFile[]> {
  assertOid(tree);
  const { stdout } = await runGit(repo, ['ls-tree', '-r', '-z', '--full-tree', tree]);
  return stdout
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [meta = '', path = ''] = entry.split('\t', 2);
      const [mode = '', , oid = ''] = meta.split(' ');
      return { path, mode, oid };
    });
}
