import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { SwarmError } from '../contract/errors.ts';

/**
 * Paths as they were typed, as seen from the top of a worktree and with forward slashes. Standing inside it they are
 * relative to where one stands, elsewhere to its top. One that leads out of it is a usage error; links above the last
 * name are followed, the last name itself may be a link or be gone.
 */
export function worktreePaths(worktree: string, typed: readonly string[], dir: string): string[] {
  const top = real(worktree);
  const here = real(dir);
  const from = here === top || here.startsWith(top + sep) ? here : top;
  return typed.map((path) => {
    const target = real(resolve(from, path), true);
    const inside = relative(top, target);
    if (inside === '..' || inside.startsWith(`..${sep}`) || resolve(top, inside) !== target) {
      throw new SwarmError('usage', `${path} is not in the workspace ${worktree}.`);
    }
    return inside.split(sep).join('/');
  });
}

function real(path: string, keepsLast = false): string {
  if (keepsLast) return dirname(path) === path ? path : join(real(dirname(path)), basename(path));
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(real(dirname(path)), basename(path));
  }
}
