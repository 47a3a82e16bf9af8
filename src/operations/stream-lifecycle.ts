import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/streams.ts';
import type { RepoRow, StreamRow } from '../db/tables.ts';
import { listLandings } from '../domain/merges/merges-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { isOpen, nextState, refuseState } from '../domain/streams/stream-states.ts';
import {
  handleOfStream,
  isStreamAuthor,
  listChildRows,
  replaceCommits,
  stateOf,
  toStream,
  toStreams,
  updateStreamRow,
} from '../domain/streams/streams-store.ts';
import { endConflictTask } from '../domain/tasks/conflict-task.ts';
import {
  completeTaskOfStream,
  renewClaimOfStream,
  submitClaimOfStream,
} from '../domain/tasks/task-effects.ts';
import { recordUndoRow } from '../domain/undo/undo-store.ts';
import { isMaintainer } from './is-maintainer.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import { type ActingContext, operation } from './operation.ts';
import { pauseChildren, resumeChildren, resumeRow } from './stream-children.ts';
import { completeRepaired, factColumns, refreshApproval } from './stream-effects.ts';

/** Asks for review. What is judged is exactly the head in the facts. */
const submit = operation(contract.submitStream, {
  on: 'stream',
  needs: 'author',
  async run(context, input) {
    const { db, actor, repo, stream, emit } = context;
    const handle = handleOfStream(stream);
    if (!nextState(stateOf(stream), 'submit')) refuseState(handle, stateOf(stream), 'ask for review');
    if (input.facts.commits.length === 0) {
      throw new SwarmError('gate_not_met', `Stream ${handle} has no commits to review.`, {
        fix: `gitswarm commit -m "…" --stream ${handle}`,
      });
    }
    const current = await takeFacts(context, stream, input.facts);
    await renewClaimOfStream(context, current, actor.id);
    const submitted = await moveStream(context, current, 'submit');
    emit({
      type: 'stream.submitted',
      subject: { type: 'stream', id: stream.id },
      data: { head: input.facts.head, patchId: input.facts.patchId, note: input.note ?? '', repo: repo.name },
    });
    return toStream(db, await refreshApproval(context, submitted));
  },
});

/** Facts measured just before an operation take the place of the recorded ones where they differ. */
export async function takeFacts(
  context: ActingContext & { repo: RepoRow },
  stream: StreamRow,
  facts: contract.Facts,
): Promise<StreamRow> {
  if (facts.head === stream.head && facts.patchId === stream.patch_id) return stream;
  await withdrawLiveMerge(context, stream, 'the stream changed');
  const same = facts.patchId === stream.patch_id;
  const moved = await moveStream(context, stream, same ? 'rebase' : 'change', factColumns(facts));
  await replaceCommits(context.db, stream.id, facts.commits);
  return moved;
}

/** In swarm mode: everything has landed and the author is done with the task. */
const finish = operation(contract.finishStream, {
  on: 'stream',
  needs: 'author',
  async run(context, input) {
    const { db, stream, emit } = context;
    const handle = handleOfStream(stream);
    if (stream.state === 'merged') return toStream(db, stream);
    await withdrawLiveMerge(context, stream, 'the author is done');
    const landings = await listLandings(db, stream.id);
    if (input.facts.commits.length > 0 || landings.length === 0) {
      const what = landings.length === 0 ? 'nothing has landed' : 'it holds commits that have not landed';
      throw new SwarmError('gate_not_met', `Stream ${handle} is not finished: ${what}.`, {
        fix: `gitswarm merge ${handle}`,
      });
    }
    const finished = await moveStream(context, stream, 'finish', {
      ...factColumns(input.facts),
      merged_commit: landings[0]?.commit_hash ?? null,
    });
    await submitClaimOfStream(context, finished, input.note ?? '');
    await completeTaskOfStream(context, finished, []);
    await completeRepaired(context, finished, []);
    emit({
      type: 'stream.finished',
      subject: { type: 'stream', id: stream.id },
      data: { landings: landings.length },
    });
    return toStream(db, finished);
  },
});

const pause = operation(contract.pauseStream, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context, input) {
    const { db, stream, emit } = context;
    const state = stateOf(stream);
    if (state === 'paused') return toStream(db, stream);
    if (!nextState(state, 'pause')) refuseState(handleOfStream(stream), state, 'be paused');
    await withdrawLiveMerge(context, stream, 'paused');
    const paused = await moveStream(context, stream, 'pause', { state_reason: input.reason ?? null });
    emit({
      type: 'stream.paused',
      subject: { type: 'stream', id: stream.id },
      data: { reason: input.reason ?? null },
    });
    await recordUndoRow(context, {
      operation: 'stream.pause',
      summary: `pause of ${handleOfStream(stream)}`,
      data: { streamId: stream.id, at: context.now },
    });
    return toStream(db, paused);
  },
});

const resume = operation(contract.resumeStream, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context) {
    const { db, stream } = context;
    if (stream.state !== 'paused') refuseState(handleOfStream(stream), stateOf(stream), 'be resumed');
    return toStream(db, await resumeRow(context, stream));
  },
});

const abandon = operation(contract.abandonStream, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context, input) {
    const { db, stream } = context;
    if (stream.state === 'abandoned')
      return { stream: await toStream(db, stream), alsoAbandoned: [], paused: [] };
    const below = input.cascade ? await openDescendants(context, stream) : [];
    await refuseOthers(context, below);
    const abandoned = await abandonRow(context, stream, input.reason);
    const also: StreamRow[] = [];
    for (const child of below)
      also.push(await abandonRow(context, child, `${handleOfStream(stream)} was abandoned`));
    const paused = input.cascade ? [] : await pauseChildren(context, stream);
    await recordUndoRow(context, {
      operation: 'stream.abandon',
      summary: `abandoning ${handleOfStream(stream)}`,
      data: { streamIds: [stream.id, ...also.map((row) => row.id)], at: context.now },
    });
    return {
      stream: await toStream(db, abandoned),
      alsoAbandoned: await toStreams(db, also),
      paused: await toStreams(db, paused),
    };
  },
});

async function abandonRow(context: ActingContext, stream: StreamRow, reason?: string): Promise<StreamRow> {
  if (!nextState(stateOf(stream), 'abandon'))
    refuseState(handleOfStream(stream), stateOf(stream), 'be abandoned');
  await withdrawLiveMerge(context, stream, 'abandoned');
  const abandoned = await moveStream(context, stream, 'abandon', { state_reason: reason ?? null });
  if (stream.conflict !== null) await endConflictTask(context, abandoned);
  context.emit({
    type: 'stream.abandoned',
    subject: { type: 'stream', id: stream.id },
    data: { reason: reason ?? null },
  });
  return abandoned;
}

/** A cascade reaches what others build on a stream; to abandon that takes maintain access. */
async function refuseOthers(context: ActingContext & { repo: RepoRow }, streams: StreamRow[]): Promise<void> {
  if (streams.length === 0 || (await isMaintainer(context, context.actor))) return;
  for (const stream of streams) {
    if (await isStreamAuthor(context.db, stream, context.actor.id)) continue;
    throw new SwarmError(
      'not_allowed',
      `Stream ${handleOfStream(stream)} is another's: only a maintainer abandons it.`,
      {
        fix: 'Leave out --cascade: then it is paused, and its author told.',
      },
    );
  }
}

async function openDescendants(context: ActingContext, stream: StreamRow): Promise<StreamRow[]> {
  const found: StreamRow[] = [];
  const seen = new Set([stream.id]);
  const waiting = [stream.id];
  for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
    for (const child of await listChildRows(context.db, id)) {
      if (seen.has(child.id)) continue;
      seen.add(child.id);
      waiting.push(child.id);
      if (isOpen(stateOf(child))) found.push(child);
    }
  }
  return found;
}

const reopen = operation(contract.reopenStream, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context) {
    const { db, stream } = context;
    if (stream.state !== 'abandoned') refuseState(handleOfStream(stream), stateOf(stream), 'be reopened');
    return toStream(db, await reopenRow(context, stream));
  },
});

/** Takes an abandonment back; the children that waited for the stream go on. */
export async function reopenRow(
  context: ActingContext & { repo: RepoRow },
  stream: StreamRow,
): Promise<StreamRow> {
  const reopened = await updateStreamRow(context.db, stream.id, {
    state: stream.state_before ?? 'active',
    state_before: null,
    state_reason: null,
    updated_at: context.now,
  });
  context.emit({ type: 'stream.reopened', subject: { type: 'stream', id: stream.id } });
  await resumeChildren(context, reopened);
  return refreshApproval(context, reopened);
}

export const streamLifecycleOperations = [submit, finish, pause, resume, abandon, reopen];
