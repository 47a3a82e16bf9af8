import { createHash } from 'node:crypto';

/**
 * A handle is what people see instead of an id: `t-k7m2`, `s-3fxa`. It is the shortest unique prefix (at least
 * four characters) of a hash of the id, so that ids made in the same millisecond do not look alike.
 */

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
export const HANDLE_LENGTH = 26;
export const SHORTEST_HANDLE = 4;

export type HandleKind = 'agent' | 'task' | 'stream' | 'claim' | 'merge' | 'proposal' | 'election' | 'repo';

const PREFIX: Record<HandleKind, string> = {
  agent: 'a',
  task: 't',
  stream: 's',
  claim: 'c',
  merge: 'm',
  proposal: 'p',
  election: 'e',
  repo: 'r',
};

/** The full 26 characters of an id's handle, without its prefix; this is what the database stores and indexes. */
export function handleHash(id: string): string {
  const digest = createHash('sha256').update(id).digest();
  let text = '';
  for (let i = 0; i < HANDLE_LENGTH; i++) text += ALPHABET[(digest[i] ?? 0) & 31];
  return text;
}

/** `s-3fxa` from the stored hash and the number of characters that make it unique. */
export function formatHandle(kind: HandleKind, hash: string, length: number = SHORTEST_HANDLE): string {
  return `${PREFIX[kind]}-${hash.slice(0, Math.max(length, SHORTEST_HANDLE))}`;
}

/** The hash prefix in a handle a person typed, or undefined where the text is no handle of this kind. */
export function parseHandle(kind: HandleKind, text: string): string | undefined {
  const match = /^([a-z])-([0-9a-z]{4,26})$/.exec(text.toLowerCase());
  return match?.[1] === PREFIX[kind] ? match[2] : undefined;
}
