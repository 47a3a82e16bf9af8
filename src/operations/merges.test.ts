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
import { newId } from '../base/ids.ts';
import { exitCodeOf } from '../contract/errors.ts';
import { listEvents } from '../contract/events.ts';
import { listMerges, requestMerge, requestPlainMerge } from '../contract/merges.ts';
import { addMaintainer, setConfig } from '../contract/repos.ts';
import { recordStabilization } from '../contract/stabilizations.ts';
import { markConflicted, pauseStream, resumeStream } from '../contract/streams.ts';
import { createTask } from '../contract/tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  const start = async (options: object = {}) =>
    startStory(await makeDatabase(), {
      agents: ['coder', 'rival', 'judge', 'second'],
      maintainers: ['judge', 'second'],
      ...options,
    });

  async function approved(options: object = {}) {
    const story = await start(options);
    const { id } = await story.stream(story.coder, 'one');
    await story.submit(story.coder, id, factsOf('one'));
    await story.verdict(story.judge, id);
    return { ...story, id };
  }

  describe('asking for a landing', () => {
    it('queues an approved stream for exactly the head in the facts', async () => {
      const { merge, id, coder, judge } = await approved();
      const asked = await merge(coder, id, factsOf('one'));
      expect(asked.merge).toMatchObject({
        kind: 'stream',
        state: 'requested',
        head: oid('one'),
        requestedBy: coder.id,
        priority: 'medium',
        isFix: false,
        forced: false,
      });
      expect(asked.stream).toMatchObject({ state: 'queued', status: 'in_review', reviewStatus: 'approved' });
      expect((await merge(judge, id, factsOf('one'))).merge.id).toBe(asked.merge.id);
    });

    it('bears the id that whoever asks has chosen, once, and no more where one stands already', async () => {
      const { call, repoId, coder, judge, merge, id, stream, submit, verdict } = await approved();
      const [mine, other] = [newId(1), newId(2)];
      const ask = (of: string, name: string, chosen: string) =>
        call(requestMerge, { stream: of, facts: factsOf(name), id: chosen }, { as: coder });
      expect((await ask(id, 'one', mine)).merge.id).toBe(mine);
      expect((await ask(id, 'one', other)).merge.id).toBe(mine);
      const { id: second } = await stream(coder, 'two');
      await submit(coder, second, factsOf('two'));
      await verdict(judge, second);
      expect(await refusedWith(ask(second, 'two', mine))).toBe('already_exists');
      expect((await merge(coder, second, factsOf('two'))).merge.id).not.toBe(mine);
      expect((await call(listMerges, { repoId }, { as: coder })).items).toHaveLength(2);
    });

    it('is for its authors and maintainers', async () => {
      const { merge, id, rival, second } = await approved();
      expect(await refusedWith(merge(rival, id, factsOf('one')))).toBe('not_allowed');
      expect(await refusedWith(merge(second, id, factsOf('one')))).toBe('allowed');
    });

    it('is refused without consensus, and for commits that nobody judged', async () => {
      const { merge, stream, state, id, coder } = await approved();
      expect(await refusedWith(merge(coder, id, factsOf('sneaked in')))).toBe('gate_not_met');
      expect(await state(id)).toBe('approved');
      const other = await stream(coder, 'two');
      expect(await refusedWith(merge(coder, other.id, factsOf('two')))).toBe('gate_not_met');
    });

    it('takes a pure rebase along and queues the new head', async () => {
      const { merge, id, coder } = await approved();
      const asked = await merge(coder, id, rebased('one', 'tip'));
      expect(asked).toMatchObject({ merge: { head: oid('one on tip') }, stream: { state: 'queued' } });
    });

    it('for a head that has moved on takes the old wish back', async () => {
      const { call, repoId, merge, id, coder } = await approved();
      const first = await merge(coder, id, factsOf('one'));
      const second = await merge(coder, id, rebased('one', 'tip'));
      expect(second.merge.id).not.toBe(first.merge.id);
      const { items } = await call(listMerges, { repoId, stream: id }, { as: coder });
      expect(items.map((each) => each.state)).toEqual(['requested', 'withdrawn']);
    });

    it('twice after the landing is a conflict: exit 5', async () => {
      const { merge, land, id, coder } = await approved();
      await land(coder, (await merge(coder, id, factsOf('one'))).merge);
      const code = await refusedWith(merge(coder, id, factsOf('one')));
      expect(code).toBe('conflict');
      expect(exitCodeOf('conflict')).toBe(5);
    });

    it('is refused for a stream that is empty, paused or conflicted', async () => {
      const { call, merge, id, coder } = await approved();
      expect(await refusedWith(merge(coder, id, nothingLeft(oid('buffer'))))).toBe('gate_not_met');
      await call(pauseStream, { stream: id }, { as: coder });
      expect(await refusedWith(merge(coder, id, factsOf('one')))).toBe('wrong_state');
      await call(resumeStream, { stream: id }, { as: coder });
      await call(markConflicted, { stream: id, with: 'buffer', onto: oid('tip'), files: [] }, { as: coder });
      expect(await refusedWith(merge(coder, id, factsOf('one')))).toBe('wrong_state');
    });

    it('takes priority and the mark of a fix from the task', async () => {
      const { call, repoId, stream, merge, owner, coder } = await start({ config: { merge_mode: 'swarm' } });
      const task = { repoId, title: 'Mend', priority: 'high' as const, labels: ['fix'] };
      const { id: taskId } = await call(createTask, task, { as: owner });
      const { id } = await stream(coder, 'one', { task: taskId });
      expect((await merge(coder, id, factsOf('one'))).merge).toMatchObject({ priority: 'high', isFix: true });
    });
  });

  describe('a child', () => {
    it('does not land before its parent', async () => {
      const { stream, submit, verdict, merge, prepare, land, coder, rival, judge } = await start();
      const parent = await stream(coder, 'parent');
      const child = await stream(rival, 'child', { parent: parent.id });
      for (const [as, each, name] of [
        [coder, parent, 'parent'],
        [rival, child, 'child'],
      ] as const) {
        await submit(as, each.id, factsOf(name));
        await verdict(judge, each.id);
      }
      expect(await refusedWith(merge(rival, child.id, factsOf('child')))).toBe('gate_not_met');
      const asked = await merge(coder, parent.id, factsOf('parent'));
      // It may wait behind its parent, and that is all.
      const behind = await merge(rival, child.id, factsOf('child'));
      expect(await refusedWith(prepare(rival, behind.merge))).toBe('gate_not_met');
      await land(coder, asked.merge);
      expect(await refusedWith(prepare(rival, behind.merge))).toBe('allowed');
    });

    it('does not land after its parent was reverted, even if somebody resumes it', async () => {
      const { call, stream, submit, verdict, merge, land, revert, coder, rival, judge } = await start();
      const parent = await stream(coder, 'parent');
      const child = await stream(rival, 'child', { parent: parent.id });
      await submit(coder, parent.id, factsOf('parent'));
      await submit(rival, child.id, factsOf('child'));
      await verdict(judge, parent.id);
      await verdict(judge, child.id);
      const { merge: landed } = await land(coder, (await merge(coder, parent.id, factsOf('parent'))).merge);
      await revert(judge, landed);
      await call(resumeStream, { stream: child.id }, { as: rival });
      expect(await refusedWith(merge(rival, child.id, factsOf('child')))).toBe('gate_not_met');
    });

    it('in swarm mode lands when all of its parent has, though the parent is still at work', async () => {
      const { stream, record, merge, land, coder, rival } = await start({ config: { merge_mode: 'swarm' } });
      const parent = await stream(coder, 'parent');
      const child = await stream(rival, 'child', { parent: parent.id });
      expect(await refusedWith(merge(rival, child.id, factsOf('child')))).toBe('gate_not_met');
      await land(coder, (await merge(coder, parent.id, factsOf('parent'))).merge);
      await record(coder, parent.id, factsOf('more'));
      expect(await refusedWith(merge(rival, child.id, factsOf('child')))).toBe('gate_not_met');
      await land(coder, (await merge(coder, parent.id, factsOf('more'))).merge);
      expect(await refusedWith(merge(rival, child.id, factsOf('child')))).toBe('allowed');
    });
  });

  describe('gated mode', () => {
    const gated = { config: { merge_mode: 'gated' } };

    it('lets a maintainer perform the merge, the author only if it is one', async () => {
      const { stream, submit, verdict, merge, id, coder, judge, second } = await approved(gated);
      expect(await refusedWith(merge(coder, id, factsOf('one')))).toBe('not_allowed');
      expect(await refusedWith(merge(second, id, factsOf('one')))).toBe('allowed');
      const own = await stream(judge, 'own');
      await submit(judge, own.id, factsOf('own'));
      expect(await refusedWith(verdict(judge, own.id))).toBe('not_allowed');
      expect(await refusedWith(merge(judge, own.id, factsOf('own')))).toBe('gate_not_met');
      await verdict(second, own.id);
      expect(await refusedWith(merge(judge, own.id, factsOf('own')))).toBe('allowed');
    });

    it('counts the verdicts of maintainers only, in an open repository too', async () => {
      const { stream, submit, verdict, merge, coder, rival, judge } = await start({
        ...gated,
        model: 'open',
      });
      const { id } = await stream(coder, 'one');
      await submit(coder, id, factsOf('one'));
      await verdict(rival, id);
      expect(await refusedWith(merge(judge, id, factsOf('one')))).toBe('gate_not_met');
      await verdict(judge, id);
      expect(await refusedWith(merge(judge, id, factsOf('one')))).toBe('allowed');
    });
  });

  describe('a branch rule of the buffer', () => {
    it('says who may merge and how many must approve', async () => {
      const rule = { pattern: 'buffer', required_approvals: 2, merge_restriction: 'maintainers_only' };
      const { verdict, merge, id, coder, judge, second } = await approved({
        config: { branch_rules: [rule] },
      });
      expect(await refusedWith(merge(coder, id, factsOf('one')))).toBe('not_allowed');
      expect(await refusedWith(merge(judge, id, factsOf('one')))).toBe('gate_not_met');
      await verdict(second, id);
      expect(await refusedWith(merge(judge, id, factsOf('one')))).toBe('allowed');
    });
  });

  describe('a forced landing', () => {
    const because = { force: true, reason: 'the site is down' };

    it('is for owners, with a reason, and is recorded', async () => {
      const { call, repoId, stream, merge, coder, judge, owner } = await start();
      const { id } = await stream(coder, 'one');
      expect(await refusedWith(merge(coder, id, factsOf('one'), because))).toBe('not_allowed');
      expect(await refusedWith(merge(judge, id, factsOf('one'), because))).toBe('not_allowed');
      expect(await refusedWith(merge(owner, id, factsOf('one'), { force: true }))).toBe('usage');
      const forced = await merge(owner, id, factsOf('one'), because);
      expect(forced.merge).toMatchObject({ forced: true, reason: 'the site is down' });
      const { items } = await call(listEvents, { repoId, type: 'merge.forced' }, { as: owner });
      expect(items).toMatchObject([{ actorId: owner.id, data: { reason: 'the site is down' } }]);
    });

    it('stays queued whatever reviewers say, and lands', async () => {
      const { stream, submit, verdict, merge, land, coder, judge, owner } = await start();
      const { id } = await stream(coder, 'one');
      await submit(coder, id, factsOf('one'));
      const { merge: forced } = await merge(owner, id, factsOf('one'), because);
      expect((await verdict(judge, id, 'request_changes')).stream.state).toBe('queued');
      expect((await land(coder, forced)).stream?.state).toBe('merged');
    });

    it('of a merge that waits already makes it a forced one', async () => {
      const { merge, id, coder, owner } = await approved();
      const plain = await merge(coder, id, factsOf('one'));
      const forced = await merge(owner, id, factsOf('one'), because);
      expect(forced.merge).toMatchObject({ forced: true, state: 'requested' });
      expect(forced.merge.id).not.toBe(plain.merge.id);
      expect(await refusedWith(merge(coder, id, factsOf('one')))).toBe('allowed');
    });

    it('passes over nothing but consensus', async () => {
      const { call, stream, merge, coder, owner } = await start();
      const parent = await stream(coder, 'parent');
      const child = await stream(coder, 'child', { parent: parent.id });
      expect(await refusedWith(merge(owner, child.id, factsOf('child'), because))).toBe('gate_not_met');
      await call(
        markConflicted,
        { stream: parent.id, with: 'buffer', onto: oid('tip'), files: [] },
        { as: coder },
      );
      expect(await refusedWith(merge(owner, parent.id, factsOf('parent'), because))).toBe('wrong_state');
    });

    it('can be switched off', async () => {
      const { call, repoId, stream, merge, coder, owner } = await start();
      const { id } = await stream(coder, 'one');
      await call(setConfig, { repoId, changes: { human_can_force_merge: false } }, { as: owner });
      expect(await refusedWith(merge(owner, id, factsOf('one'), because))).toBe('not_allowed');
    });

    it('is the way out where nobody could judge, and says so', async () => {
      const { stream, merge, owner } = await startStory(await makeDatabase(), { model: 'guild' });
      const { id } = await stream(owner, 'one');
      await expect(merge(owner, id, factsOf('one'))).rejects.toMatchObject({
        code: 'gate_not_met',
        message: expect.stringContaining('no_eligible_reviewers'),
        fix: expect.stringContaining('--force'),
      });
      expect(await refusedWith(merge(owner, id, factsOf('one'), because))).toBe('allowed');
    });
  });

  describe('a landing that no stream stands behind', () => {
    it('as an intake is asked for once per head', async () => {
      const { call, repoId, coder, rival } = await start();
      const intake = (head: string, as: { id: string }) =>
        call(requestPlainMerge, { repoId, kind: 'intake', head: oid(head) }, { as });
      const first = await intake('target', coder);
      expect(first).toMatchObject({ kind: 'intake', streamId: null, isFix: true, priority: 'critical' });
      expect((await intake('target', rival)).id).toBe(first.id);
      expect((await intake('target 2', rival)).id).not.toBe(first.id);
    });

    it('as a revert is for maintainers, and for stabilize after a red run where the settings let it', async () => {
      const { call, repoId, landed, coder, rival, judge, owner } = await start();
      const { merge: done } = await landed(coder, 'one', judge);
      const revert = (as: { id: string }, automatic = false, head = oid('x')) =>
        call(requestPlainMerge, { repoId, kind: 'revert', head, revertsMerge: done.id, automatic }, { as });
      expect(await refusedWith(revert(rival))).toBe('not_allowed');
      expect(await refusedWith(revert(rival, true))).toBe('not_allowed');
      const red = { repoId, result: 'red' as const, commit: done.commit ?? '' };
      await call(recordStabilization, { ...red, culpritMerge: done.id }, { as: rival });
      await call(setConfig, { repoId, changes: { auto_revert_on_red: false } }, { as: owner });
      expect(await refusedWith(revert(rival, true))).toBe('not_allowed');
      await call(setConfig, { repoId, changes: { auto_revert_on_red: true } }, { as: owner });
      const asked = await revert(rival, true);
      expect((await revert(judge, false, oid('y'))).id).toBe(asked.id);
    });

    it('as a revert names a landing that stands', async () => {
      const { call, repoId, landed, merge, revert, id, coder, judge } = await approved();
      const plain = { repoId, kind: 'revert' as const, head: oid('x') };
      expect(await refusedWith(call(requestPlainMerge, plain, { as: judge }))).toBe('invalid');
      const { merge: waiting } = await merge(coder, id, factsOf('one'));
      const early = call(requestPlainMerge, { ...plain, revertsMerge: waiting.id }, { as: judge });
      expect(await refusedWith(early)).toBe('wrong_state');
      const { merge: done } = await landed(coder, 'two', judge);
      await revert(judge, done);
      expect(await refusedWith(revert(judge, done))).toBe('conflict');
    });
  });

  it('a maintainer may be the author who lands: maintainers are asked by their rights now', async () => {
    const { call, repoId, merge, id, coder, owner } = await approved({ config: { merge_mode: 'gated' } });
    expect(await refusedWith(merge(coder, id, factsOf('one')))).toBe('not_allowed');
    await call(addMaintainer, { repoId, agent: 'coder' }, { as: owner });
    expect(await refusedWith(merge(coder, id, factsOf('one')))).toBe('allowed');
  });
});
