import { describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import {
  dropFromQueue,
  freezeQueue,
  listQueue,
  moveInQueue,
  pauseQueue,
  prepareMerge,
  requestPlainMerge,
  resumeQueue,
  unfreezeQueue,
} from '../contract/merges.ts';
import { removeMaintainer } from '../contract/repos.ts';
import { recordStabilization } from '../contract/stabilizations.ts';
import { createTask } from '../contract/tasks.ts';
import { undo } from '../contract/undo.ts';

forEachDatabase((_kind, makeDatabase) => {
  /** Swarm mode asks for no consensus, so the queue is filled with few words. */
  async function start() {
    const story = await startStory(await makeDatabase(), {
      agents: ['coder', 'rival', 'judge'],
      maintainers: ['judge'],
      config: { merge_mode: 'swarm' },
    });
    const { call, repoId, coder, judge } = story;
    const queued = async (name: string, more: { task?: string } = {}) => {
      const { id } = await story.stream(coder, name, more);
      return { id, merge: (await story.merge(coder, id, factsOf(name))).merge };
    };
    const queue = async () => call(listQueue, { repoId }, { as: coder });
    return {
      ...story,
      queue,
      names: async () => (await queue()).items.map((item) => item.stream?.name ?? item.merge.kind),
      queued,
      async fix() {
        const task = { repoId, title: 'Mend', labels: ['fix'] };
        return queued('fix', { task: (await call(createTask, task, { as: judge })).id });
      },
      intake: (name: string) =>
        call(requestPlainMerge, { repoId, kind: 'intake', head: oid(name) }, { as: coder }),
      ran: (result: 'green' | 'red' | 'error') =>
        call(recordStabilization, { repoId, result, commit: oid(result) }, { as: coder }),
    };
  }

  it('lists who lands when, with positions', async () => {
    const { queue, names, queued, intake, call, judge } = await start();
    await queued('a');
    const b = await queued('b');
    await queued('c');
    await intake('target');
    expect(await names()).toEqual(['intake', 'a', 'b', 'c']);
    expect((await queue()).items.map((item) => item.merge.position)).toEqual([1, 2, 3, 4]);
    const moved = await call(moveInQueue, { stream: b.id, first: true }, { as: judge });
    expect(moved).toMatchObject({ priority: 'critical', position: 2 });
    expect(await names()).toEqual(['intake', 'b', 'a', 'c']);
  });

  describe('moving', () => {
    it('is for maintainers, names a place, and needs a stream that is queued', async () => {
      const { call, stream, queued, coder, judge } = await start();
      const { id } = await queued('a');
      expect(await refusedWith(call(moveInQueue, { stream: id, first: true }, { as: coder }))).toBe(
        'not_allowed',
      );
      expect(await refusedWith(call(moveInQueue, { stream: id }, { as: judge }))).toBe('usage');
      const idle = await stream(coder, 'idle');
      expect(await refusedWith(call(moveInQueue, { stream: idle.id, first: true }, { as: judge }))).toBe(
        'wrong_state',
      );
    });

    it('to the front a second time puts the later one before the earlier', async () => {
      const { call, names, queued, judge } = await start();
      const [a, b] = [await queued('a'), await queued('b')];
      await call(moveInQueue, { stream: a.id, first: true }, { as: judge });
      await call(moveInQueue, { stream: b.id, first: true }, { as: judge });
      expect(await names()).toEqual(['b', 'a']);
    });

    it('can be undone while nobody has moved it since', async () => {
      const { call, repoId, names, queued, judge, owner } = await start();
      await queued('a');
      const b = await queued('b');
      await call(moveInQueue, { stream: b.id, first: true }, { as: judge });
      await call(undo, { repoId, record: 'queue.move' }, { as: judge });
      expect(await names()).toEqual(['a', 'b']);
      await call(moveInQueue, { stream: b.id, priority: 'high' }, { as: judge });
      await call(moveInQueue, { stream: b.id, priority: 'low' }, { as: owner });
      expect(await refusedWith(call(undo, { repoId }, { as: judge }))).toBe('conflict');
    });

    it('cannot be undone by one who is no maintainer any more', async () => {
      const { call, repoId, names, queued, judge, owner } = await start();
      await queued('a');
      const b = await queued('b');
      await call(moveInQueue, { stream: b.id, first: true }, { as: judge });
      await call(removeMaintainer, { repoId, agent: 'judge' }, { as: owner });
      expect(await refusedWith(call(undo, { repoId }, { as: judge }))).toBe('not_allowed');
      expect(await names()).toEqual(['b', 'a']);
    });
  });

  describe('dropping', () => {
    it('puts the stream back where it came from, and is for its author and maintainers', async () => {
      const { call, names, queued, coder, rival, judge } = await start();
      const { id } = await queued('a');
      expect(await refusedWith(call(dropFromQueue, { stream: id }, { as: rival }))).toBe('not_allowed');
      const dropped = await call(dropFromQueue, { stream: id, reason: 'later' }, { as: coder });
      expect(dropped).toMatchObject({
        merge: { state: 'withdrawn', reason: 'later' },
        stream: { state: 'active' },
      });
      expect(await names()).toEqual([]);
      expect(await refusedWith(call(dropFromQueue, { stream: id }, { as: judge }))).toBe('wrong_state');
    });

    it('of an approved stream leaves it approved', async () => {
      const story = await startStory(await makeDatabase(), {
        agents: ['coder', 'judge'],
        maintainers: ['judge'],
      });
      const { call, stream, submit, verdict, merge, coder, judge } = story;
      const { id } = await stream(coder, 'a');
      await submit(coder, id, factsOf('a'));
      await verdict(judge, id);
      await merge(coder, id, factsOf('a'));
      expect((await call(dropFromQueue, { stream: id }, { as: coder })).stream.state).toBe('approved');
    });

    it('of what is landing at this moment is refused as busy', async () => {
      const { call, prepare, queued, state, coder } = await start();
      const { id, merge } = await queued('a');
      await prepare(coder, merge);
      expect(await refusedWith(call(dropFromQueue, { stream: id }, { as: coder }))).toBe('busy');
      expect(await state(id)).toBe('queued');
    });
  });

  describe('a paused queue', () => {
    it('lands no streams and says so, but takes them and lets intakes pass', async () => {
      const { call, repoId, prepare, queue, queued, intake, coder, judge } = await start();
      expect((await call(pauseQueue, { repoId }, { as: judge })).queuePaused).toBe(true);
      const { merge } = await queued('a');
      expect(await refusedWith(prepare(coder, merge))).toBe('gate_not_met');
      expect(await refusedWith(prepare(coder, await intake('target')))).toBe('allowed');
      const { items, paused } = await queue();
      expect([paused, items.map((item) => item.waitsFor)]).toEqual([true, [[], ['the queue is paused']]]);
      await call(resumeQueue, { repoId }, { as: judge });
      expect(await refusedWith(prepare(coder, merge))).toBe('allowed');
    });

    it('is paused and resumed by maintainers only', async () => {
      const { call, repoId, coder } = await start();
      for (const endpoint of [pauseQueue, resumeQueue, freezeQueue, unfreezeQueue]) {
        expect(await refusedWith(call(endpoint, { repoId }, { as: coder }))).toBe('not_allowed');
      }
      expect(await refusedWith(call(pauseQueue, { repoId, automatic: true }, { as: coder }))).toBe(
        'not_allowed',
      );
    });
  });

  describe('a frozen queue', () => {
    it('admits reverts, intakes and declared fixes only', async () => {
      const { call, repoId, land, prepare, revert, queue, queued, fix, intake, coder, judge } = await start();
      const { merge: landed } = await land(coder, (await queued('old')).merge);
      await call(freezeQueue, { repoId, reason: 'release' }, { as: judge });
      const plain = await queued('a');
      const declared = await fix();
      expect(await refusedWith(prepare(coder, plain.merge))).toBe('gate_not_met');
      expect((await queue()).items.map((item) => [item.stream?.name, item.waitsFor])).toEqual([
        ['a', ['the queue is frozen: release']],
        ['fix', []],
      ]);
      expect(await refusedWith(prepare(coder, declared.merge))).toBe('allowed');
      expect(await refusedWith(revert(judge, landed))).toBe('allowed');
      expect(await refusedWith(prepare(coder, await intake('target')))).toBe('allowed');
      expect((await call(unfreezeQueue, { repoId }, { as: judge })).frozenReason).toBeNull();
      expect(await refusedWith(prepare(coder, plain.merge))).toBe('allowed');
    });

    it('stops a landing that is prepared anew', async () => {
      const { call, repoId, prepare, queued, coder, judge } = await start();
      const { merge } = await queued('a');
      const prepared = await prepare(coder, merge);
      await call(freezeQueue, { repoId }, { as: judge });
      const again = { merge: merge.id, commit: oid('2'), bufferBefore: oid('tip'), holder: 'this process' };
      const renewed = call(prepareMerge, { ...again, expectCommit: prepared.commit }, { as: coder });
      expect(await refusedWith(renewed)).toBe('gate_not_met');
    });

    it('is frozen by a step of stabilize only after a red run, and thawed only after a green one', async () => {
      const { call, repoId, ran, coder, judge } = await start();
      const step = (endpoint: typeof freezeQueue, as = coder) =>
        refusedWith(call(endpoint, { repoId, reason: 'red', automatic: true }, { as }));
      expect(await step(freezeQueue)).toBe('not_allowed');
      await ran('green');
      expect(await step(freezeQueue)).toBe('not_allowed');
      expect(await step(freezeQueue, judge)).toBe('not_allowed');
      await ran('red');
      expect(await step(freezeQueue)).toBe('allowed');
      expect(await step(unfreezeQueue)).toBe('not_allowed');
      await ran('error');
      expect(await step(unfreezeQueue)).toBe('not_allowed');
      await ran('green');
      expect(await step(unfreezeQueue)).toBe('allowed');
    });

    it('by hand is thawed by hand only', async () => {
      const { call, repoId, queue, ran, coder, judge } = await start();
      await call(freezeQueue, { repoId, reason: 'release' }, { as: judge });
      await ran('red');
      await call(freezeQueue, { repoId, reason: 'red', automatic: true }, { as: coder });
      expect((await queue()).frozenReason).toBe('release');
      await ran('green');
      for (const as of [coder, judge]) await call(unfreezeQueue, { repoId, automatic: true }, { as });
      expect((await queue()).frozenReason).toBe('release');
      await call(unfreezeQueue, { repoId }, { as: judge });
      expect((await queue()).frozenReason).toBeNull();
    });
  });
});
