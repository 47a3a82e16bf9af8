import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a file says of a ref: its id, that there is none, or that git has to be asked. */
export type RefInFile = { kind: 'oid'; oid: string } | { kind: 'none' } | { kind: 'ask' };

const ASK: RefInFile = { kind: 'ask' };

/** True where refs are files. Other kinds of storage leave a stub in the place of HEAD. */
export function hasRefFiles(commonDir: string): boolean {
  const head = read(join(commonDir, 'HEAD'));
  return typeof head === 'string' && head.trimEnd() !== 'ref: refs/heads/.invalid';
}

/**
 * Reads one ref as git does: its own file, else packed-refs. Only for repositories that keep refs as files. A file is
 * replaced in one step, so what is read is always some value the ref had; git packs a ref before it removes its file,
 * so a ref that is not in its file is looked for among the packed ones afterwards.
 */
export function readRefFile(commonDir: string, ref: string): RefInFile {
  // Refs of a single worktree live elsewhere.
  if (!/^refs\/(heads|tags|remotes|gitswarm)\/./.test(ref)) return ASK;
  const loose = read(join(commonDir, ref));
  if (loose === undefined) return ASK;
  if (loose !== null) {
    const oid = /^([0-9a-f]{40}|[0-9a-f]{64})\s*$/.exec(loose)?.[1];
    return oid === undefined ? ASK : { kind: 'oid', oid };
  }
  const packed = read(join(commonDir, 'packed-refs'));
  if (packed === undefined) return ASK;
  if (packed === null) return { kind: 'none' };
  const at = packed.indexOf(` ${ref}\n`);
  if (at < 0) return { kind: 'none' };
  const oid = /[^\n]*$/.exec(packed.slice(Math.max(0, at - 64), at))?.[0] ?? '';
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(oid) ? { kind: 'oid', oid } : ASK;
}

/** The text of a file; null where there is none, undefined where it cannot be told. */
function read(path: string): string | null | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A directory of refs whose names go on, or a file where a directory would have to be: there is no such ref.
    return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' ? null : undefined;
  }
}
