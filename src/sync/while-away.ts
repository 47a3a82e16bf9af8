import type * as z from 'zod';
import { isoTime } from '../base/clock.ts';
import { formatHandle, handleHash } from '../base/handles.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { createStream, recordHead, type Stream, submitStream } from '../contract/streams.ts';
import { nextState, statusPair } from '../domain/streams/stream-states.ts';

/**
 * What is kept in the outbox while the server is away. Each is checked by the server when it arrives, as if it were
 * asked for then. What is not here (a permit to land, a key that is shown once) means nothing later and is refused.
 */
const KEPT: ReadonlySet<string> = new Set([
  'task.create',
  'task.update',
  'task.claim',
  'task.submit',
  'task.review',
  'task.block',
  'task.unblock',
  'task.abandon',
  'task.cancel',
  'task.complete',
  'task.reopen',
  'stream.create',
  'stream.record_head',
  'stream.submit',
  'stream.finish',
  'stream.pause',
  'stream.resume',
  'stream.abandon',
  'stream.reopen',
  'stream.add_author',
  'review.submit',
  'block.split',
  'block.merge',
  'merge.request',
  'merge.land',
  'queue.pause',
  'queue.resume',
  'queue.freeze',
  'queue.unfreeze',
  'queue.move',
  'queue.drop',
  'stabilization.record',
  'promotion.record',
  'access.grant',
  'access.revoke',
  'access.trust',
  'maintainer.add',
  'maintainer.remove',
  'branch_rule.add',
  'branch_rule.update',
  'branch_rule.remove',
  'budget.deposit',
  'budget.withdraw',
  'council.create',
  'council.set',
  'council.dissolve',
  'council.seat',
  'council.unseat',
  'proposal.create',
  'proposal.vote',
  'proposal.withdraw',
  'election.start',
  'election.nominate',
  'election.accept',
  'election.start_voting',
  'election.vote',
  'election.complete',
  'election.cancel',
  'stage.advance',
  'org.create',
  'org.set',
  'agent.update',
  'agent.suspend',
  'agent.resume',
  'notification.read',
  'repo.set_config',
  'repo.archive',
  'undo.record',
]);

export const keptOperations: readonly string[] = [...KEPT];

export function isKept({ name }: Pick<Endpoint, 'name'>): boolean {
  return KEPT.has(name);
}

/** What a provisional answer is made of. */
export interface Known {
  actor: { id: string; name: string };
  /** The stream as it was last known. */
  stream: Stream | undefined;
  now: number;
}

/**
 * The answer with which work goes on until the server has given its own: an agent commits and asks for review without
 * it. Nothing in it is a decision. Undefined where there is none, and the caller is told that the call is kept.
 */
export function answerMeanwhile(
  { name }: Pick<Endpoint, 'name'>,
  input: unknown,
  known: Known,
): Stream | undefined {
  if (name === createStream.name) return newStream(createStream.input.parse(input), known);
  const { stream, now } = known;
  if (!stream) return undefined;
  if (name === recordHead.name) {
    const { facts, parent } = recordHead.input.parse(input);
    const isSame = facts.patchId === stream.patchId;
    const state = nextState(stream.state, isSame ? 'rebase' : 'change') ?? stream.state;
    const measured = {
      head: facts.head,
      baseCommit: facts.base,
      patchId: facts.patchId,
      paths: facts.paths,
      commitCount: facts.commits.length,
      conflict: isSame ? stream.conflict : null,
    };
    return {
      ...inState(stream, state, now),
      ...measured,
      ...(parent === null ? { parentStreamId: null } : {}),
    };
  }
  if (name === submitStream.name) {
    const state = nextState(stream.state, 'submit');
    return state && inState(stream, state, now);
  }
  return undefined;
}

function inState(stream: Stream, state: Stream['state'], now: number): Stream {
  return { ...stream, state, ...statusPair(state), updatedAt: isoTime(now) };
}

function newStream(input: z.output<typeof createStream.input>, { actor, now }: Known): Stream | undefined {
  const { id } = input;
  if (id === undefined) return undefined;
  return {
    id,
    handle: formatHandle('stream', handleHash(id)),
    repoId: input.repoId,
    name: input.name ?? `${actor.name}'s work`,
    branch: input.branch ?? `stream/${id}`,
    authorId: actor.id,
    authorName: actor.name,
    coAuthorIds: [],
    state: 'active',
    status: 'active',
    reviewStatus: null,
    stateReason: null,
    conflict: null,
    source: input.source,
    taskId: input.task ?? null,
    parentStreamId: input.parent ?? null,
    revertOfStreamId: input.revertOf ?? null,
    baseBranch: input.baseBranch,
    baseCommit: input.baseCommit,
    head: input.head ?? input.baseCommit,
    patchId: '',
    paths: input.paths,
    commitCount: 0,
    mergedCommit: null,
    createdAt: isoTime(now),
    updatedAt: isoTime(now),
  };
}
