import { SwarmError } from '../contract/errors.ts';
import { cascadeLevels } from './cascade-levels.ts';
import type { CascadeStream } from './cascade-stream.ts';
import { checkedOutRefs } from './checkouts.ts';
import type { ConflictFile } from './merge-tree-output.ts';
import type { Signature } from './person.ts';
import { prepareRefs } from './prepare-refs.ts';
import { type RebaseInput, type RebaseResult, type Rewrite, rebaseMany } from './rebase.ts';
import type { RefUpdate } from './ref-writer.ts';
import type { UpdateResult } from './refs.ts';
import type { Repository } from './repository.ts';

export interface CascadeInput {
  moved: { id: string; oldHead: string; newHead: string };
  streams: readonly CascadeStream[];
  /** `defer`: a conflict stops its stream and what is below. `stop`: it stops everything after it. */
  policy: 'defer' | 'stop' | 'ours' | 'theirs';
  committer?: Signature;
  /** Streams that must stay where they are (somebody works in their checkout), with everything below them. */
  hold?: readonly string[];
}

export interface CascadeResult {
  /** What to move, all in one transaction. */
  updates: RefUpdate[];
  rebased: {
    id: string;
    from: string;
    to: string;
    rewritten: Rewrite[];
    dropped: string[];
    bases: Record<string, string>;
  }[];
  conflicted: { id: string; files: ConflictFile[]; at: string; partialHead: string }[];
  /** Streams that were not tried: below a conflict, held, or after a stop. */
  deferred: string[];
  unchanged: string[];
}

/** Computes where every stream below a moved one goes. One batch of merges per level, and no ref moves here. */
export async function cascade(repo: Repository, input: CascadeInput): Promise<CascadeResult> {
  const { levels, untouched } = cascadeLevels(input.moved.id, input.streams);
  const result: CascadeResult = {
    updates: [],
    rebased: [],
    conflicted: [],
    deferred: [],
    unchanged: untouched,
  };
  const heads = new Map([[input.moved.id, input.moved.newHead]]);
  const stuck = new Set(input.hold);
  for (const level of levels) {
    const stopped = input.policy === 'stop' && result.conflicted.length > 0;
    const waits = (stream: CascadeStream) =>
      stopped || stuck.has(stream.id) || parentsOf(stream).some(({ id }) => stuck.has(id));
    for (const stream of level.filter(waits)) {
      stuck.add(stream.id);
      result.deferred.push(stream.id);
    }
    await moveLevel(
      repo,
      input,
      level.filter((stream) => !stuck.has(stream.id)),
      { heads, stuck, result },
    );
  }
  return result;
}

/**
 * Moves the refs of a cascade in one transaction. Refs that are checked out anywhere must have been held back: they
 * move with their checkout. This is looked up again once the refs are locked.
 */
export async function applyCascade(
  repo: Repository,
  updates: readonly RefUpdate[],
  reason: string,
): Promise<UpdateResult> {
  if (updates.length === 0) return { kind: 'moved' };
  const prepared = await prepareRefs(repo, updates, reason);
  if (prepared.kind === 'lost') return prepared;
  const checkedOut = await checkedOutRefs(repo, new Set(updates.map(({ ref }) => ref)));
  const taken = updates.find(({ ref }) => checkedOut.has(ref));
  if (taken) {
    await prepared.abort();
    return { kind: 'lost', message: `${taken.ref} was checked out in ${checkedOut.get(taken.ref)}` };
  }
  await prepared.commit();
  return { kind: 'moved' };
}

interface Progress {
  heads: Map<string, string>;
  stuck: Set<string>;
  result: CascadeResult;
}

async function moveLevel(
  repo: Repository,
  input: CascadeInput,
  level: readonly CascadeStream[],
  progress: Progress,
): Promise<void> {
  const { heads, stuck, result } = progress;
  const moves = level.map((stream) => ({ stream, head: stream.head, outcomes: [] as RebaseResult[] }));
  const rounds = Math.max(0, ...level.map((stream) => parentsOf(stream).length));
  for (let round = 0; round < rounds; round++) {
    const open = moves.flatMap((move) => {
      const parent = parentsOf(move.stream)[round];
      const onto = parent && heads.get(parent.id);
      const failed = move.outcomes.some(({ kind }) => kind === 'conflict');
      if (!parent || onto === undefined || failed) return [];
      return [{ move, job: jobOf(input, move.stream, { from: parent.base, to: move.head, onto }) }];
    });
    const outcomes = await rebaseMany(
      repo,
      open.map(({ job }) => job),
    );
    for (const [i, { move }] of open.entries()) {
      const outcome = outcomes[i];
      if (!outcome) continue;
      move.outcomes.push(outcome);
      if (outcome.kind === 'rebased') move.head = outcome.head;
    }
  }
  for (const { stream, head, outcomes } of moves) {
    const conflict = outcomes.find((outcome) => outcome.kind === 'conflict');
    heads.set(stream.id, head);
    if (conflict) {
      stuck.add(stream.id);
      const { files, at, partialHead } = conflict;
      result.conflicted.push({ id: stream.id, files, at, partialHead });
    } else if (head === stream.head) {
      result.unchanged.push(stream.id);
    } else {
      result.updates.push({ ref: stream.ref, old: stream.head, new: head });
      result.rebased.push({
        id: stream.id,
        from: stream.head,
        to: head,
        rewritten: outcomes.flatMap((outcome) => (outcome.kind === 'rebased' ? outcome.rewritten : [])),
        dropped: outcomes.flatMap((outcome) => (outcome.kind === 'rebased' ? outcome.dropped : [])),
        bases: Object.fromEntries(parentsOf(stream).map(({ id, base }) => [id, heads.get(id) ?? base])),
      });
    }
  }
}

/** A stream with several parents cannot stand on all of them; each new head is merged in. */
function jobOf(
  { policy, committer }: CascadeInput,
  stream: CascadeStream,
  range: { from: string; to: string; onto: string },
): RebaseInput {
  return {
    ...range,
    merge: (stream.otherParents?.length ?? 0) > 0,
    policy: policy === 'stop' ? 'defer' : policy,
    ...(committer && { committer }),
  };
}

function parentsOf(stream: CascadeStream): { id: string; base: string }[] {
  const parents = [{ id: stream.parentId, base: stream.base }, ...(stream.otherParents ?? [])];
  if (new Set(parents.map(({ id }) => id)).size === parents.length) return parents;
  throw new SwarmError('invalid', `Stream ${stream.id} names the same parent twice`);
}
