import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/merges.ts';
import type { MergeRow, RepoRow, StreamRow } from '../db/tables.ts';
import { getAgent } from '../domain/agents/agents-store.ts';
import { permitUntil } from '../domain/merges/landing-permit.ts';
import { insertMerge, toMerge, updateMergeRow } from '../domain/merges/merges-store.ts';
import { consensusOf } from '../domain/reviews/consensus-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { getStreamRow, handleOfStream, stateOf, toStream } from '../domain/streams/streams-store.ts';
import { openEvictionTask } from '../domain/tasks/eviction-task.ts';
import { refusalFor } from './gate.ts';
import { type ActingContext, operation } from './operation.ts';
import { refreshApproval } from './stream-effects.ts';

type MergeContext = ActingContext & { repo: RepoRow; merge: MergeRow };

/** Ends an intent that did not land. The stream keeps its work and goes back to where it came from. */
export const endLanding = operation(contract.endMerge, {
  on: 'merge',
  needs: 'write',
  async run(context, input) {
    const { db, merge, now, emit } = context;
    if (merge.state !== 'requested' && merge.state !== 'prepared') {
      return {
        merge: toMerge(merge),
        stream: merge.stream_id ? await toStreamById(context, merge.stream_id) : null,
      };
    }
    if (input.state === 'withdrawn') refuseUnderWay(context, input.holder);
    const ended = await updateMergeRow(db, merge.id, {
      state: input.state,
      reason: input.reason ?? merge.reason,
      holder: null,
      ended_at: now,
    });
    emit({
      type: `merge.${input.state}` as const,
      subject: { type: 'merge', id: merge.id },
      data: { streamId: merge.stream_id, reason: input.reason ?? null, files: input.files },
    });
    if (input.eviction !== undefined && merge.stream_id) {
      const stream = await getStreamRow(db, merge.stream_id);
      const handle = handleOfStream(stream);
      await openEvictionTask(context, { stream, merge, handle, details: input.eviction });
    }
    const again = input.requeue && input.state === 'withdrawn';
    if (!merge.stream_id) {
      if (again) await askAgain(context, merge);
      return { merge: toMerge(ended), stream: null };
    }
    const stream = await getStreamRow(db, merge.stream_id);
    if (input.state === 'conflicted' && stateOf(stream) !== 'merged') {
      const conflict = JSON.stringify({
        with: 'buffer',
        onto: input.onto ?? merge.head,
        files: input.files,
        at: now,
      });
      const moved = await moveStream(context, stream, 'conflict', { conflict });
      emit({
        type: 'stream.conflicted',
        subject: { type: 'stream', id: stream.id },
        data: { with: 'buffer', files: input.files },
      });
      return { merge: toMerge(ended), stream: await toStream(db, moved) };
    }
    if (stateOf(stream) !== 'queued') return { merge: toMerge(ended), stream: await toStream(db, stream) };
    const back = await refreshApproval(context, await moveStream(context, stream, 'dequeue'));
    if (!again || !(await isGateOpen(context, back)))
      return { merge: toMerge(ended), stream: await toStream(db, back) };
    await askAgain(context, merge);
    return { merge: toMerge(ended), stream: await toStream(db, await moveStream(context, back, 'queue')) };
  },
});

/** A clock elsewhere may be ahead: whether somebody may be landing it on another machine, the clock here decides. */
function refuseUnderWay(
  { merge, now, restsOnClientClone }: MergeContext,
  gone: string | null | undefined,
): void {
  if (!restsOnClientClone || gone === undefined || merge.state !== 'prepared') return;
  const until = permitUntil(merge.prepared_at);
  if (merge.holder === null || merge.holder === gone || until === null || now >= until) return;
  throw new SwarmError('busy', `Another machine may be landing it, until ${until}.`, {
    fix: 'Wait until then; look at the clock of this machine.',
    details: { permitUntil: until },
  });
}

async function isGateOpen(context: MergeContext, stream: StreamRow): Promise<boolean> {
  const { db, repo, merge, now } = context;
  if (stream.head !== merge.head) return false;
  const performer = await getAgent(db, merge.requested_by);
  const consensus = await consensusOf(db, repo, stream, now);
  return !(await refusalFor(context, stream, { performer, forced: merge.forced === 1, consensus }));
}

/** The same wish once more, at the same place in the queue. */
async function askAgain(context: MergeContext, merge: MergeRow): Promise<void> {
  const { handle: _handle, handle_length: _length, ...wish } = merge;
  const again = await insertMerge(context.db, {
    ...wish,
    id: newId(context.clock.now()),
    state: 'requested',
    commit_hash: null,
    buffer_before: null,
    holder: null,
    tested_tree: null,
    prepared_at: null,
  });
  context.emit({
    type: 'merge.requested',
    subject: { type: 'merge', id: again.id },
    data: { kind: merge.kind, streamId: merge.stream_id, head: merge.head, again: merge.id },
  });
}

async function toStreamById(context: MergeContext, id: string) {
  return toStream(context.db, await getStreamRow(context.db, id));
}
