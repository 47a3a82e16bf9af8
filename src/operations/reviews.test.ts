import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { registerAgent, suspendAgent } from '../contract/agents.ts';
import { addMaintainer, grantAccess, removeMaintainer, setConfig, trustAgent } from '../contract/repos.ts';
import { checkConsensus, listReviews, nextReview, submitReview } from '../contract/reviews.ts';
import { pauseStream } from '../contract/streams.ts';

forEachDatabase((_kind, makeDatabase) => {
  const names = ['coder', 'rival', 'judge', 'second'] as const;
  const start = async (options: object = {}) =>
    startStory(await makeDatabase(), { agents: names, maintainers: ['judge', 'second'], ...options });

  async function inReview(options: object = {}) {
    const story = await start(options);
    const { id } = await story.stream(story.coder, 'one');
    await story.submit(story.coder, id, factsOf('one'));
    const consensus = () => story.call(checkConsensus, { stream: id }, { as: story.coder });
    return { ...story, id, consensus };
  }

  it('an approval that reaches consensus approves the stream', async () => {
    const { verdict, id, judge } = await inReview();
    const given = await verdict(judge, id);
    expect(given.review).toMatchObject({
      verdict: 'approve',
      head: oid('one'),
      standing: true,
      stale: false,
    });
    expect(given.stream).toMatchObject({ state: 'approved', status: 'in_review', reviewStatus: 'approved' });
    expect(given.consensus).toMatchObject({ state: 'reached', authority: 'local', head: oid('one') });
  });

  it('a request for changes sends the stream back to work, and submitting again keeps it standing', async () => {
    const { verdict, submit, id, coder, judge } = await inReview();
    expect((await verdict(judge, id, 'request_changes')).stream).toMatchObject({
      state: 'changes_requested',
      status: 'active',
      reviewStatus: 'changes_requested',
    });
    expect((await submit(coder, id, factsOf('one'))).state).toBe('in_review');
    expect((await verdict(judge, id)).stream.state).toBe('approved');
  });

  it('two approvals outvote one request for changes', async () => {
    const { call, verdict, id, owner, judge, second, repoId } = await inReview();
    await verdict(judge, id, 'request_changes');
    expect((await verdict(second, id)).consensus.state).toBe('blocked');
    await call(addMaintainer, { repoId, agent: 'rival' }, { as: owner });
    expect((await verdict(owner, id)).stream.state).toBe('approved');
  });

  it('the last verdict of a reviewer counts, and a comment never takes its place', async () => {
    const { call, verdict, consensus, id, judge, coder } = await inReview();
    await verdict(judge, id, 'request_changes');
    await verdict(judge, id);
    const commented = await verdict(judge, id, 'comment');
    expect(commented.review.standing).toBe(false);
    expect(commented.stream.state).toBe('approved');
    expect(await consensus()).toMatchObject({ approvals: 1, rejections: 0 });
    const { items } = await call(listReviews, { stream: id }, { as: coder });
    expect(items.map((each) => [each.verdict, each.standing])).toEqual([
      ['request_changes', false],
      ['approve', true],
      ['comment', false],
    ]);
  });

  it('authors do not judge their own stream: exit 4', async () => {
    const { verdict, id, coder } = await inReview();
    expect(await refusedWith(verdict(coder, id))).toBe('not_allowed');
  });

  it("a verdict on a head that is no longer the stream's is stale", async () => {
    const { call, record, id, coder, judge } = await inReview();
    await record(coder, id, factsOf('two'));
    const late = call(submitReview, { stream: id, verdict: 'approve', head: oid('one') }, { as: judge });
    expect(await refusedWith(late)).toBe('stale');
  });

  it('a verdict on an older patch stays in the list as stale and does not count', async () => {
    const { call, record, verdict, consensus, id, coder, judge } = await inReview();
    await verdict(judge, id);
    await record(coder, id, factsOf('two'));
    const { items } = await call(listReviews, { stream: id }, { as: coder });
    expect(items).toMatchObject([{ standing: true, stale: true }]);
    expect(await consensus()).toMatchObject({ state: 'waiting', approvals: 0 });
  });

  it('a stream that is over is not judged', async () => {
    const { landed, verdict, coder, judge, second } = await start();
    const done = await landed(coder, 'done', judge);
    expect(await refusedWith(verdict(second, done.stream?.id ?? ''))).toBe('wrong_state');
  });

  it('a reviewer who is suspended, or loses the role, no longer counts', async () => {
    const { call, verdict, consensus, repoId, id, owner, judge, second } = await inReview({
      config: { min_reviews: 2 },
    });
    await verdict(judge, id);
    await verdict(second, id);
    expect((await consensus()).state).toBe('reached');
    await call(suspendAgent, { agent: 'second' }, { as: owner });
    expect(await consensus()).toMatchObject({ state: 'insufficient_reviews', approvals: 1 });
    await call(removeMaintainer, { repoId, agent: 'judge' }, { as: owner });
    expect(await consensus()).toMatchObject({ approvals: 0 });
  });

  it('a request for changes takes an approved stream back, and a queued one out of the queue', async () => {
    const { verdict, merge, id, coder, judge, second } = await inReview();
    await verdict(judge, id);
    await merge(coder, id, factsOf('one'));
    expect((await verdict(second, id, 'request_changes')).stream.state).toBe('changes_requested');
  });

  it('a comment takes nothing out of the queue, in swarm mode neither', async () => {
    const { stream, verdict, merge, coder, judge } = await start({ config: { merge_mode: 'swarm' } });
    const { id } = await stream(coder, 'one');
    await merge(coder, id, factsOf('one'));
    expect((await verdict(judge, id, 'comment')).stream.state).toBe('queued');
    expect((await verdict(judge, id, 'request_changes')).stream.state).toBe('queued');
  });

  it('a verdict waits while the stream is landing', async () => {
    const { verdict, merge, prepare, state, id, coder, judge, second } = await inReview();
    await verdict(judge, id);
    await prepare(coder, (await merge(coder, id, factsOf('one'))).merge);
    expect(await refusedWith(verdict(second, id, 'request_changes'))).toBe('busy');
    expect(await state(id)).toBe('queued');
  });

  it('a person counts more', async () => {
    const { call, verdict, consensus, id, repoId, owner, judge } = await inReview({
      config: { consensus_threshold: 0.6 },
    });
    await call(registerAgent, { name: 'Grace', kind: 'human' }, { as: owner });
    const grace = await call(addMaintainer, { repoId, agent: 'Grace' }, { as: owner });
    await verdict(judge, id, 'request_changes');
    await verdict({ id: grace.agent.id }, id);
    expect(await consensus()).toMatchObject({ score: 0.6, state: 'blocked' });
    expect((await verdict(owner, id)).consensus).toMatchObject({ score: 0.75, state: 'reached' });
  });

  it('says that nobody could judge where the author is the only maintainer', async () => {
    const { call, stream, submit, owner } = await startStory(await makeDatabase(), { model: 'guild' });
    const { id } = await stream(owner, 'one');
    await submit(owner, id, factsOf('one'));
    expect(await call(checkConsensus, { stream: id }, { as: owner })).toMatchObject({
      state: 'no_eligible_reviewers',
    });
  });

  it.each(['review', 'swarm', 'gated'] as const)(
    'a change of the settings needs another maintainer in %s mode',
    async (mode) => {
      const facts = factsOf('settings', { paths: ['.gitswarm/config.yml'] });
      const story = await start({ model: 'open', config: { merge_mode: mode } });
      const { stream, submit, verdict, merge, coder, rival, judge, second } = story;
      const plain = await stream(coder, 'settings', { facts });
      await submit(coder, plain.id, facts);
      await verdict(rival, plain.id);
      expect(await refusedWith(merge(second, plain.id, facts))).toBe('gate_not_met');
      await verdict(judge, plain.id);
      expect(await refusedWith(merge(second, plain.id, facts))).toBe('allowed');
      const own = await stream(judge, 'settings', { facts });
      await submit(judge, own.id, facts);
      expect(await refusedWith(merge(judge, own.id, facts))).toBe('gate_not_met');
    },
  );

  it('a switch of the mode keeps verdicts and lands nothing', async () => {
    const { call, verdict, merge, state, repoId, id, coder, judge, owner } = await inReview();
    await verdict(judge, id);
    for (const mode of ['swarm', 'gated', 'review']) {
      await call(setConfig, { repoId, changes: { merge_mode: mode } }, { as: owner });
      expect(await state(id)).toBe('approved');
    }
    expect((await merge(coder, id, factsOf('one'))).stream.state).toBe('queued');
  });

  it('next is the oldest stream on which the verdict would count and is missing', async () => {
    const { call, stream, submit, verdict, repoId, id, coder, rival, judge, owner } = await inReview();
    const next = async (as: { id: string }) =>
      (await call(nextReview, { repoId }, { as })).stream?.id ?? null;
    const { id: other } = await stream(judge, 'two');
    await submit(judge, other, factsOf('two'));
    expect([await next(judge), await next(coder), await next(rival), await next(owner)]).toEqual([
      id,
      null,
      null,
      id,
    ]);
    await verdict(owner, id, 'comment');
    expect(await next(owner)).toBe(id);
    await verdict(judge, id);
    expect([await next(judge), await next(owner)]).toEqual([null, other]);
    await call(setConfig, { repoId, changes: { ownership_model: 'open' } }, { as: owner });
    expect(await next(rival)).toBe(other);
    await call(grantAccess, { repoId, agent: 'rival', level: 'read' }, { as: owner });
    expect(await next(rival)).toBeNull();
    await call(pauseStream, { stream: other }, { as: judge });
    expect(await next(owner)).toBeNull();
  });

  it('next offers what lost its approval, and nothing to one whose verdict would not count', async () => {
    const { call, verdict, repoId, id, judge, second, owner } = await inReview();
    const next = async (as: { id: string }) => {
      const { stream, why } = await call(nextReview, { repoId }, { as });
      return stream?.id ?? why;
    };
    await verdict(judge, id);
    expect(await next(second)).toBe('nothing is in review');
    await call(removeMaintainer, { repoId, agent: 'judge' }, { as: owner });
    expect([await next(second), await next(judge)]).toEqual([id, 'nothing waits for judge']);
    await call(trustAgent, { repoId, agent: 'second', factor: 0 }, { as: owner });
    expect(await next(second)).toBe('nothing waits for second');
  });

  it('next offers nothing to one who has judged block by block, nor beside an agent of the same operator', async () => {
    const { call, verdict, repoId, id, judge, owner } = await inReview({
      config: { min_reviews: 3, independent_reviews: true },
    });
    const next = async (as: { id: string }) =>
      (await call(nextReview, { repoId }, { as })).stream?.id ?? null;
    await call(submitReview, { stream: id, verdict: 'approve', block: '1' }, { as: judge });
    expect(await next(judge)).toBeNull();
    const fleet = [];
    for (const name of ['a1', 'a2']) {
      await call(registerAgent, { name, operator: 'acme' }, { as: owner });
      fleet.push((await call(addMaintainer, { repoId, agent: name }, { as: owner })).agent);
    }
    const [one = owner, other = owner] = fleet;
    expect([await next(one), await next(other)]).toEqual([id, id]);
    await verdict(one, id);
    expect([await next(other), await next(owner)]).toEqual([null, id]);
  });

  it('next leaves out what the caller has tried', async () => {
    const { call, stream, submit, repoId, id, coder, judge } = await inReview();
    const { id: other } = await stream(coder, 'two');
    await submit(coder, other, factsOf('two'));
    const first = (await call(nextReview, { repoId }, { as: judge })).stream?.id ?? '';
    const second = await call(nextReview, { repoId, tried: [first] }, { as: judge });
    expect([first, second.stream?.id].sort()).toEqual([id, other].sort());
  });
});
