import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, rebased, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { listEvents } from '../contract/events.ts';
import { listMerges } from '../contract/merges.ts';
import { checkConsensus } from '../contract/reviews.ts';
import { abandonStream, markConflicted, pauseStream, recordHead, resumeStream } from '../contract/streams.ts';

forEachDatabase((_kind, makeDatabase) => {
  const start = async () =>
    startStory(await makeDatabase(), { agents: ['coder', 'rival', 'judge'], maintainers: ['judge'] });

  async function approved() {
    const story = await start();
    const { id } = await story.stream(story.coder, 'one');
    await story.submit(story.coder, id, factsOf('one'));
    await story.verdict(story.judge, id);
    const conflict = {
      stream: id,
      with: 'buffer' as const,
      onto: oid('tip'),
      files: [{ path: 'a', kind: 'content' }],
    };
    return { ...story, id, conflict };
  }
  const queued = async () => {
    const story = await approved();
    const { merge } = await story.merge(story.coder, story.id, factsOf('one'));
    const mergeState = async () => {
      const { items } = await story.call(
        listMerges,
        { repoId: story.repoId, stream: story.id },
        { as: story.coder },
      );
      return items.find((each) => each.id === merge.id)?.state;
    };
    return { ...story, asked: merge, mergeState };
  };

  it('keeps what git says: head, base, patch, paths and commits', async () => {
    const { stream, coder } = await start();
    expect(await stream(coder, 'one')).toMatchObject({
      head: oid('one'),
      baseCommit: oid('buffer'),
      patchId: 'p one',
      paths: ['one.txt'],
      commitCount: 1,
      state: 'active',
    });
  });

  it('refuses as stale what was measured on another head', async () => {
    const { call, stream, coder } = await start();
    const { id } = await stream(coder, 'one');
    const late = call(
      recordHead,
      { stream: id, facts: factsOf('two'), cause: 'commit', expectHead: oid('zero') },
      { as: coder },
    );
    expect(await refusedWith(late)).toBe('stale');
  });

  it('only an author commits; a maintainer may also resolve; anyone who writes reports what git holds', async () => {
    const { record, stream, coder, rival, judge } = await start();
    const { id } = await stream(coder, 'one');
    expect(await refusedWith(record(rival, id, factsOf('two'), 'commit'))).toBe('not_allowed');
    expect(await refusedWith(record(judge, id, factsOf('two'), 'commit'))).toBe('not_allowed');
    expect(await refusedWith(record(rival, id, factsOf('two'), 'resolved'))).toBe('not_allowed');
    await record(judge, id, factsOf('two'), 'resolved');
    await record(rival, id, rebased('two', 'tip'), 'rebased');
    expect((await record(rival, id, factsOf('three'), 'adopted')).head).toBe(oid('three'));
  });

  it('a maintainer who resolves is an author from then on, and what he said before does not count', async () => {
    const { call, record, stream, submit, verdict, coder, judge } = await start();
    const { id } = await stream(coder, 'one');
    await submit(coder, id, factsOf('one'));
    await verdict(judge, id);
    const resolved = { ...rebased('one', 'tip'), paths: ['one.txt', 'judges.txt'] };
    expect((await record(judge, id, resolved, 'resolved')).coAuthorIds).toEqual([judge.id]);
    expect(await call(checkConsensus, { stream: id }, { as: coder })).toMatchObject({
      reached: false,
      votes: [{ counts: false, why: 'authors do not judge their own stream' }],
    });
    expect(await refusedWith(verdict(judge, id))).toBe('not_allowed');
  });

  it('a paused, abandoned or landed stream takes no commits', async () => {
    const { call, record, landed, stream, coder, judge } = await start();
    const paused = await stream(coder, 'p');
    await call(pauseStream, { stream: paused.id }, { as: coder });
    const abandoned = await stream(coder, 'a');
    await call(abandonStream, { stream: abandoned.id }, { as: coder });
    const merged = await landed(coder, 'm', judge);
    for (const id of [paused.id, abandoned.id, merged.stream?.id ?? '']) {
      expect(await refusedWith(record(coder, id, factsOf('more')))).toBe('wrong_state');
    }
  });

  it('a new commit on an approved stream takes it back to review', async () => {
    const { record, state, id, coder } = await approved();
    expect(await state(id)).toBe('approved');
    expect((await record(coder, id, factsOf('two'))).state).toBe('in_review');
  });

  it('a pure rebase keeps every approval; a rebase that changes the patch loses them', async () => {
    const { record, id, rival } = await approved();
    expect((await record(rival, id, rebased('one', 'tip'), 'rebased')).state).toBe('approved');
    const changed = { ...rebased('one', 'tip 2'), patchId: 'p other' };
    expect((await record(rival, id, changed, 'rebased')).state).toBe('in_review');
    expect((await record(rival, id, rebased('one', 'tip 3'), 'rebased')).state).toBe('approved');
  });

  it('a message rewritten over the same patch keeps every approval', async () => {
    const { record, id, coder } = await approved();
    expect((await record(coder, id, { ...factsOf('one'), head: oid('reworded') })).state).toBe('approved');
  });

  it('a queued stream that changes leaves the queue', async () => {
    const { record, mergeState, id, coder } = await queued();
    expect((await record(coder, id, factsOf('two'))).state).toBe('in_review');
    expect(await mergeState()).toBe('withdrawn');
  });

  it('a queued stream that is rebased leaves the queue and stays approved', async () => {
    const { record, mergeState, id, rival } = await queued();
    expect((await record(rival, id, rebased('one', 'tip'), 'rebased')).state).toBe('approved');
    expect(await mergeState()).toBe('withdrawn');
  });

  it('the same facts once more change nothing, in the queue neither', async () => {
    const { record, mergeState, id, coder, rival } = await queued();
    expect((await record(coder, id, factsOf('one'), 'resolved')).state).toBe('queued');
    expect((await record(rival, id, factsOf('one'), 'rebased')).state).toBe('queued');
    expect(await mergeState()).toBe('requested');
  });

  it('a stream that is landing at this moment is not changed under it', async () => {
    const { call, record, prepare, mergeState, state, asked, id, conflict, coder } = await queued();
    await prepare(coder, asked);
    expect(await refusedWith(record(coder, id, factsOf('two')))).toBe('busy');
    expect(await refusedWith(call(markConflicted, conflict, { as: coder }))).toBe('busy');
    expect([await mergeState(), await state(id)]).toEqual(['prepared', 'queued']);
  });

  it('a conflict keeps the work, says what clashed, and goes back by resolving', async () => {
    const { call, record, mergeState, id, conflict, coder, rival } = await queued();
    const stuck = await call(markConflicted, conflict, { as: rival });
    expect(stuck).toMatchObject({ state: 'conflicted', status: 'active', head: oid('one') });
    expect(stuck.conflict).toMatchObject({ with: 'buffer', onto: oid('tip'), files: conflict.files });
    expect(await mergeState()).toBe('withdrawn');
    expect(await record(coder, id, factsOf('one'), 'adopted')).toMatchObject({ state: 'conflicted' });
    const resolved = await record(coder, id, factsOf('solved'), 'resolved');
    expect(resolved).toMatchObject({ state: 'in_review', conflict: null });
  });

  it('a conflict that a pure rebase takes away leaves the stream approved', async () => {
    const { call, record, id, conflict, rival } = await approved();
    await call(markConflicted, conflict, { as: rival });
    expect(await record(rival, id, rebased('one', 'tip'), 'rebased')).toMatchObject({
      state: 'approved',
      conflict: null,
    });
  });

  it('a conflict outlives a pause', async () => {
    const { call, id, conflict, coder } = await approved();
    await call(markConflicted, conflict, { as: coder });
    await call(pauseStream, { stream: id }, { as: coder });
    const resumed = await call(resumeStream, { stream: id }, { as: coder });
    expect(resumed).toMatchObject({ state: 'conflicted', conflict: { files: conflict.files } });
  });

  it('a child whose parent is gone goes on when it builds on the buffer', async () => {
    const { call, stream, show, coder, rival } = await start();
    const parent = await stream(coder, 'parent');
    const child = await stream(rival, 'child', { parent: parent.id });
    await call(abandonStream, { stream: parent.id }, { as: coder });
    expect(await show(child.id)).toMatchObject({ state: 'paused', stateReason: 'parent_gone' });
    const input = {
      stream: child.id,
      facts: rebased('child', 'buffer'),
      cause: 'rebased' as const,
      parent: null,
    };
    const freed = await call(recordHead, input, { as: rival });
    expect(freed).toMatchObject({ state: 'active', stateReason: null, parentStreamId: null });
  });

  it('no stream comes to build on itself', async () => {
    const { call, stream, coder } = await start();
    const a = await stream(coder, 'a');
    const b = await stream(coder, 'b', { parent: a.id });
    const c = await stream(coder, 'c', { parent: b.id });
    const onto = (parent: string) =>
      refusedWith(
        call(recordHead, { stream: a.id, facts: rebased('a', 'x'), cause: 'rebased', parent }, { as: coder }),
      );
    expect(await onto(c.id)).toBe('conflict');
    expect(await onto(a.id)).toBe('conflict');
  });

  it('tells the log why a head moved', async () => {
    const { call, record, repoId, id, coder } = await approved();
    await record(coder, id, rebased('one', 'tip'), 'rebased');
    const { items } = await call(listEvents, { repoId, type: 'stream.rebased' }, { as: coder });
    expect(items[0]).toMatchObject({ actorName: 'coder', data: { cause: 'rebased', from: oid('one') } });
  });
});
