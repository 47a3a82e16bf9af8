import { describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, nothingLeft, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { showAgent, suspendAgent } from '../contract/agents.ts';
import { listEvents } from '../contract/events.ts';
import {
  endMerge,
  landMerge,
  listMerges,
  listQueue,
  prepareMerge,
  requestPlainMerge,
} from '../contract/merges.ts';
import { addMaintainer, archiveRepo, removeMaintainer, setConfig } from '../contract/repos.ts';
import { createTask, showTask } from '../contract/tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  const start = async (options: object = {}) =>
    startStory(await makeDatabase(), {
      agents: ['coder', 'rival', 'judge', 'second'],
      maintainers: ['judge', 'second'],
      ...options,
    });

  async function queued(options: object = {}) {
    const story = await start(options);
    const { coder, judge, call, repoId } = story;
    const { id: task } = await call(createTask, { repoId, title: 'T' }, { as: coder });
    const { id } = await story.stream(coder, 'one', { task });
    await story.submit(coder, id, factsOf('one'));
    await story.verdict(judge, id);
    const { merge: asked } = await story.merge(options === gated ? judge : coder, id, factsOf('one'));
    const mergeNow = async () => {
      const { items } = await call(listMerges, { repoId, stream: id }, { as: coder });
      return items.find((each) => each.id === asked.id);
    };
    const prepareWith = (as: { id: string }, more: object = {}) =>
      call(
        prepareMerge,
        { merge: asked.id, commit: oid('landing'), bufferBefore: oid('buffer'), holder: 'p1', ...more },
        { as },
      );
    const end = (state: 'conflicted' | 'refused' | 'withdrawn', more: object = {}) =>
      call(endMerge, { merge: asked.id, state, ...more }, { as: coder });
    return { ...story, id, task, asked, mergeNow, prepareWith, end };
  }
  const gated = { config: { merge_mode: 'gated' } };
  const swarm = { config: { merge_mode: 'swarm' } };

  describe('the whole way', () => {
    it('leads from a claim over review to a landed stream and a completed task', async () => {
      const { call, land, show, repoId, id, task, asked, coder, judge } = await queued();
      const done = await land(coder, asked);
      expect(done.merge).toMatchObject({ state: 'landed', holder: null, commit: oid(`landing ${asked.id}`) });
      expect(await show(id)).toMatchObject({
        state: 'merged',
        status: 'merged',
        mergedCommit: done.merge.commit,
      });
      expect(done.completedTask).toMatchObject({
        id: task,
        status: 'completed',
        claim: { reviewedBy: [judge.id] },
      });
      const { items } = await call(listEvents, { repoId, limit: 200 }, { as: coder });
      const story = items.map((each) => each.type).reverse();
      const steps = [
        'stream.created',
        'stream.submitted',
        'consensus.reached',
        'merge.requested',
        'merge.prepared',
        'merge.landed',
      ];
      expect(story.filter((type) => steps.includes(type))).toEqual(steps);
    });

    it('gives karma to the author and to those whose approval was confirmed', async () => {
      const { call, land, asked, coder } = await queued();
      await land(coder, asked);
      const karma = async (agent: string) => (await call(showAgent, { agent }, { as: coder })).karma;
      expect([await karma('coder'), await karma('judge'), await karma('second')]).toEqual([1, 1, 0]);
    });
  });

  describe('swarm mode', () => {
    it('lands commit by commit and leaves the stream active and its claim open', async () => {
      const { call, stream, record, merge, land, show, repoId, coder } = await start(swarm);
      const { id: task } = await call(createTask, { repoId, title: 'T' }, { as: coder });
      const { id } = await stream(coder, 'one', { task });
      for (const name of ['one', 'two']) {
        await record(coder, id, factsOf(name));
        const { merge: asked, stream: queuedStream } = await merge(coder, id, factsOf(name));
        expect(queuedStream.state).toBe('queued');
        const done = await land(coder, asked);
        expect(done).toMatchObject({ stream: { state: 'active' }, completedTask: null });
        expect((await show(id)).mergedCommit).toBe(done.merge.commit);
      }
      expect(await call(showTask, { task }, { as: coder })).toMatchObject({ status: 'claimed' });
      const { items } = await call(listMerges, { repoId, stream: id, state: 'landed' }, { as: coder });
      expect(items).toHaveLength(2);
    });

    it('a conflict keeps the commit, takes further ones, and landing is tried again', async () => {
      const { call, stream, record, merge, land, coder } = await start(swarm);
      const { id } = await stream(coder, 'one');
      const { merge: asked } = await merge(coder, id, factsOf('one'));
      const files = [{ path: 'a', kind: 'content' }];
      const ended = await call(
        endMerge,
        { merge: asked.id, state: 'conflicted', files, onto: oid('tip') },
        { as: coder },
      );
      expect(ended).toMatchObject({
        merge: { state: 'conflicted' },
        stream: { state: 'conflicted', head: oid('one') },
      });
      expect((await record(coder, id, factsOf('two'))).state).toBe('active');
      expect((await land(coder, (await merge(coder, id, factsOf('two'))).merge)).stream?.state).toBe(
        'active',
      );
    });

    it('takes the new head of the worktree with the landing', async () => {
      const { call, stream, merge, prepare, coder } = await start(swarm);
      const { id } = await stream(coder, 'one');
      const prepared = await prepare(coder, (await merge(coder, id, factsOf('one'))).merge);
      const commit = prepared.commit ?? '';
      const landed = await call(
        landMerge,
        { merge: prepared.id, commit, streamFacts: nothingLeft(commit) },
        { as: coder },
      );
      expect(landed.stream).toMatchObject({ head: commit, commitCount: 0, state: 'active' });
    });

    it('a landing that is dropped leaves the stream active, not in review', async () => {
      const { call, stream, merge, state, coder } = await start(swarm);
      const { id } = await stream(coder, 'one');
      const { merge: asked } = await merge(coder, id, factsOf('one'));
      await call(endMerge, { merge: asked.id, state: 'withdrawn' }, { as: coder });
      expect(await state(id)).toBe('active');
    });
  });

  describe('preparing', () => {
    it('records commit, buffer and holder before any ref moves', async () => {
      const { prepareWith, coder } = await queued();
      expect(await prepareWith(coder)).toMatchObject({
        state: 'prepared',
        commit: oid('landing'),
        bufferBefore: oid('buffer'),
        holder: 'p1',
      });
    });

    it('permits the landing for ten minutes, counted anew when it is prepared anew', async () => {
      const { prepareWith, mergeNow, asked, clock, coder, call } = await queued();
      const permit = () => new Date(clock.now() + 10 * 60_000).toISOString();
      expect((await prepareWith(coder)).permitUntil).toBe(permit());
      clock.advance(60_000);
      const again = { commit: oid('landing 2'), expectCommit: oid('landing') };
      expect((await prepareWith(coder, again)).permitUntil).toBe(permit());
      await call(landMerge, { merge: asked.id, commit: oid('landing 2') }, { as: coder });
      expect((await mergeNow())?.permitUntil).toBeNull();
    });

    it('is repeated by its holder only, and only from the commit it recorded', async () => {
      const { prepareWith, coder } = await queued();
      expect(await refusedWith(prepareWith(coder, { expectCommit: oid('other') }))).toBe('conflict');
      await prepareWith(coder);
      const again = { commit: oid('landing 2'), expectCommit: oid('landing') };
      expect(await refusedWith(prepareWith(coder))).toBe('conflict');
      expect(await refusedWith(prepareWith(coder, { ...again, holder: 'p2' }))).toBe('conflict');
      expect(await refusedWith(prepareWith(coder, { ...again, expectCommit: oid('other') }))).toBe(
        'conflict',
      );
      expect((await prepareWith(coder, again)).commit).toBe(oid('landing 2'));
    });

    it('asks the gate once more: consensus that is gone stops the landing', async () => {
      const { call, prepareWith, coder, owner } = await queued();
      await call(suspendAgent, { agent: 'judge' }, { as: owner });
      expect(await refusedWith(prepareWith(coder))).toBe('gate_not_met');
    });

    it('does so as well where only maintainers land, whoever carries it', async () => {
      const rule = { pattern: 'buffer', merge_restriction: 'maintainers_only' };
      const { call, repoId, merge, prepareWith, asked, id, rival, owner, judge } = await queued({
        model: 'open',
      });
      expect(asked.requestedBy).not.toBe(judge.id);
      await call(setConfig, { repoId, changes: { branch_rules: [rule] } }, { as: owner });
      expect(await refusedWith(prepareWith(rival))).toBe('gate_not_met');
      await merge(owner, id, factsOf('one'));
      await call(suspendAgent, { agent: 'judge' }, { as: owner });
      expect(await refusedWith(prepareWith(rival))).toBe('gate_not_met');
    });

    it('in gated mode is for the maintainer who asked, or another one', async () => {
      const { prepareWith, rival, second } = await queued(gated);
      expect(await refusedWith(prepareWith(rival))).toBe('not_allowed');
      expect(await refusedWith(prepareWith(second))).toBe('allowed');
    });

    it('in gated mode is refused where the one who asked is no maintainer any more', async () => {
      const { call, repoId, verdict, prepareWith, id, judge, second, owner } = await queued(gated);
      await verdict(second, id);
      await call(removeMaintainer, { repoId, agent: 'judge' }, { as: owner });
      expect(await refusedWith(prepareWith(judge))).toBe('gate_not_met');
    });

    it('a force is worth as much as its owner is now', async () => {
      const { call, repoId, stream, merge, prepare, coder, rival, owner } = await start();
      await call(addMaintainer, { repoId, agent: 'rival', role: 'owner' }, { as: owner });
      const { id } = await stream(coder, 'one');
      const { merge: forced } = await merge(rival, id, factsOf('one'), { force: true, reason: 'now' });
      await call(removeMaintainer, { repoId, agent: 'rival' }, { as: owner });
      expect(await refusedWith(prepare(coder, forced))).toBe('gate_not_met');
    });

    it('nor is it worth anything once forced landings are switched off', async () => {
      const { call, repoId, stream, merge, prepare, coder, owner } = await start();
      const { id } = await stream(coder, 'one');
      const { merge: forced } = await merge(owner, id, factsOf('one'), { force: true, reason: 'now' });
      await call(setConfig, { repoId, changes: { human_can_force_merge: false } }, { as: owner });
      expect(await refusedWith(prepare(owner, forced))).toBe('gate_not_met');
    });

    it.each([{}, swarm])('is refused where the one who asked may not any more: %o', async (options) => {
      const { call, prepareWith, rival, second, owner } = await queued(options);
      await call(suspendAgent, { agent: 'coder' }, { as: owner });
      expect(await refusedWith(prepareWith(rival))).toBe('gate_not_met');
      expect(await refusedWith(prepareWith(second))).toBe('gate_not_met');
    });

    it('notes who decided at that moment', async () => {
      const { land, verdict, asked, id, coder, judge, second } = await queued();
      await verdict(second, id);
      const done = await land(coder, asked);
      expect(done.completedTask?.claim?.reviewedBy).toEqual([judge.id, second.id]);
    });

    it('by another writer carries the landing in review mode', async () => {
      const { land, asked, rival } = await queued();
      expect((await land(rival, asked)).merge.state).toBe('landed');
    });
  });

  it('under way keeps its repository from being archived before it is recorded', async () => {
    const { call, repoId, owner, coder, prepareWith, asked, land } = await queued();
    await prepareWith(coder);
    expect(await refusedWith(call(archiveRepo, { repoId }, { as: owner }))).toBe('busy');
    await call(landMerge, { merge: asked.id, commit: oid('landing') }, { as: coder });
    expect(await call(archiveRepo, { repoId }, { as: owner })).toMatchObject({ status: 'archived' });
    expect(await refusedWith(land(coder, asked))).toBe('not_allowed');
  });

  describe('landing', () => {
    it('is a fact that is recorded exactly once, however often it is told', async () => {
      const { call, land, asked, coder } = await queued();
      const done = await land(coder, asked);
      const again = await call(
        landMerge,
        { merge: asked.id, commit: done.merge.commit ?? '' },
        { as: coder },
      );
      expect(again).toMatchObject({
        merge: { state: 'landed' },
        stream: { state: 'merged' },
        completedTask: null,
      });
      expect((await call(showAgent, { agent: 'coder' }, { as: coder })).karma).toBe(1);
    });

    it('is refused for another commit than the prepared one, and without one', async () => {
      const { call, prepareWith, asked, coder } = await queued();
      const land = (name: string) =>
        refusedWith(call(landMerge, { merge: asked.id, commit: oid(name) }, { as: coder }));
      expect(await land('landing')).toBe('conflict');
      await prepareWith(coder);
      expect(await land('other')).toBe('conflict');
      expect(await land('landing')).toBe('allowed');
    });

    it('told once more after a revert changes nothing', async () => {
      const { call, land, revert, asked, id, state, coder, judge } = await queued();
      const done = await land(coder, asked);
      await revert(judge, done.merge);
      const again = await call(
        landMerge,
        { merge: asked.id, commit: done.merge.commit ?? '' },
        { as: coder },
      );
      expect(again.merge.state).toBe('reverted');
      expect(await state(id)).toBe('merged');
    });
  });

  describe('an intent that does not land', () => {
    it('conflicted: the stream says what clashed', async () => {
      const { end, id, show } = await queued();
      const files = [{ path: 'a', kind: 'content' }];
      const ended = await end('conflicted', { files, onto: oid('tip') });
      expect(ended.merge).toMatchObject({ state: 'conflicted', holder: null });
      expect((await show(id)).conflict).toMatchObject({ with: 'buffer', onto: oid('tip'), files });
    });

    it('refused or withdrawn: the stream is approved again, and may ask again', async () => {
      const { end, merge, state, prepareWith, id, coder } = await queued();
      await prepareWith(coder);
      expect(await end('withdrawn', { reason: 'the buffer kept moving' })).toMatchObject({
        merge: { state: 'withdrawn', reason: 'the buffer kept moving' },
        stream: { state: 'approved' },
      });
      const next = await merge(coder, id, factsOf('one'));
      expect(next.merge.state).toBe('requested');
      expect(await state(id)).toBe('queued');
    });

    it('ended twice stays as it was ended first', async () => {
      const { end, mergeNow } = await queued();
      await end('refused', { reason: 'red' });
      await end('conflicted');
      expect(await mergeNow()).toMatchObject({ state: 'refused', reason: 'red' });
    });

    it('does not end a landing that has happened', async () => {
      const { end, land, asked, mergeNow, coder } = await queued();
      await land(coder, asked);
      await end('withdrawn');
      expect((await mergeNow())?.state).toBe('landed');
    });

    it('after a crash is asked for again at its old place, where the gate is still open', async () => {
      const { call, repoId, end, prepareWith, asked, coder } = await queued();
      await prepareWith(coder);
      const ended = await end('withdrawn', { requeue: true });
      expect(ended).toMatchObject({ merge: { state: 'withdrawn' }, stream: { state: 'queued' } });
      const { items } = await call(listQueue, { repoId }, { as: coder });
      expect(items).toMatchObject([
        {
          merge: {
            state: 'requested',
            requestedAt: asked.requestedAt,
            requestedBy: coder.id,
            commit: null,
            holder: null,
          },
        },
      ]);
    });

    it('after a crash is not asked for again where consensus is gone', async () => {
      const { call, repoId, end, prepareWith, coder, owner } = await queued();
      await prepareWith(coder);
      await call(suspendAgent, { agent: 'judge' }, { as: owner });
      expect((await end('withdrawn', { requeue: true })).stream?.state).toBe('in_review');
      expect((await call(listQueue, { repoId }, { as: coder })).items).toEqual([]);
    });

    it('an interrupted intake is asked for again too', async () => {
      const { call, repoId, prepare, coder } = await start();
      const intake = await call(
        requestPlainMerge,
        { repoId, kind: 'intake', head: oid('target') },
        { as: coder },
      );
      await prepare(coder, intake);
      await call(endMerge, { merge: intake.id, state: 'withdrawn', requeue: true }, { as: coder });
      const { items } = await call(listQueue, { repoId }, { as: coder });
      expect(items).toMatchObject([{ merge: { kind: 'intake', state: 'requested', head: oid('target') } }]);
    });
  });

  describe('a revert', () => {
    it('takes the landing back: the stream stays merged, its task reopens, its karma goes', async () => {
      const { call, land, revert, mergeNow, state, asked, id, task, coder, judge } = await queued();
      const done = await land(coder, asked);
      const reverted = await revert(judge, done.merge);
      expect(reverted.merge).toMatchObject({ kind: 'revert', state: 'landed', revertsMergeId: asked.id });
      expect(reverted.reopenedTask).toMatchObject({ id: task, status: 'open' });
      expect([(await mergeNow())?.state, await state(id)]).toEqual(['reverted', 'merged']);
      const karma = async (agent: string) => (await call(showAgent, { agent }, { as: coder })).karma;
      expect([await karma('coder'), await karma('judge')]).toEqual([0, 0]);
    });

    it('pauses the children that have not landed; the fix adopts them and they land after it', async () => {
      const { stream, submit, verdict, merge, land, revert, state, show, asked, id, coder, rival, judge } =
        await queued();
      const child = await stream(rival, 'child', { parent: id });
      await submit(rival, child.id, factsOf('child'));
      await verdict(judge, child.id);
      const done = await land(coder, asked);
      const reverted = await revert(judge, done.merge);
      expect(reverted.paused).toMatchObject([{ id: child.id, state: 'paused', stateReason: 'parent_gone' }]);
      const fix = await stream(coder, 'fix', { revertOf: id });
      expect(await show(child.id)).toMatchObject({
        state: 'approved',
        parentStreamId: fix.id,
        stateReason: null,
      });
      expect(await refusedWith(merge(rival, child.id, factsOf('child')))).toBe('gate_not_met');
      await submit(coder, fix.id, factsOf('fix'));
      await verdict(judge, fix.id);
      const { merge: fixing } = await merge(coder, fix.id, factsOf('fix'));
      expect(fixing.isFix).toBe(true);
      await land(coder, fixing);
      expect(await state(fix.id)).toBe('merged');
      expect(await refusedWith(merge(rival, child.id, factsOf('child')))).toBe('allowed');
    });

    it('of a landing whose fix landed leaves the reopened task completed by the fix', async () => {
      const { call, stream, submit, verdict, merge, land, revert, asked, id, task, coder, judge } =
        await queued();
      const done = await land(coder, asked);
      await revert(judge, done.merge);
      const fix = await stream(coder, 'fix', { revertOf: id });
      await submit(coder, fix.id, factsOf('fix'));
      await verdict(judge, fix.id);
      await land(coder, (await merge(coder, fix.id, factsOf('fix'))).merge);
      expect(await call(showTask, { task }, { as: coder })).toMatchObject({ status: 'completed' });
    });

    it('is recorded though a child is landing at this moment; the child is stopped by its gate', async () => {
      const { call, stream, submit, verdict, merge, land, prepare, revert, asked, id, coder, rival, judge } =
        await queued();
      const child = await stream(rival, 'child', { parent: id });
      await submit(rival, child.id, factsOf('child'));
      await verdict(judge, child.id);
      const done = await land(coder, asked);
      const { merge: childMerge } = await merge(rival, child.id, factsOf('child'));
      const prepared = await prepare(rival, childMerge);
      expect((await revert(judge, done.merge)).paused).toEqual([]);
      const again = {
        merge: childMerge.id,
        commit: oid('2'),
        bufferBefore: oid('tip'),
        holder: 'this process',
      };
      const renewed = call(prepareMerge, { ...again, expectCommit: prepared.commit }, { as: rival });
      expect(await refusedWith(renewed)).toBe('gate_not_met');
    });
  });
});
