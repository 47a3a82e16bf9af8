import { describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { endMerge, landMerge, nextInQueue, prepareMerge, requestMerge } from '../contract/merges.ts';
import { recordStabilization } from '../contract/stabilizations.ts';
import { listTasks } from '../contract/tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  /** A parent and its child, both approved; the parent in the queue where it is asked for. */
  async function startStack(options: { parentAsks?: boolean } = {}) {
    const story = await startStory(await makeDatabase(), {
      agents: ['coder', 'judge'],
      maintainers: ['judge'],
      config: { merge_mode: 'review' },
    });
    const { call, coder, judge, repoId } = story;
    const parent = await story.stream(coder, 'parent');
    const child = await story.stream(coder, 'child', { parent: parent.id });
    for (const [stream, name] of [
      [parent, 'parent'],
      [child, 'child'],
    ] as const) {
      await story.submit(coder, stream.id, factsOf(name));
      await story.verdict(judge, stream.id);
    }
    const asked = options.parentAsks
      ? (await story.merge(coder, parent.id, factsOf('parent'))).merge
      : undefined;
    const prepare = (merge: { id: string }, name: string, holder = 'us') =>
      call(
        prepareMerge,
        {
          merge: merge.id,
          commit: oid(`landed ${name}`),
          bufferBefore: oid('buffer'),
          holder,
          testedTree: oid('tree'),
        },
        { as: coder },
      );
    return { ...story, call, coder, repoId, parent, child, asked, prepare };
  }

  describe('a stack in the queue', () => {
    it('a child is queued behind its queued parent, and behind no other', async () => {
      const lonely = await startStack();
      expect(await refusedWith(lonely.merge(lonely.coder, lonely.child.id, factsOf('child')))).toBe(
        'gate_not_met',
      );
      const stack = await startStack({ parentAsks: true });
      const wish = { stream: stack.child.id, facts: factsOf('child'), priority: 'critical' as const };
      const { merge } = await stack.call(requestMerge, wish, { as: stack.coder });
      expect(merge.state).toBe('requested');
      const { next } = await stack.call(nextInQueue, { repoId: stack.repoId }, { as: stack.coder });
      expect(next?.stream?.id, 'the parent first, though the child is more urgent').toBe(stack.parent.id);
    });

    it('lands together with its parent when one process has prepared both, and not otherwise', async () => {
      const { merge, coder, child, asked, prepare, call } = await startStack({ parentAsks: true });
      const wish = (await merge(coder, child.id, factsOf('child'))).merge;
      if (!asked) throw new Error('the parent is queued');
      expect(await refusedWith(prepare(wish, 'child'))).toBe('gate_not_met');
      await prepare(asked, 'parent', 'another');
      expect(await refusedWith(prepare(wish, 'child'))).toBe('gate_not_met');
      await call(landMerge, { merge: asked.id, commit: oid('landed parent') }, { as: coder });
      expect((await prepare(wish, 'child')).state).toBe('prepared');
    });
  });

  it('a stream that is thrown out twice has one task, which is done when it lands', async () => {
    const { merge, coder, parent, asked, prepare, call, repoId } = await startStack({ parentAsks: true });
    const tasks = async () => (await call(listTasks, { repoId, label: 'evicted' }, { as: coder })).items;
    let wish = asked;
    for (const eviction of ['first', 'second']) {
      if (!wish) throw new Error('it is queued');
      const end = { merge: wish.id, state: 'refused' as const, reason: 'red', eviction };
      const { stream } = await call(endMerge, end, { as: coder });
      expect(stream?.state).toBe('approved');
      wish = (await merge(coder, parent.id, factsOf('parent'))).merge;
    }
    expect(await tasks()).toMatchObject([{ status: 'open', description: expect.stringContaining('first') }]);
    if (!wish) throw new Error('it is queued');
    await prepare(wish, 'parent');
    await call(landMerge, { merge: wish.id, commit: oid('landed parent') }, { as: coder });
    expect(await tasks()).toMatchObject([{ status: 'completed' }]);
  });

  it('a red result is completed once with whom it blames, and opens one task', async () => {
    const { call, coder, repoId, asked, prepare } = await startStack({ parentAsks: true });
    if (!asked) throw new Error('the parent is queued');
    await prepare(asked, 'parent');
    await call(landMerge, { merge: asked.id, commit: oid('landed parent') }, { as: coder });
    const red = { repoId, result: 'red' as const, commit: oid('tip') };
    const first = await call(recordStabilization, red, { as: coder });
    expect(first.task).toBeNull();
    const completes = first.stabilization.id;
    const blamed = await call(
      recordStabilization,
      { ...red, completes, culpritMerge: asked.id },
      { as: coder },
    );
    expect(blamed.stabilization).toMatchObject({ id: completes, culpritMergeId: asked.id });
    expect(blamed.task).toMatchObject({ priority: 'critical' });
    expect(await refusedWith(call(recordStabilization, { ...red, completes }, { as: coder }))).toBe(
      'conflict',
    );
  });
});
