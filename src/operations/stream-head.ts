import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/streams.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { acceptsCommits, refuseState } from '../domain/streams/stream-states.ts';
import { handleOfStream, isStreamAuthor, replaceCommits, stateOf, toStream } from '../domain/streams/streams-store.ts';
import { renewClaimOfStream } from '../domain/tasks/task-effects.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import { operation } from './operation.ts';
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
    const { db, actor, repo, stream, emit } = context;
    if (input.expectHead !== undefined && input.expectHead !== stream.head) {
      throw new SwarmError('stale', `Stream ${handleOfStream(stream)} has moved on to ${stream.head.slice(0, 10)}.`);
    }
    const byAuthor = await isStreamAuthor(db, stream, actor.id);
    if ((input.cause === 'commit' || input.cause === 'resolved') && !byAuthor) {
      throw new SwarmError('not_allowed', `${actor.name} is no author of stream ${handleOfStream(stream)}.`, {
        fix: 'Only its author, or someone the author added, commits on a stream.',
      });
    }
    if (input.cause !== 'rebased' && !acceptsCommits(stateOf(stream))) {
      refuseState(handleOfStream(stream), stateOf(stream), 'take commits');
    }
    const samePatch = input.facts.patchId === stream.patch_id;
    const isMove = input.cause === 'rebased' || (samePatch && input.cause !== 'resolved');
    if (!samePatch || input.facts.head !== stream.head) await withdrawLiveMerge(context, stream, 'the stream changed');
    const parent =
      input.parent === undefined
        ? {}
        : { parent_stream_id: input.parent && (await resolveReference(db, 'stream', input.parent, repo.id)) };
    let moved = await moveStream(context, stream, isMove ? 'rebase' : 'change', { ...factColumns(input.facts), ...parent });
    await replaceCommits(db, stream.id, input.facts.commits);
    if (byAuthor) await renewClaimOfStream(context, moved, actor.id);
    emit({
      type: EVENT[input.cause],
      subject: { type: 'stream', id: stream.id },
      data: { cause: input.cause, from: stream.head, to: input.facts.head, commits: input.facts.commits.length },
    });
    moved = await refreshApproval(context, moved);
    return toStream(db, moved);
  },
});

const markConflicted = operation(contract.markConflicted, {
  on: 'stream',
  needs: 'write',
  async run(context, input) {
    const { db, stream, now, emit } = context;
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
