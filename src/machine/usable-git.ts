import { statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Machine } from './machine.ts';

/** The file that runs as `git` on this PATH, with what tells it from another version; undefined where there is none. */
export function findGitProgram(path: string | undefined): string | undefined {
  for (const directory of (path ?? '').split(delimiter)) {
    if (directory === '') continue;
    for (const name of process.platform === 'win32' ? ['git.exe', 'git.cmd'] : ['git']) {
      const file = statSync(join(directory, name), { throwIfNoEntry: false });
      if (file?.isFile()) return `${join(directory, name)} ${file.size} ${Math.floor(file.mtimeMs)}`;
    }
  }
  return undefined;
}

/** True where this very program was found to be new enough before, so that it need not be asked again. */
export function isUsableGit(machine: Machine, program: string): boolean {
  return machine.get('select program from usable_git where program = ?', program) !== undefined;
}

export function recordUsableGit(machine: Machine, program: string): void {
  machine.run('insert into usable_git values (?) on conflict do nothing', program);
}
