import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/streams.ts';
import type { RepoRow, StreamRow } from '../db/tables.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { isOpen, nextState, refuseState } from '../domain/streams/stream-states.ts';
import {
  handleOfStream,
  listChildRows,
  replaceCommits,
  stateOf,
  toStream,
  toStreams,
  updateStreamRow,
} from '../domain/streams/streams-store.ts';
import { listLandings } from '../domain/merges/merges-store.ts';
import { completeTaskOfStream, renewClaimOfStream, submitClaimOfStream } from '../domain/tasks/task-effects.ts';
import { recordUndoRow } from '../domain/undo/undo-store.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import { type ActingContext, operation } from './operation.ts';
import { pauseChildren } from './stream-children.ts';
import { factColumns, refreshApproval } from './stream-effects.ts';

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
      data: { head: input.facts.head, note: input.note ?? '', repo: repo.name },
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
    emit({ type: 'stream.finished', subject: { type: 'stream', id: stream.id }, data: { landings: landings.length } });
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
    const before = state === 'queued' ? 'approved' : state;
    const paused = await moveStream(context, stream, 'pause', {
      state_before: before,
      state_reason: input.reason ?? null,
    });
    emit({ type: 'stream.paused', subject: { type: 'stream', id: stream.id }, data: { reason: input.reason ?? null } });
    await recordUndoRow(context, {
      operation: 'stream.pause',
      summary: `pause of ${handleOfStream(stream)}`,
      data: { streamId: stream.id },
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
    return toStream(db, await refreshApproval(context, await resumeRow(context, stream)));
  },
});

/** Puts a paused stream back into the state it was paused in. */
export async function resumeRow(context: ActingContext, stream: StreamRow): Promise<StreamRow> {
  const resumed = await updateStreamRow(context.db, stream.id, {
    state: stream.state_before ?? 'active',
    state_before: null,
    state_reason: null,
    updated_at: context.now,
  });
  context.emit({ type: 'stream.resumed', subject: { type: 'stream', id: stream.id } });
  return resumed;
}

const abandon = operation(contract.abandonStream, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context, input) {
    const { db, stream } = context;
    if (stream.state === 'abandoned') return { stream: await toStream(db, stream), alsoAbandoned: [], paused: [] };
    const abandoned = await abandonRow(context, stream, input.reason);
    const below = input.cascade ? await openDescendants(context, stream) : [];
    const also: StreamRow[] = [];
    for (const child of below) also.push(await abandonRow(context, child, `${handleOfStream(stream)} was abandoned`));
    const paused = input.cascade ? [] : await pauseChildren(context, stream);
    await recordUndoRow(context, {
      operation: 'stream.abandon',
      summary: `abandoning ${handleOfStream(stream)}`,
      data: { streamIds: [stream.id, ...also.map((row) => row.id)] },
    });
    return {
      stream: await toStream(db, abandoned),
      alsoAbandoned: await toStreams(db, also),
      paused: await toStreams(db, paused),
    };
  },
});

async function abandonRow(context: ActingContext, stream: StreamRow, reason?: string): Promise<StreamRow> {
  if (!nextState(stateOf(stream), 'abandon')) refuseState(handleOfStream(stream), stateOf(stream), 'be abandoned');
  await withdrawLiveMerge(context, stream, 'abandoned');
  const before = stream.state === 'queued' ? 'approved' : stream.state === 'paused' ? stream.state_before : stream.state;
  const abandoned = await moveStream(context, stream, 'abandon', {
    state_before: before,
    state_reason: reason ?? null,
  });
  context.emit({
    type: 'stream.abandoned',
    subject: { type: 'stream', id: stream.id },
    data: { reason: reason ?? null },
  });
  return abandoned;
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
    return toStream(db, await refreshApproval(context, await reopenRow(context, stream)));
  },
});

/** Takes an abandonment back. */
export async function reopenRow(context: ActingContext, stream: StreamRow): Promise<StreamRow> {
  const reopened = await updateStreamRow(context.db, stream.id, {
    state: stream.state_before ?? 'active',
    state_before: null,
    state_reason: null,
    updated_at: context.now,
  });
  context.emit({ type: 'stream.reopened', subject: { type: 'stream', id: stream.id } });
  return reopened;
}

export const streamLifecycleOperations = [submit, finish, pause, resume, abandon, reopen];
