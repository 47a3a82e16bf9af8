import { type Facts, listStreamCommits, type Stream } from '../contract/streams.ts';
import type { Authority } from '../operations/authority.ts';

/** A client that does not say where its stream began. */
export const UNKNOWN_COMMIT = '0'.repeat(40);

/**
 * The facts of a stream whose clone is with its client: its word, or what it recorded before. Of a head without facts
 * nothing is known but that it is another one, so nothing that was judged before counts for it.
 */
export async function clientFacts(
  authority: Authority,
  stream: Stream,
  given: { head?: string | undefined; facts?: Facts | undefined },
): Promise<Facts> {
  if (given.facts) return given.facts;
  const head = given.head ?? stream.head;
  const { items } = await authority.call(listStreamCommits, { stream: stream.id });
  const known = { base: stream.baseCommit, paths: stream.paths };
  if (head === stream.head)
    return { ...known, head, patchId: stream.patchId || unmeasured(head), commits: items };
  return { ...known, head, patchId: unmeasured(head), commits: withCommit(items, { commit: head }) };
}

/** The commits with one more; one that is there already stays as it is. */
export function withCommit(
  commits: Facts['commits'],
  added: { commit: string; message?: string; changeId?: string | undefined; author?: string },
): Facts['commits'] {
  if (commits.some((each) => each.commit === added.commit)) return commits;
  const { commit, message = '', changeId = '', author = '' } = added;
  return [...commits, { commit, message, changeId, author, patchId: unmeasured(commit) }];
}

export function unmeasured(head: string): string {
  return `unmeasured ${head}`;
}
