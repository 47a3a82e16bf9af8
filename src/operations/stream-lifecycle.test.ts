import { describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import {
  factsOf,
  nothingLeft,
  oid,
  rebased,
  refusedWith,
  startStory,
} from '../../test/support/stream-story.ts';
import { setConfig } from '../contract/repos.ts';
import {
  abandonStream,
  finishStream,
  markConflicted,
  pauseStream,
  reopenStream,
  resumeStream,
} from '../contract/streams.ts';
import { createTask, showTask } from '../contract/tasks.ts';
import { undo } from '../contract/undo.ts';

forEachDatabase((_kind, makeDatabase) => {
  const start = async (mode: 'review' | 'swarm' = 'review') =>
    startStory(await makeDatabase(), {
      agents: ['coder', 'rival', 'judge'],
      maintainers: ['judge'],
      config: { merge_mode: mode },
    });

  describe('asking for review', () => {
    it('puts the head that is in the facts in review, whatever was recorded before', async () => {
      const { stream, submit, coder } = await start();
      const { id } = await stream(coder, 'one');
      expect(await submit(coder, id, factsOf('two'))).toMatchObject({
        state: 'in_review',
        status: 'in_review',
        reviewStatus: 'in_review',
        head: oid('two'),
      });
    });

    it('is for the authors, and for streams that hold something and can be worked on', async () => {
      const { call, stream, submit, coder, judge } = await start();
      const { id } = await stream(coder, 'one');
      expect(await refusedWith(submit(judge, id, factsOf('one')))).toBe('not_allowed');
      expect(await refusedWith(submit(coder, id, nothingLeft(oid('buffer'))))).toBe('gate_not_met');
      await call(pauseStream, { stream: id }, { as: coder });
      expect(await refusedWith(submit(coder, id, factsOf('one')))).toBe('wrong_state');
      await call(resumeStream, { stream: id }, { as: coder });
      await call(markConflicted, { stream: id, with: 'buffer', onto: oid('tip'), files: [] }, { as: coder });
      expect(await refusedWith(submit(coder, id, factsOf('one')))).toBe('wrong_state');
    });

    it('finds the verdicts that stand already', async () => {
      const { stream, submit, verdict, coder, judge } = await start();
      const { id } = await stream(coder, 'one');
      await verdict(judge, id);
      expect((await submit(coder, id, factsOf('one'))).state).toBe('approved');
    });

    it('in a solo repository approves what the owner wrote', async () => {
      const { stream, submit, owner } = await startStory(await makeDatabase(), { model: 'solo' });
      const { id } = await stream(owner, 'one');
      expect((await submit(owner, id, factsOf('one'))).state).toBe('approved');
    });
  });

  describe('a pause', () => {
    it('remembers the state and its reason, and gives the state back', async () => {
      const { call, stream, submit, coder } = await start();
      const { id } = await stream(coder, 'one');
      await submit(coder, id, factsOf('one'));
      const paused = await call(pauseStream, { stream: id, reason: 'lunch' }, { as: coder });
      expect(paused).toMatchObject({ state: 'paused', status: 'active', stateReason: 'lunch' });
      expect(await call(pauseStream, { stream: id, reason: 'tea' }, { as: coder })).toEqual(paused);
      expect(await call(resumeStream, { stream: id }, { as: coder })).toMatchObject({
        state: 'in_review',
        stateReason: null,
      });
      expect(await refusedWith(call(resumeStream, { stream: id }, { as: coder }))).toBe('wrong_state');
    });

    it('takes a stream out of the queue; resumed it is approved, not queued', async () => {
      const { call, stream, submit, verdict, merge, coder, judge } = await start();
      const { id } = await stream(coder, 'one');
      await submit(coder, id, factsOf('one'));
      await verdict(judge, id);
      await merge(coder, id, factsOf('one'));
      await call(pauseStream, { stream: id }, { as: coder });
      expect((await call(resumeStream, { stream: id }, { as: coder })).state).toBe('approved');
    });

    it('does not outlive a lost consensus', async () => {
      const { call, record, stream, submit, verdict, coder, judge, rival } = await start();
      const { id } = await stream(coder, 'one');
      await submit(coder, id, factsOf('one'));
      await verdict(judge, id);
      await call(pauseStream, { stream: id }, { as: coder });
      await record(rival, id, { ...rebased('one', 'tip'), patchId: 'p other' }, 'rebased');
      expect((await call(resumeStream, { stream: id }, { as: coder })).state).toBe('in_review');
    });

    it('is never put on a stream that is landing at this moment', async () => {
      const { call, stream, submit, verdict, merge, prepare, coder, judge } = await start();
      const { id } = await stream(coder, 'one');
      await submit(coder, id, factsOf('one'));
      await verdict(judge, id);
      await prepare(coder, (await merge(coder, id, factsOf('one'))).merge);
      expect(await refusedWith(call(pauseStream, { stream: id }, { as: coder }))).toBe('busy');
      expect(await refusedWith(call(abandonStream, { stream: id }, { as: coder }))).toBe('busy');
    });

    it('can be undone by the one who made it, as long as it is the same pause', async () => {
      const { call, repoId, state, stream, coder, judge } = await start();
      const { id } = await stream(coder, 'one');
      await call(pauseStream, { stream: id }, { as: coder });
      await call(undo, { repoId }, { as: coder });
      expect(await state(id)).toBe('active');
      await call(pauseStream, { stream: id }, { as: coder });
      await call(resumeStream, { stream: id }, { as: judge });
      await call(pauseStream, { stream: id }, { as: judge });
      expect(await refusedWith(call(undo, { repoId }, { as: coder }))).toBe('conflict');
      expect(await state(id)).toBe('paused');
    });
  });

  describe('abandoning', () => {
    it('keeps the work and can be taken back', async () => {
      const { call, stream, submit, coder } = await start();
      const { id } = await stream(coder, 'one');
      await submit(coder, id, factsOf('one'));
      const gone = await call(abandonStream, { stream: id, reason: 'no' }, { as: coder });
      expect(gone.stream).toMatchObject({ state: 'abandoned', stateReason: 'no', head: oid('one') });
      expect(await call(abandonStream, { stream: id }, { as: coder })).toMatchObject({
        stream: { state: 'abandoned' },
      });
      expect(await call(reopenStream, { stream: id }, { as: coder })).toMatchObject({
        state: 'in_review',
        stateReason: null,
      });
      expect(await refusedWith(call(reopenStream, { stream: id }, { as: coder }))).toBe('wrong_state');
    });

    it('a paused stream comes back as it was before the pause', async () => {
      const { call, stream, submit, coder } = await start();
      const { id } = await stream(coder, 'one');
      await submit(coder, id, factsOf('one'));
      await call(pauseStream, { stream: id }, { as: coder });
      await call(abandonStream, { stream: id }, { as: coder });
      expect((await call(reopenStream, { stream: id }, { as: coder })).state).toBe('in_review');
    });

    it('is refused for what has landed, and for others than its authors and maintainers', async () => {
      const { call, landed, stream, coder, rival, judge } = await start();
      const done = await landed(coder, 'done', judge);
      expect(await refusedWith(call(abandonStream, { stream: done.stream?.id ?? '' }, { as: coder }))).toBe(
        'wrong_state',
      );
      const { id } = await stream(coder, 'one');
      expect(await refusedWith(call(abandonStream, { stream: id }, { as: rival }))).toBe('not_allowed');
      expect((await call(abandonStream, { stream: id }, { as: judge })).stream.state).toBe('abandoned');
    });

    it('pauses the children, which go on when the parent is back', async () => {
      const { call, state, stream, submit, show, coder, rival } = await start();
      const parent = await stream(coder, 'parent');
      const child = await stream(rival, 'child', { parent: parent.id });
      const grandchild = await stream(rival, 'grandchild', { parent: child.id });
      await submit(rival, child.id, factsOf('child'));
      const gone = await call(abandonStream, { stream: parent.id }, { as: coder });
      expect(gone.paused.map((each) => each.id)).toEqual([child.id]);
      expect(await show(child.id)).toMatchObject({ state: 'paused', stateReason: 'parent_gone' });
      expect(await state(grandchild.id)).toBe('active');
      await call(reopenStream, { stream: parent.id }, { as: coder });
      expect(await show(child.id)).toMatchObject({ state: 'in_review', stateReason: null });
    });

    it('with its descendants takes all of them, and one undo brings all back', async () => {
      const { call, repoId, state, stream, submit, coder } = await start();
      const parent = await stream(coder, 'parent');
      const child = await stream(coder, 'child', { parent: parent.id });
      const grandchild = await stream(coder, 'grandchild', { parent: child.id });
      await submit(coder, grandchild.id, factsOf('grandchild'));
      const gone = await call(abandonStream, { stream: parent.id, cascade: true }, { as: coder });
      expect(gone.alsoAbandoned.map((each) => each.name)).toEqual(['child', 'grandchild']);
      await call(undo, { repoId }, { as: coder });
      expect(await Promise.all([parent, child, grandchild].map((each) => state(each.id)))).toEqual([
        'active',
        'active',
        'in_review',
      ]);
    });

    it("with its descendants does not take others', unless a maintainer says so", async () => {
      const { call, state, stream, coder, rival, judge } = await start();
      const parent = await stream(coder, 'parent');
      const child = await stream(rival, 'child', { parent: parent.id });
      const all = { stream: parent.id, cascade: true };
      expect(await refusedWith(call(abandonStream, all, { as: coder }))).toBe('not_allowed');
      expect([await state(parent.id), await state(child.id)]).toEqual(['active', 'active']);
      await call(abandonStream, all, { as: judge });
      expect([await state(parent.id), await state(child.id)]).toEqual(['abandoned', 'abandoned']);
    });

    it('is not undone once somebody else has brought the stream back', async () => {
      const { call, repoId, state, stream, coder, judge } = await start();
      const { id } = await stream(coder, 'one');
      await call(abandonStream, { stream: id }, { as: coder });
      await call(reopenStream, { stream: id }, { as: judge });
      expect(await refusedWith(call(undo, { repoId }, { as: coder }))).toBe('conflict');
      expect(await state(id)).toBe('active');
    });

    it('lets undoing it bring the paused children back too', async () => {
      const { call, repoId, state, stream, coder, rival } = await start();
      const parent = await stream(coder, 'parent');
      const child = await stream(rival, 'child', { parent: parent.id });
      await call(abandonStream, { stream: parent.id }, { as: coder });
      await call(undo, { repoId, record: 'stream.abandon' }, { as: coder });
      expect([await state(parent.id), await state(child.id)]).toEqual(['active', 'active']);
    });
  });

  describe('finishing in swarm mode', () => {
    async function landedOnce() {
      const story = await start('swarm');
      const { coder } = story;
      const { id: task } = await story.call(createTask, { repoId: story.repoId, title: 'T' }, { as: coder });
      const { id } = await story.stream(coder, 'one', { task });
      const { merge } = await story.merge(coder, id, factsOf('one'));
      const { merge: done } = await story.land(coder, merge);
      const finish = (facts = nothingLeft(done.commit ?? '')) =>
        story.call(finishStream, { stream: id, facts, note: 'done' }, { as: coder });
      return { ...story, id, task, finish };
    }

    it('merges the stream and completes its task, once', async () => {
      const { call, task, state, id, finish, coder } = await landedOnce();
      expect(await state(id)).toBe('active');
      expect(await call(showTask, { task }, { as: coder })).toMatchObject({ status: 'claimed' });
      const finished = await finish();
      expect(finished).toMatchObject({ state: 'merged' });
      expect(finished.mergedCommit).not.toBeNull();
      expect(await call(showTask, { task }, { as: coder })).toMatchObject({ status: 'completed' });
      expect(await finish()).toMatchObject({ state: 'merged' });
    });

    it('is refused while something has not landed, or nothing has', async () => {
      const { call, stream, state, id, finish, coder } = await landedOnce();
      expect(await refusedWith(finish(factsOf('two')))).toBe('gate_not_met');
      expect(await state(id)).toBe('active');
      const fresh = await stream(coder, 'fresh');
      const early = call(
        finishStream,
        { stream: fresh.id, facts: nothingLeft(oid('buffer')) },
        { as: coder },
      );
      expect(await refusedWith(early)).toBe('gate_not_met');
    });

    it('waits for a landing that is under way', async () => {
      const { record, merge, prepare, id, finish, coder } = await landedOnce();
      await record(coder, id, factsOf('two'));
      await prepare(coder, (await merge(coder, id, factsOf('two'))).merge);
      expect(await refusedWith(finish())).toBe('busy');
    });

    it('works in review mode for a stream whose landings were made before the switch', async () => {
      const { call, repoId, finish, owner } = await landedOnce();
      await call(setConfig, { repoId, changes: { merge_mode: 'review' } }, { as: owner });
      expect((await finish()).state).toBe('merged');
    });
  });
});
