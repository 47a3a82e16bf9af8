import { expect, it } from 'vitest';
import { forEachDatabase } from '../../../test/support/databases.ts';
import { makeKernel } from '../../../test/support/kernel.ts';
import { isoTime } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { abandonClaim, claimTask, createTask, nextTask, showTask, submitTask } from '../../contract/tasks.ts';
import type { StreamRow } from '../../db/tables.ts';
import { agentOperations } from '../../operations/agents.ts';
import { repoOperations } from '../../operations/repos.ts';
import { taskOperations } from '../../operations/tasks.ts';
import type { EffectContext } from '../events/effect-context.ts';
import { insertStream, updateStreamRow } from '../streams/streams-store.ts';
import { findClaimOfStream } from './claims-store.ts';
import {
  completeTaskOfStream,
  linkStreamToClaim,
  openCriticalTask,
  renewClaimOfStream,
  reopenTaskOfStream,
  submitClaimOfStream,
} from './task-effects.ts';
import { getTaskRow, updateTaskRow } from './tasks-store.ts';

const HOUR = 3_600_000;
const OID = 'a'.repeat(40);

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const kernel = makeKernel(await makeDatabase(), [
      ...agentOperations,
      ...repoOperations,
      ...taskOperations,
    ]);
    const seed = await kernel.seedRepo({ agents: ['coder', 'rival'] });
    const { call, clock, database } = kernel;
    const { repoId, owner, coder } = seed;
    const { id: taskId } = await call(createTask, { repoId, title: 'one' }, { as: owner });
    const events: string[] = [];
    const effect = <T>(run: (ctx: EffectContext) => Promise<T>): Promise<T> => {
      clock.advance(1);
      const now = isoTime(clock.now());
      return database.write((db) => run({ db, clock, now, emit: (event) => events.push(event.type) }));
    };
    const makeStream = (agent = coder) =>
      effect((ctx) => insertStream(ctx.db, streamRow(clock.now(), { repoId, agentId: agent.id, taskId })));
    const task = () => call(showTask, { task: taskId }, { as: owner });
    /** A stream of the coder's, tied to its claim. */
    const linked = async () => {
      const stream = await makeStream();
      await effect(async (ctx) =>
        linkStreamToClaim(ctx, {
          task: await getTaskRow(ctx.db, taskId),
          agentId: coder.id,
          streamId: stream.id,
        }),
      );
      return stream;
    };
    return { ...kernel, ...seed, taskId, events, effect, makeStream, task, linked };
  }

  it('claims the task for whoever begins a stream for it, unless another has it', async () => {
    const { call, effect, makeStream, linked, task, taskId, coder, rival } = await start();
    const stream = await linked();
    expect(await task()).toMatchObject({
      status: 'claimed',
      claim: { agentId: coder.id, streamId: stream.id },
    });
    const other = await makeStream(rival);
    const link = effect(async (ctx) =>
      linkStreamToClaim(ctx, {
        task: await getTaskRow(ctx.db, taskId),
        agentId: rival.id,
        streamId: other.id,
      }),
    );
    await expect(link).rejects.toMatchObject({ code: 'claim_taken' });
    await call(abandonClaim, { claim: taskId }, { as: coder });
  });

  it('completes the task when its stream lands, with those who decided as its reviewers', async () => {
    const { effect, linked, task, owner, events, coder } = await start();
    const stream = await linked();
    await effect((ctx) => completeTaskOfStream(ctx, stream, [owner.id]));
    expect(await task()).toMatchObject({
      status: 'completed',
      claim: { status: 'approved', agentId: coder.id, reviewedBy: [owner.id], leaseUntil: null },
    });
    expect(await effect((ctx) => completeTaskOfStream(ctx, stream, []))).toBeUndefined();
    expect(events).toEqual(['task.claimed', 'task.completed']);
  });

  it('completes it even if the lease ran out before the landing', async () => {
    const { clock, effect, linked, task } = await start();
    const stream = await linked();
    clock.advance(3 * HOUR);
    await effect((ctx) => completeTaskOfStream(ctx, stream, []));
    expect(await task()).toMatchObject({ status: 'completed', claim: { status: 'approved' } });
  });

  it('leaves a task alone that another agent has meanwhile', async () => {
    const { call, clock, effect, linked, task, taskId, rival } = await start();
    const stream = await linked();
    clock.advance(3 * HOUR);
    await call(claimTask, { task: taskId }, { as: rival });
    expect(await effect((ctx) => completeTaskOfStream(ctx, stream, []))).toBeUndefined();
    expect(await effect((ctx) => reopenTaskOfStream(ctx, stream))).toBeUndefined();
    expect(await task()).toMatchObject({ status: 'claimed', claim: { agentId: rival.id, status: 'active' } });
  });

  it('a revert sends back the claim that was taken back, though another had the task in between', async () => {
    const { call, clock, effect, linked, task, taskId, rival, database } = await start();
    const stream = await linked();
    clock.advance(3 * HOUR);
    await call(claimTask, { task: taskId }, { as: rival });
    clock.advance(3 * HOUR);
    await effect((ctx) => completeTaskOfStream(ctx, stream, []));
    expect(await task()).toMatchObject({ status: 'completed', claim: { streamId: stream.id } });
    await effect((ctx) => reopenTaskOfStream(ctx, stream));
    expect(await task()).toMatchObject({ status: 'open' });
    expect(await findClaimOfStream(database.read, taskId, stream.id)).toMatchObject({ status: 'rejected' });
  });

  it('submits a bounty instead of completing it', async () => {
    const { effect, linked, task, taskId } = await start();
    const stream = await linked();
    await effect((ctx) => updateTaskRow(ctx.db, taskId, { amount: 50 }));
    await effect((ctx) => completeTaskOfStream(ctx, stream, []));
    expect(await task()).toMatchObject({ status: 'submitted', claim: { status: 'submitted' } });
    await effect((ctx) => completeTaskOfStream(ctx, stream, []));
    expect(await task()).toMatchObject({ status: 'submitted' });
  });

  it('opens the task again after a revert, and completes it when the stream is repaired', async () => {
    const { effect, linked, task, events } = await start();
    const stream = await linked();
    await effect((ctx) => completeTaskOfStream(ctx, stream, []));
    await effect((ctx) => reopenTaskOfStream(ctx, stream));
    expect(await task()).toMatchObject({ status: 'open', completedAt: null, claim: null, ready: true });
    expect(await effect((ctx) => reopenTaskOfStream(ctx, stream))).toBeUndefined();
    await effect((ctx) => completeTaskOfStream(ctx, stream, []));
    expect(await task()).toMatchObject({ status: 'completed', claim: { status: 'approved' } });
    expect(events.filter((type) => type === 'task.reopened')).toHaveLength(1);
  });

  it('renews the lease with every activity on the stream', async () => {
    const { clock, effect, linked, coder } = await start();
    const stream = await linked();
    clock.advance(HOUR);
    const claim = await effect((ctx) => renewClaimOfStream(ctx, stream, coder.id));
    expect(claim?.lease_until).toBe(isoTime(clock.now() + 2 * HOUR));
  });

  it('gives the task back to a holder who goes on after the lease, if it is free', async () => {
    const { call, clock, effect, linked, task, taskId, coder, rival } = await start();
    const stream = await linked();
    clock.advance(3 * HOUR);
    await call(claimTask, { task: taskId }, { as: rival });
    const lost = effect((ctx) => renewClaimOfStream(ctx, stream, coder.id));
    await expect(lost).rejects.toMatchObject({ code: 'claim_lost' });
    await expect(lost).rejects.toThrow(/work is kept/);
    await call(abandonClaim, { claim: taskId }, { as: rival });
    await effect((ctx) => renewClaimOfStream(ctx, stream, coder.id));
    expect(await task()).toMatchObject({
      status: 'claimed',
      claim: { agentId: coder.id, streamId: stream.id },
    });
  });

  it('does not give a task back that was given up', async () => {
    const { call, effect, linked, task, taskId, coder } = await start();
    const stream = await linked();
    await call(abandonClaim, { claim: taskId }, { as: coder });
    expect(await effect((ctx) => renewClaimOfStream(ctx, stream, coder.id))).toBeUndefined();
    expect(await task()).toMatchObject({ status: 'open' });
  });

  it('submits the claim of a stream whose author is done', async () => {
    const { call, effect, linked, task, coder, taskId } = await start();
    const stream = await linked();
    await effect((ctx) => submitClaimOfStream(ctx, stream, 'all done'));
    expect(await task()).toMatchObject({ status: 'submitted', claim: { notes: 'all done' } });
    expect((await effect((ctx) => submitClaimOfStream(ctx, stream, 'again')))?.status).toBe('submitted');
    await expect(call(submitTask, { claim: taskId }, { as: coder })).rejects.toMatchObject({
      code: 'wrong_state',
    });
  });

  it('counts a dependency as met once the stream of its claim has landed', async () => {
    const { call, effect, linked, repoId, owner, taskId } = await start();
    const next = await call(createTask, { repoId, title: 'two', dependsOn: [taskId] }, { as: owner });
    const waitsFor = async () => (await call(showTask, { task: next.id }, { as: owner })).waitsFor;
    const stream = await linked();
    expect(await waitsFor()).toEqual([taskId]);
    await effect((ctx) => updateStreamRow(ctx.db, stream.id, { state: 'merged' }));
    expect(await waitsFor()).toEqual([]);
    await effect((ctx) => completeTaskOfStream(ctx, stream, []));
    expect(await waitsFor()).toEqual([]);
    await effect((ctx) => reopenTaskOfStream(ctx, stream));
    expect(await waitsFor()).toEqual([taskId]);
  });

  it('opens one critical task for the same trouble, and offers it to its assignee first', async () => {
    const { call, effect, repoId, owner, coder, rival } = await start();
    const open = (key: string, assigneeId?: string) =>
      effect((ctx) =>
        openCriticalTask(ctx, {
          repoId,
          title: `Fix ${key}`,
          description: 'red',
          paths: ['src/a.ts'],
          createdBy: owner.id,
          labels: ['fix', key],
          assigneeId,
        }),
      );
    const first = await open('culprit:1', rival.id);
    const second = await open('culprit:2', coder.id);
    expect((await open('culprit:1', rival.id)).id).toBe(first.id);
    expect(second.id).not.toBe(first.id);
    expect((await call(nextTask, { repoId }, { as: coder })).task?.id).toBe(second.id);
    expect((await call(nextTask, { repoId }, { as: rival })).task?.id).toBe(first.id);
    await effect((ctx) => updateTaskRow(ctx.db, first.id, { status: 'completed' }));
    expect((await open('culprit:1', rival.id)).id).not.toBe(first.id);
  });
});

function streamRow(
  now: number,
  of: { repoId: string; agentId: string; taskId: string },
): Omit<StreamRow, 'handle' | 'handle_length'> {
  const id = newId(now);
  return {
    id,
    repo_id: of.repoId,
    agent_id: of.agentId,
    name: 'work',
    branch: `stream/${id}`,
    source: 'cli',
    state: 'active',
    state_before: null,
    state_reason: null,
    conflict: null,
    task_id: of.taskId,
    parent_stream_id: null,
    revert_of_stream_id: null,
    base_branch: 'buffer',
    base_commit: OID,
    head: OID,
    patch_id: '',
    paths: '[]',
    commit_count: 0,
    merged_commit: null,
    created_at: isoTime(now),
    updated_at: isoTime(now),
  };
}
