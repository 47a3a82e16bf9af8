import { SwarmError } from '../contract/errors.ts';

const LONGEST_PATH = 4096;
const LONGEST_NAME = 255;

/** Characters that some file systems do not see, so that `.g\u200cit` would be `.git` there. */
const INVISIBLE = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * Refuses a path that somebody could not check out safely everywhere: absolute, leading out of the repository or into
 * git's own directory under any of the names file systems know it by, or not to be seen on a terminal.
 */
export function assertSafePath(path: string): void {
  const reason = whyUnsafe(path);
  if (reason === undefined) return;
  throw new SwarmError('invalid', `${JSON.stringify(path.slice(0, 200))} is no usable path: ${reason}.`);
}

/** Why a path is unsafe; undefined where it is not. */
export function whyUnsafe(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (Buffer.byteLength(path) > LONGEST_PATH) return 'it is too long';
  if (!path.isWellFormed()) return 'it is not valid Unicode';
  if (/^[/\\]|^[A-Za-z]:/.test(path)) return 'it is absolute';
  if (path.includes('\\')) return 'it holds a backslash';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(path)) return 'it holds control characters';
  for (const name of path.split('/')) {
    if (name === '') return 'it holds an empty name';
    if (name === '.' || name === '..') return `it holds "${name}"`;
    if (Buffer.byteLength(name) > LONGEST_NAME) return 'it holds a name that is too long';
    if (isGitDirectory(name)) return 'it leads into .git';
  }
  return undefined;
}

/** `.git` as Windows, macOS and others may read it: any case, trailing dots and spaces, streams, short names. */
function isGitDirectory(name: string): boolean {
  const plain = name.replace(INVISIBLE, '').normalize('NFKC').toLowerCase();
  const [beforeStream = ''] = plain.split(':');
  return /^(\.git|git~\d+)[. ]*$/.test(beforeStream);
}
