import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/streams.ts';
import type { RepoRow, StreamRow } from '../db/tables.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { acceptsCommits, refuseState } from '../domain/streams/stream-states.ts';
import {
  getStreamRow,
  handleOfStream,
  insertStreamAuthor,
  isStreamAuthor,
  replaceCommits,
  stateOf,
  toStream,
  updateStreamRow,
} from '../domain/streams/streams-store.ts';
import { endConflictTask } from '../domain/tasks/conflict-task.ts';
import { renewClaimOfStream } from '../domain/tasks/task-effects.ts';
import { isMaintainer } from './is-maintainer.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import { type ActingContext, operation } from './operation.ts';
import { isSameFleet } from './same-fleet.ts';
import { resumeRow, waitsForParent } from './stream-children.ts';
import { factColumns, refreshApproval } from './stream-effects.ts';

const EVENT = {
  commit: 'stream.committed',
  adopted: 'stream.committed',
  rewritten: 'stream.rewritten',
  rebased: 'stream.rebased',
  resolved: 'stream.resolved',
} as const;

/** What git says of a stream now takes the place of what was recorded. */
const recordHead = operation(contract.recordHead, {
  on: 'stream',
  needs: 'write',
  async run(context, input) {
    const { db, actor, stream, emit } = context;
    if (input.expectHead !== undefined && input.expectHead !== stream.head) {
      throw new SwarmError(
        'stale',
        `Stream ${handleOfStream(stream)} has moved on to ${stream.head.slice(0, 10)}.`,
      );
    }
    const byAuthor = await isStreamAuthor(db, stream, actor.id);
    if (!byAuthor) await requireWord(context);
    const mayResolve = input.cause === 'resolved' && !byAuthor && (await isMaintainer(context, actor));
    if ((input.cause === 'commit' || input.cause === 'resolved') && !byAuthor && !mayResolve) {
      throw new SwarmError('not_allowed', `${actor.name} is no author of stream ${handleOfStream(stream)}.`, {
        fix: 'Only its author, or someone the author added, commits on a stream.',
      });
    }
    if (input.cause !== 'rebased' && !acceptsCommits(stateOf(stream))) {
      refuseState(handleOfStream(stream), stateOf(stream), 'take commits');
    }
    if (mayResolve) await becomeAuthor(context);
    const parent =
      input.parent === undefined ? {} : { parent_stream_id: await newParent(context, input.parent) };
    const changes = { ...factColumns(input.facts), ...parent };
    const happening = whatHappened(stream, input);
    if (happening) await withdrawLiveMerge(context, stream, 'the stream changed');
    let moved = happening
      ? await moveStream(context, stream, happening, changes)
      : await updateStreamRow(db, stream.id, { ...changes, updated_at: context.now });
    await replaceCommits(db, stream.id, input.facts.commits);
    if (stream.conflict !== null) await endConflictTask(context, moved);
    if (byAuthor) await renewClaimOfStream(context, moved, actor.id);
    emit({
      type: EVENT[input.cause],
      subject: { type: 'stream', id: stream.id },
      data: {
        cause: input.cause,
        from: stream.head,
        to: input.facts.head,
        commits: input.facts.commits.length,
        patchId: input.facts.patchId,
      },
    });
    const isFree = waitsForParent(moved) && moved.parent_stream_id !== stream.parent_stream_id;
    moved = isFree ? await resumeRow(context, moved) : await refreshApproval(context, moved);
    return toStream(db, moved);
  },
});

/**
 * Beside one database whoever looks first says what git holds. A server cannot look: there somebody else's word about a
 * stream counts only from its author's own fleet, whose machine holds the branch, or from a maintainer. Otherwise a
 * stranger could say that an approved change is the patch of a commit of his.
 */
async function requireWord(context: ActingContext & { repo: RepoRow; stream: StreamRow }): Promise<void> {
  const { db, actor, stream, restsOnClientClone } = context;
  if (!restsOnClientClone || (await isSameFleet(db, actor.id, stream.agent_id))) return;
  if (await isMaintainer(context, actor)) return;
  throw new SwarmError(
    'not_allowed',
    `${actor.name} may not say what stream ${handleOfStream(stream)} holds.`,
    {
      fix: 'Its author, an agent of the same fleet or a maintainer records it.',
    },
  );
}

/** Whoever wrote a resolution has written a part of the stream, and is no judge of it any more. */
async function becomeAuthor({ db, actor, stream, now, emit }: ActingContext & { stream: StreamRow }) {
  await insertStreamAuthor(db, stream.id, actor.id, now);
  emit({
    type: 'stream.author_added',
    subject: { type: 'stream', id: stream.id },
    data: { agentId: actor.id },
  });
}

/** What the state of a stream is told: nothing, where git says the same as before and no conflict was resolved. */
function whatHappened(
  stream: StreamRow,
  input: { facts: contract.Facts; cause: keyof typeof EVENT },
): 'change' | 'rebase' | undefined {
  const samePatch = input.facts.patchId === stream.patch_id;
  if (input.cause === 'resolved' && stream.state === 'conflicted') return 'change';
  if (samePatch && input.facts.head === stream.head) return undefined;
  return input.cause === 'rebased' || samePatch ? 'rebase' : 'change';
}

/** The stream to build on from now on; one that builds on this stream itself is refused. */
async function newParent(
  { db, repo, stream }: ActingContext & { repo: RepoRow; stream: StreamRow },
  ref: string | null,
): Promise<string | null> {
  if (ref === null) return null;
  const parentId = await resolveReference(db, 'stream', ref, repo.id);
  const seen = new Set<string>();
  for (let id: string | null = parentId; id !== null && !seen.has(id); ) {
    if (id === stream.id) {
      throw new SwarmError('conflict', `Stream ${handleOfStream(stream)} cannot build on itself.`);
    }
    seen.add(id);
    id = (await getStreamRow(db, id)).parent_stream_id;
  }
  return parentId;
}

const markConflicted = operation(contract.markConflicted, {
  on: 'stream',
  needs: 'write',
  async run(context, input) {
    const { db, actor, stream, now, emit } = context;
    if (!(await isStreamAuthor(db, stream, actor.id))) await requireWord(context);
    await withdrawLiveMerge(context, stream, 'conflict');
    const conflict = JSON.stringify({ with: input.with, onto: input.onto, files: input.files, at: now });
    const moved = await moveStream(context, stream, 'conflict', { conflict });
    emit({
      type: 'stream.conflicted',
      subject: { type: 'stream', id: stream.id },
      data: { with: input.with, onto: input.onto, files: input.files },
    });
    return toStream(db, moved);
  },
});

export const streamHeadOperations = [recordHead, markConflicted];
