import { SwarmError } from '../contract/errors.ts';

// Control characters, space and ~ ^ : ? * [ \ are never part of a ref's name.
// biome-ignore lint/suspicious/noControlCharactersInRegex: git forbids exactly these
const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]/;

/** True for a full name of a ref that git accepts, such as `refs/heads/stream/s-3fxa` (the rules of check-ref-format). */
export function isRefName(name: string): boolean {
  if (!name.startsWith('refs/') || FORBIDDEN.test(name)) return false;
  if (name.includes('..') || name.includes('@{') || name.endsWith('.')) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

/** Throws invalid for anything that is not the full name of a ref. */
export function checkRefName(name: string): void {
  if (isRefName(name)) return;
  throw new SwarmError('invalid', `${JSON.stringify(name)} is not the name of a ref`, {
    fix: 'use letters, digits, - and /, for example refs/heads/my-branch',
  });
}

/** `refs/heads/<branch>`; throws invalid for a name git does not accept as a branch. */
export function branchRef(branch: string): string {
  const ref = `refs/heads/${branch}`;
  if (branch.startsWith('-') || branch === 'HEAD') {
    throw new SwarmError('invalid', `${JSON.stringify(branch)} cannot be the name of a branch`);
  }
  checkRefName(ref);
  return ref;
}

/** The branch a ref is, or undefined for other refs. */
export function branchOf(ref: string): string | undefined {
  return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;
}
