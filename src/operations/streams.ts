import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/streams.ts';
import type { StreamRow } from '../db/tables.ts';
import { getAgentByRef } from '../domain/agents/agents-store.ts';
import { listLandings } from '../domain/merges/merges-store.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { listVerdictRows } from '../domain/reviews/reviews-store.ts';
import { isOpen } from '../domain/streams/stream-states.ts';
import {
  findStreamByBranch,
  findStreamRow,
  getStreamRow,
  handleOfStream,
  insertStream,
  insertStreamAuthor,
  isStreamAuthor,
  listCommitRows,
  stateOf,
  toStream,
} from '../domain/streams/streams-store.ts';
import { linkStreamToClaim } from '../domain/tasks/task-effects.ts';
import { getTaskRow } from '../domain/tasks/tasks-store.ts';
import { wasReverted } from './gate.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { adoptChildren } from './stream-children.ts';

const create = operation(contract.createStream, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    const task = input.task
      ? await getTaskRow(db, await resolveReference(db, 'task', input.task, repo.id))
      : undefined;
    const parent = input.parent ? await usableParent(context, input.parent) : undefined;
    const revertOf = input.revertOf ? await landedStream(context, input.revertOf) : undefined;
    const id = input.id ?? newId(context.clock.now());
    const branch = input.branch ?? `stream/${id}`;
    await refuseTaken(context, { id, branch, repoId: repo.id });
    const stream = await insertStream(db, {
      id,
      repo_id: repo.id,
      agent_id: actor.id,
      name: input.name ?? task?.title ?? `${actor.name}'s work`,
      branch,
      source: input.source,
      state: 'active',
      state_before: null,
      state_reason: null,
      conflict: null,
      task_id: task?.id ?? null,
      parent_stream_id: parent?.id ?? null,
      revert_of_stream_id: revertOf?.id ?? null,
      base_branch: input.baseBranch,
      base_commit: input.baseCommit,
      head: input.head ?? input.baseCommit,
      patch_id: '',
      paths: JSON.stringify(input.paths),
      commit_count: 0,
      merged_commit: null,
      created_at: now,
      updated_at: now,
    });
    if (task) await linkStreamToClaim(context, { task, agentId: actor.id, streamId: id });
    emit({
      type: 'stream.created',
      subject: { type: 'stream', id },
      data: {
        name: stream.name,
        branch: stream.branch,
        taskId: stream.task_id,
        parentStreamId: stream.parent_stream_id,
      },
    });
    if (revertOf && (await wasReverted(db, revertOf))) await adoptChildren(context, revertOf, stream);
    return toStream(db, stream);
  },
});

/** What is repaired has landed; a stream that has not is simply gone on with. */
async function landedStream(context: ActingContext, ref: string): Promise<StreamRow> {
  const { db, repoId } = context;
  const stream = await getStreamRow(db, await resolveReference(db, 'stream', ref, repoId));
  if ((await listLandings(db, stream.id)).length > 0 || (await wasReverted(db, stream))) return stream;
  throw new SwarmError(
    'wrong_state',
    `Stream ${handleOfStream(stream)} has not landed: there is nothing to repair.`,
    {
      fix: `gitswarm workspace create --depends-on ${handleOfStream(stream)}`,
    },
  );
}

async function refuseTaken(
  { db }: ActingContext,
  wish: { id: string; branch: string; repoId: string },
): Promise<void> {
  const taken =
    (await findStreamRow(db, wish.id)) ?? (await findStreamByBranch(db, wish.repoId, wish.branch));
  if (!taken) return;
  // Of a stream somewhere else nothing is told but that the id is taken.
  if (taken.repo_id !== wish.repoId)
    throw new SwarmError('already_exists', `The id ${wish.id} is taken.`, { fix: 'Choose another id.' });
  throw new SwarmError(
    'already_exists',
    `Branch ${taken.branch} is stream ${handleOfStream(taken)} already.`,
    {
      fix: `gitswarm stream show ${handleOfStream(taken)}`,
    },
  );
}

/** A parent must still be open, and no stream may build on itself. */
async function usableParent(context: ActingContext, ref: string): Promise<StreamRow> {
  const parent = await getStreamRow(
    context.db,
    await resolveReference(context.db, 'stream', ref, context.repoId),
  );
  if (isOpen(stateOf(parent))) return parent;
  throw new SwarmError(
    'wrong_state',
    `Stream ${handleOfStream(parent)} is ${parent.state}: nothing can build on it.`,
    {
      fix: 'Leave out --depends-on: landed work is on the buffer already.',
    },
  );
}

const show = query(contract.showStream, {
  on: 'stream',
  needs: 'read',
  run: ({ db, stream }) => toStream(db, stream),
});

const commits = query(contract.listStreamCommits, {
  on: 'stream',
  needs: 'read',
  async run({ db, stream }) {
    return { items: await listCommitRows(db, stream.id) };
  },
});

const MOST_VERDICTS = 10_000;

const addAuthor = operation(contract.addStreamAuthor, {
  on: 'stream',
  needs: 'author',
  async run({ db, stream, now, emit }, input) {
    const agent = await getAgentByRef(db, input.agent);
    if (await isStreamAuthor(db, stream, agent.id)) return toStream(db, stream);
    const judged = await listVerdictRows(db, stream.id, MOST_VERDICTS);
    if (judged.some((review) => review.reviewer_id === agent.id)) {
      throw new SwarmError(
        'conflict',
        `${agent.name} has judged stream ${handleOfStream(stream)}: a judge is no author.`,
        {
          fix: "Add another agent: an author's verdict would no longer count.",
        },
      );
    }
    await insertStreamAuthor(db, stream.id, agent.id, now);
    emit({
      type: 'stream.author_added',
      subject: { type: 'stream', id: stream.id },
      data: { agentId: agent.id },
    });
    return toStream(db, stream);
  },
});

export const streamOperations = [create, show, commits, addAuthor];
