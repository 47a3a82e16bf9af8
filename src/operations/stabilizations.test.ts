import { describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { requestPlainMerge } from '../contract/merges.ts';
import { setConfig } from '../contract/repos.ts';
import {
  listPromotions,
  listStabilizations,
  recordPromotion,
  recordStabilization,
  reportIntakeConflict,
  requestPromotion,
} from '../contract/stabilizations.ts';
import { listTasks, showTask } from '../contract/tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start(config: object = {}) {
    const story = await startStory(await makeDatabase(), {
      agents: ['coder', 'rival', 'judge'],
      maintainers: ['judge'],
      config,
    });
    const { call, repoId } = story;
    return {
      ...story,
      ran: (as: { id: string }, result: 'green' | 'red' | 'error', more: object = {}) =>
        call(recordStabilization, { repoId, result, commit: oid(result), ...more }, { as }),
      tasks: async (as: { id: string }) => (await call(listTasks, { repoId }, { as })).items,
    };
  }

  describe('a run of the buffer', () => {
    it('is kept with its result, the last first', async () => {
      const { call, repoId, ran, coder } = await start();
      await ran(coder, 'error', { details: 'no command' });
      await ran(coder, 'green', { tag: 'green/1', durationMs: 12, runs: 2 });
      const { items } = await call(listStabilizations, { repoId }, { as: coder });
      expect(items).toMatchObject([
        { result: 'green', commit: oid('green'), tag: 'green/1', durationMs: 12, runs: 2, actorId: coder.id },
        { result: 'error', details: 'no command', culpritMergeId: null, taskId: null },
      ]);
      const { items: greens } = await call(listStabilizations, { repoId, result: 'green' }, { as: coder });
      expect(greens).toHaveLength(1);
    });

    it('that is red opens exactly one critical task for the author, even when it is recorded twice', async () => {
      const { landed, revert, ran, tasks, coder, rival, judge } = await start();
      const { merge, stream } = await landed(coder, 'one', judge);
      const { merge: reverting } = await revert(judge, merge);
      const first = await ran(rival, 'red', {
        culpritMerge: merge.id,
        revertMerge: reverting.id,
        details: 'boom',
      });
      const second = await ran(judge, 'red', { culpritMerge: merge.handle });
      expect(second.task?.id).toBe(first.task?.id);
      const all = await tasks(coder);
      expect(all).toHaveLength(1);
      expect(all[0]).toMatchObject({
        priority: 'critical',
        status: 'open',
        revertOfStreamId: stream?.id,
        paths: ['one.txt'],
        description: expect.stringContaining('boom'),
      });
      expect(all[0]?.labels).toContain(`for:${coder.id}`);
      expect(first.stabilization).toMatchObject({
        culpritMergeId: merge.id,
        culpritStreamId: stream?.id,
        revertMergeId: reverting.id,
        taskId: first.task?.id,
      });
    });

    it('that blames nobody, or an intake, opens none', async () => {
      const { call, repoId, land, ran, tasks, coder } = await start();
      expect((await ran(coder, 'red')).task).toBeNull();
      const intake = await call(
        requestPlainMerge,
        { repoId, kind: 'intake', head: oid('target') },
        { as: coder },
      );
      const { merge } = await land(coder, intake);
      expect((await ran(coder, 'red', { culpritMerge: merge.id })).task).toBeNull();
      expect(await tasks(coder)).toEqual([]);
    });

    it('may promote when it is green, where that is on and nobody else is asked for', async () => {
      const { call, repoId, ran, coder, owner } = await start();
      const mayPromote = async (result: 'green' | 'red' = 'green') => (await ran(coder, result)).mayPromote;
      const set = (changes: object) => call(setConfig, { repoId, changes: { ...changes } }, { as: owner });
      expect(await mayPromote()).toBe(false);
      await set({ auto_promote_on_green: true });
      expect([await mayPromote(), await mayPromote('red')]).toEqual([true, false]);
      await set({ merge_mode: 'gated' });
      expect(await mayPromote()).toBe(false);
      await set({
        merge_mode: 'review',
        branch_rules: [{ pattern: 'main', merge_restriction: 'maintainers_only' }],
      });
      expect(await mayPromote()).toBe(false);
    });
  });

  describe('a promotion', () => {
    it('is for maintainers, in every mode', async () => {
      const { call, repoId, coder, judge } = await start({ merge_mode: 'swarm' });
      const ask = (as: { id: string }) =>
        refusedWith(call(requestPromotion, { repoId, toCommit: oid('c') }, { as }));
      expect([await ask(coder), await ask(judge)]).toEqual(['not_allowed', 'allowed']);
      const move = { repoId, fromCommit: null, toCommit: oid('c') };
      expect(await refusedWith(call(recordPromotion, move, { as: coder }))).toBe('not_allowed');
      expect(await call(recordPromotion, { ...move, untested: true }, { as: judge })).toMatchObject({
        from: 'buffer',
        to: 'main',
        untested: true,
        triggeredBy: 'manual',
        actorId: judge.id,
      });
      expect((await call(listPromotions, { repoId }, { as: coder })).items).toHaveLength(1);
    });

    it('of itself is for everyone who stabilizes: only where the settings say so, only to a green commit', async () => {
      const { call, repoId, ran, coder, owner } = await start();
      const ask = (name: string) =>
        refusedWith(call(requestPromotion, { repoId, toCommit: oid(name), automatic: true }, { as: coder }));
      const record = (name: string) =>
        refusedWith(
          call(
            recordPromotion,
            { repoId, fromCommit: null, toCommit: oid(name), triggeredBy: 'auto' },
            { as: coder },
          ),
        );
      await ran(coder, 'green');
      expect([await ask('green'), await record('green')]).toEqual(['not_allowed', 'not_allowed']);
      await call(setConfig, { repoId, changes: { auto_promote_on_green: true } }, { as: owner });
      expect([await ask('green'), await record('green')]).toEqual(['allowed', 'allowed']);
      expect([await ask('other'), await record('other')]).toEqual(['not_allowed', 'not_allowed']);
      await call(setConfig, { repoId, changes: { merge_mode: 'gated' } }, { as: owner });
      expect([await ask('green'), await record('green')]).toEqual(['not_allowed', 'not_allowed']);
    });

    it('goes past no commit that is known to be green, where the buffer is tested', async () => {
      const { call, repoId, ran, coder, judge } = await start({ stabilize_command: 'npm test' });
      const ask = (name: string) =>
        refusedWith(call(requestPromotion, { repoId, toCommit: oid(name) }, { as: judge }));
      expect(await ask('green')).toBe('gate_not_met');
      await ran(coder, 'green');
      await ran(coder, 'red');
      expect([await ask('green'), await ask('red')]).toEqual(['allowed', 'gate_not_met']);
    });
  });

  it('a clash between target and buffer is one critical task until it is resolved', async () => {
    const { call, repoId, tasks, coder, rival } = await start();
    const report = (as: { id: string }, path: string) =>
      call(reportIntakeConflict, { repoId, target: oid('t'), buffer: oid('b'), paths: [path] }, { as });
    const first = await report(coder, 'a');
    expect(first).toMatchObject({ priority: 'critical', paths: ['a'], labels: ['fix', 'intake'] });
    expect((await report(rival, 'b')).id).toBe(first.id);
    expect(await tasks(coder)).toHaveLength(1);
    expect(await call(showTask, { task: first.id }, { as: coder })).toMatchObject({ status: 'open' });
  });
});
