import { join } from 'node:path';
import type { Repository } from '../git/repository.ts';

/** Where GitSwarm keeps its things in a repository. All worktrees of a repository share one such place. */
export interface Places {
  /** `<root>/.gitswarm`, or `<gitdir>/gitswarm` in a bare repository. */
  home: string;
  database: string;
  configFile: string;
  worktrees: string;
}

export function placesOf(git: Pick<Repository, 'root' | 'isBare'>): Places {
  const home = git.isBare ? join(git.root, 'gitswarm') : join(git.root, '.gitswarm');
  return {
    home,
    database: join(home, 'federation.db'),
    configFile: join(home, 'config.yml'),
    worktrees: git.isBare ? join(home, 'worktrees') : join(git.root, '.worktrees'),
  };
}
