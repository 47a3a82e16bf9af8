import { SwarmError } from '../contract/errors.ts';

export type ObjectFormat = 'sha1' | 'sha256';

const FULL = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** True for a full object id, in either hash. */
export function isOid(text: string): boolean {
  return FULL.test(text);
}

/** Refuses anything but a full object id: long-lived processes are only ever asked about ids. */
export function assertOid(text: string): void {
  if (!isOid(text)) throw new SwarmError('invalid', `"${text}" is not a full object id`);
}

/** The id that means "no object", in the hash of the repository. */
export function zeroOid(format: ObjectFormat): string {
  return '0'.repeat(format === 'sha256' ? 64 : 40);
}

/** The id of the tree without entries, which every repository knows without storing it. */
export function emptyTree(format: ObjectFormat): string {
  return format === 'sha256'
    ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
    : '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
}
