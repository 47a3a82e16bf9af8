import { branchOf } from './ref-name.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

export interface Worktree {
  path: string;
  branch?: string;
  /** Absent in a bare repository and on an unborn branch. */
  head?: string;
  detached: boolean;
  /** Why it is locked; an empty text where no reason was given. */
  locked?: string;
  /** Why git would prune it. */
  prunable?: string;
  bare: boolean;
}

/** All worktrees, the first one first. */
export async function listWorktrees(repo: Repository): Promise<Worktree[]> {
  const { stdout } = await runGit(repo, ['worktree', 'list', '--porcelain', '-z']);
  const blocks = stdout.split('\0\0').filter((block) => block !== '');
  return blocks.map((block, index) => {
    const fields = new Map(block.split('\0').map((line) => splitAtSpace(line)));
    const branch = branchOf(fields.get('branch') ?? '');
    const head = fields.get('HEAD');
    const [locked, prunable] = [fields.get('locked'), fields.get('prunable')];
    return {
      // git derives the first path from its directory and is wrong about submodules.
      path: index === 0 ? repo.root : (fields.get('worktree') ?? ''),
      bare: fields.has('bare'),
      detached: fields.has('detached'),
      ...(branch === undefined ? {} : { branch }),
      ...(head === undefined || /^0+$/.test(head) ? {} : { head }),
      ...(locked === undefined ? {} : { locked }),
      ...(prunable === undefined ? {} : { prunable }),
    };
  });
}

function splitAtSpace(line: string): [string, string] {
  const at = line.indexOf(' ');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
