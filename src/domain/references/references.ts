import { formatHandle, type HandleKind } from '../../base/handles.ts';
import { nearest } from '../../base/nearest.ts';
import { SwarmError } from '../../contract/errors.ts';

/** A thing that a reference may mean. */
export interface Candidate {
  id: string;
  handle: string;
  handle_length: number;
  name: string;
}

const SHOWN_CANDIDATES = 5;

/** Where those are listed that have no list of their own name. */
const LISTS: Partial<Record<HandleKind, string>> = {
  claim: 'task list',
  merge: 'queue list',
  proposal: 'council proposals',
  election: 'council elect show',
};

/** The one whose handle or name is nearest to what was typed and means nothing; undefined where none is near. */
export function nearestCandidate<C extends Candidate>(
  kind: HandleKind,
  text: string,
  candidates: readonly C[],
): C | undefined {
  const near = nearest(
    text,
    candidates.flatMap((c) => [c.name, handleOf(kind, c)]),
  );
  return near === undefined
    ? undefined
    : candidates.find((c) => c.name === near || handleOf(kind, c) === near);
}

/**
 * The one candidate that a typed reference means: the exact id, else the exact name, else the only one whose id or
 * handle begins with it. Throws not_found, or ambiguous with the candidates.
 */
export function pickReference<C extends Candidate>(kind: HandleKind, text: string, candidates: C[]): C {
  const exact = candidates.filter((c) => c.id === text);
  const named = exact.length > 0 ? exact : candidates.filter((c) => c.name === text);
  const matches = named.length > 0 ? named : candidates;
  const [only, second] = matches;
  if (!only)
    throw new SwarmError('not_found', `There is no ${kind} "${text}".`, {
      fix: `gitswarm ${LISTS[kind] ?? `${kind} list`}`,
    });
  if (!second) return only;
  const shown = matches.slice(0, SHOWN_CANDIDATES).map((c) => `${handleOf(kind, c)} (${c.name})`);
  throw new SwarmError('ambiguous', `"${text}" may mean several: ${shown.join(', ')}.`, {
    fix: 'Use more characters of the handle, or the full id.',
    details: { candidates: matches.map((c) => ({ id: c.id, handle: handleOf(kind, c), name: c.name })) },
  });
}

/** The handle people see, as long as it must be to be unique. */
export function handleOf(kind: HandleKind, row: { handle: string; handle_length: number }): string {
  return formatHandle(kind, row.handle, row.handle_length);
}

/** The text without `%` and `_` having a meaning, for a LIKE pattern with `\` as its escape. */
export function likePrefix(text: string): string {
  return `${text.replace(/[\\%_]/g, (char) => `\\${char}`)}%`;
}
