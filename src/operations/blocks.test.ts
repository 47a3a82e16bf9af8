import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { newId } from '../base/ids.ts';
import {
  checkConsensus,
  listBlocks,
  listReviews,
  mergeBlocks,
  nextReview,
  splitBlock,
  splitOffStream,
  submitReview,
} from '../contract/reviews.ts';
import { repoStatus } from '../contract/status.ts';
import { addStreamAuthor, type Facts } from '../contract/streams.ts';

/** One stream of several commits. */
function factsOfMany(names: string[], patches: Record<string, string> = {}): Facts {
  const commits = names.flatMap((name) =>
    factsOf(name).commits.map((commit) => ({ ...commit, patchId: patches[name] ?? commit.patchId })),
  );
  const patchId = commits.map((commit) => commit.patchId).join('+');
  return { ...factsOf(names.at(-1) ?? ''), patchId, paths: names.map((name) => `${name}.txt`), commits };
}

/** The same changes under other Change-Ids, as a commit has whose message was written anew. */
function renamed(names: string[]): Facts {
  const facts = factsOfMany(names);
  const commits = facts.commits.map((commit) => ({ ...commit, changeId: `${commit.changeId}0` }));
  return { ...facts, head: oid('renamed'), commits };
}

forEachDatabase((_kind, makeDatabase) => {
  async function start(names = ['one', 'two', 'three']) {
    const story = await startStory(await makeDatabase(), {
      agents: ['coder', 'ann', 'ben'],
      maintainers: ['ann', 'ben'],
    });
    const { call, coder, owner } = story;
    const facts = factsOfMany(names);
    const { id } = await story.stream(coder, 'work', { facts });
    await story.submit(coder, id, facts);
    const judge = (
      as: { id: string },
      block: string | undefined,
      verdict: 'approve' | 'request_changes' | 'comment' = 'approve',
    ) => call(submitReview, { stream: id, verdict, block }, { as });
    const blocks = () => call(listBlocks, { stream: id }, { as: owner });
    const states = async () => (await blocks()).items.map((item) => item.state);
    const check = () => call(checkConsensus, { stream: id }, { as: owner });
    return { ...story, id, judge, blocks, states, check };
  }

  it('are judged one by one; the leading ones that are agreed on may land, and all of them are the stream', async () => {
    const { ann, ben, judge, blocks, states, check, state, id } = await start();
    await judge(ann, '1');
    expect(await blocks()).toMatchObject({ leading: 1, items: [{ reached: true }, { reached: false }, {}] });
    await judge(ben, '3');
    expect(await blocks()).toMatchObject({ leading: 1 });
    expect((await check()).reached).toBe(false);
    await judge(ann, '2', 'request_changes');
    expect(await states()).toEqual(['reached', 'blocked', 'reached']);
    await judge(ann, '2');
    expect(await check()).toMatchObject({ reached: true, reasons: ['each of its 3 blocks has consensus'] });
    expect(await state(id)).toBe('approved');
    expect(
      (await check()).votes
        .filter((vote) => vote.counts)
        .map((vote) => vote.reviewerName)
        .sort(),
    ).toEqual(['ann', 'ben']);
  });

  it('who rejects one rejects the stream, and who approves all approves it', async () => {
    const { ann, ben, judge, check } = await start(['one', 'two']);
    await judge(ann, undefined);
    expect((await check()).reached).toBe(true);
    await judge(ben, '2', 'request_changes');
    expect(await check()).toMatchObject({ reached: false, state: 'blocked' });
    await judge(ben, '1');
    await judge(ben, '2');
    expect(await check()).toMatchObject({ reached: true, approvals: 2, rejections: 0 });
  });

  it('no verdict on a block counts when the block holds something else, and comments never do', async () => {
    const { call, coder, owner, ann, id, judge, states, record } = await start(['one', 'two']);
    await judge(ann, '1');
    await judge(ann, '2', 'comment');
    expect(await states()).toEqual(['reached', 'waiting']);
    await record(coder, id, { ...factsOfMany(['one', 'two'], { one: 'changed' }), head: oid('again') });
    expect(await states()).toEqual(['waiting', 'waiting']);
    await judge(ann, '2');
    expect(await states()).toEqual(['waiting', 'reached']);
    await call(mergeBlocks, { stream: id, from: 1, to: 2 }, { as: coder });
    expect(await states()).toEqual(['waiting']);
    await call(splitBlock, { stream: id, commit: oid('two').slice(0, 8) }, { as: owner });
    expect(await states()).toEqual(['waiting', 'reached']);
  });

  it.each(['joins the blocks', 'names the commits anew'])(
    'a rejection of one stands where the author %s and changes nothing, until its judge takes it back',
    async (how) => {
      const { call, coder, ann, ben, id, judge, check, record } = await start(['one', 'two']);
      await judge(ann, '1', 'request_changes');
      await judge(ben, undefined);
      expect(await check()).toMatchObject({ state: 'blocked', rejections: 1 });
      if (how === 'joins the blocks') await call(mergeBlocks, { stream: id, from: 1, to: 2 }, { as: coder });
      else await record(coder, id, renamed(['one', 'two']));
      expect(await check()).toMatchObject({ state: 'blocked', rejections: 1 });
      await judge(ann, how === 'joins the blocks' ? '1' : undefined);
      expect(await check()).toMatchObject({ reached: true, approvals: 2, rejections: 0 });
    },
  );

  it('a rejection of one goes with what was split off, though the block was joined to another', async () => {
    const { call, coder, ann, ben, id, judge } = await start();
    await judge(ann, '1', 'request_changes');
    await judge(ben, undefined);
    await call(mergeBlocks, { stream: id, from: 1, to: 2 }, { as: coder });
    const facts = factsOfMany(['one', 'two']);
    const rest = { ...factsOfMany(['three']), base: oid('two') };
    const input = { stream: id, id: newId(), branch: 'stream/leading', facts, rest };
    const { leading } = await call(splitOffStream, input, { as: coder });
    expect(await call(checkConsensus, { stream: leading.id }, { as: coder })).toMatchObject({
      state: 'blocked',
      rejections: 1,
    });
  });

  it('whoever rejected one is no author afterwards', async () => {
    const { call, coder, ann, id, judge } = await start();
    await judge(ann, '1', 'request_changes');
    expect(await refusedWith(call(addStreamAuthor, { stream: id, agent: 'ann' }, { as: coder }))).toBe(
      'conflict',
    );
  });

  it('a verdict on one is stale when the block holds something else', async () => {
    const { call, coder, ann, id, judge, record } = await start(['one', 'two']);
    await judge(ann, '1');
    await judge(ann, '2');
    await record(coder, id, { ...factsOfMany(['one', 'two'], { one: 'changed' }), head: oid('again') });
    const { items } = await call(listReviews, { stream: id }, { as: coder });
    expect(items.map((item) => item.stale)).toEqual([true, false]);
  });

  it('are merged and split by the author or a maintainer, along real borders', async () => {
    const { call, coder, ann, id, judge } = await start();
    const merge = (from: number, to: number, as = coder) =>
      call(mergeBlocks, { stream: id, from, to }, { as });
    expect((await merge(1, 2)).items.map((item) => item.commits.length)).toEqual([2, 1]);
    expect(await refusedWith(merge(2, 3))).toBe('invalid');
    expect(await refusedWith(call(splitBlock, { stream: id, commit: 'ffffffff' }, { as: ann }))).toBe(
      'not_found',
    );
    expect(await refusedWith(judge(ann, '9'))).toBe('not_found');
    expect(await refusedWith(judge(coder, '1'))).toBe('not_allowed');
  });

  it('split off as a stream that the rest builds on, each with the verdicts on it', async () => {
    const { call, coder, ann, ben, id, judge, show } = await start();
    await judge(ann, '1');
    await judge(ben, '2');
    await judge(ann, '3', 'request_changes');
    const facts = factsOfMany(['one', 'two']);
    const rest = { ...factsOfMany(['three']), base: oid('two') };
    const input = { stream: id, id: newId(), branch: 'stream/leading', facts, rest };
    const parts = await call(splitOffStream, input, { as: coder });
    expect(parts.leading).toMatchObject({
      state: 'approved',
      commitCount: 2,
      authorName: 'coder',
      taskId: null,
    });
    expect(parts.rest).toMatchObject({ commitCount: 1, parentStreamId: parts.leading.id });
    const leading = await call(listBlocks, { stream: parts.leading.id }, { as: ann });
    expect(leading.items.map((item) => item.reached)).toEqual([true, true]);
    expect((await call(listBlocks, { stream: id }, { as: ann })).items.map((item) => item.state)).toEqual([
      'blocked',
    ]);
    expect((await show(id)).state).not.toBe('approved');
  });

  it('one reviewer is named for each stream, and review next gives that one first', async () => {
    const { call, repoId, owner, ann, ben, coder, stream, submit, judge, id } = await start();
    const second = await stream(coder, 'second');
    await submit(coder, second.id, factsOf('second'));
    const attention = async () =>
      (await call(repoStatus, { repoId }, { as: owner })).attention.map((item) => [
        item.subject.id,
        item.agentName,
      ]);
    const named = new Map(await attention().then((items) => items as [string, string][]));
    expect(named.size).toBe(2);
    expect(named.get(id)).not.toBe(named.get(second.id));
    for (const agent of [owner, ann, ben]) {
      const next = await call(nextReview, { repoId }, { as: agent });
      const mine = [...named].find(([, name]) => name === agent.name)?.[0];
      if (mine) expect(next.stream?.id).toBe(mine);
    }
    for (const agent of [owner, ann, ben]) await judge(agent, undefined, 'comment');
    expect((await attention()).every(([, name]) => name !== null)).toBe(true);
  });
});
