import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { registerAgent, suspendAgent } from '../contract/agents.ts';
import { addMaintainer, grantAccess, setConfig, trustAgent } from '../contract/repos.ts';
import { checkConsensus } from '../contract/reviews.ts';

/** What the settings and the roles of people give to the tally, whose own rules are tested where it is. */
forEachDatabase((_kind, makeDatabase) => {
  const names = ['coder', 'rival', 'judge', 'second'] as const;

  async function inReview(options: object = {}, changes: Record<string, unknown> = {}) {
    const story = await startStory(await makeDatabase(), { agents: names, ...options });
    const { call, owner, repoId, coder } = story;
    if (Object.keys(changes).length > 0) await call(setConfig, { repoId, changes }, { as: owner });
    const by = async (author: { id: string }, name = 'one', paths = [`${name}.txt`]) => {
      const facts = factsOf(name, { paths });
      const { id } = await story.stream(author, name, { facts });
      await story.submit(author, id, facts);
      return id;
    };
    const consensus = (stream: string) => call(checkConsensus, { stream }, { as: coder });
    const grant = (agent: string, level: 'read' | 'write', expiresAt?: string) =>
      call(grantAccess, { repoId, agent, level, ...(expiresAt ? { expiresAt } : {}) }, { as: owner });
    return { ...story, by, consensus, grant };
  }

  it('a grant that has expired gives no voice, and takes it from a verdict that was given', async () => {
    const { by, consensus, grant, verdict, owner, rival, clock } = await inReview(
      { model: 'open' },
      { agent_access: 'allowlist' },
    );
    const id = await by(owner);
    expect((await consensus(id)).state).toBe('no_eligible_reviewers');
    await grant('rival', 'write', new Date(clock.now() + 60_000).toISOString());
    expect((await consensus(id)).state).toBe('waiting');
    await verdict(rival, id);
    expect((await consensus(id)).state).toBe('reached');
    clock.advance(60_000);
    expect(await consensus(id)).toMatchObject({ state: 'no_eligible_reviewers', votes: [{ counts: false }] });
  });

  it('nobody is left to judge where everybody else may only read, is suspended, or has no weight', async () => {
    const { call, by, consensus, grant, owner, repoId } = await inReview({ model: 'open' });
    const id = await by(owner);
    expect((await consensus(id)).state).toBe('waiting');
    await grant('coder', 'read');
    await grant('rival', 'read');
    await call(suspendAgent, { agent: 'judge' }, { as: owner });
    expect((await consensus(id)).state).toBe('waiting');
    await call(trustAgent, { repoId, agent: 'second', factor: 0, reason: 'asleep' }, { as: owner });
    expect((await consensus(id)).state).toBe('no_eligible_reviewers');
  });

  it('nor where nobody has the karma that is asked for, or the one maintainer of a guild has no weight', async () => {
    const poor = await inReview({ model: 'open' }, { agent_access: 'karma_threshold', min_karma: 5 });
    expect((await poor.consensus(await poor.by(poor.owner))).state).toBe('no_eligible_reviewers');
    const guild = await inReview({ model: 'guild', maintainers: ['judge'] });
    const id = await guild.by(guild.owner);
    expect((await guild.consensus(id)).state).toBe('waiting');
    const { call, repoId, owner } = guild;
    await call(trustAgent, { repoId, agent: 'judge', factor: 0, reason: 'asleep' }, { as: owner });
    expect((await guild.consensus(id)).state).toBe('no_eligible_reviewers');
  });

  it('with independent reviews the verdicts of one operator are one', async () => {
    const { call, by, consensus, verdict, coder, owner, repoId } = await inReview({ model: 'guild' }, {});
    const twins = [];
    for (const name of ['left', 'right']) {
      const { agent } = await call(registerAgent, { name, operator: 'acme' }, { as: owner });
      await call(addMaintainer, { repoId, agent: name }, { as: owner });
      twins.push(agent);
    }
    await call(setConfig, { repoId, changes: { min_reviews: 2, independent_reviews: true } }, { as: owner });
    const id = await by(coder);
    for (const twin of twins) await verdict(twin, id);
    expect(await consensus(id)).toMatchObject({ state: 'insufficient_reviews', approvals: 1 });
    await verdict(owner, id);
    expect(await consensus(id)).toMatchObject({ state: 'reached', approvals: 2 });
  });

  it('where a person is required no number of agents is enough', async () => {
    const { by, consensus, verdict, coder, judge, second, owner } = await inReview(
      { model: 'guild', maintainers: ['judge', 'second'] },
      { require_human_approval: true },
    );
    const id = await by(coder);
    await verdict(judge, id);
    await verdict(second, id);
    expect((await consensus(id)).state).toBe('waiting');
    await verdict(owner, id);
    expect((await consensus(id)).state).toBe('reached');
  });

  it("a person's verdict weighs what the settings say", async () => {
    const { by, consensus, verdict, coder, judge, owner } = await inReview(
      { model: 'guild', maintainers: ['judge'] },
      { human_review_weight: 3 },
    );
    const id = await by(coder);
    await verdict(judge, id);
    await verdict(owner, id);
    expect((await consensus(id)).votes.map((vote) => vote.weight).sort()).toEqual([1, 3]);
  });

  it('in a solo repository settings need the owner, whose own are landed by his being their author', async () => {
    const { by, consensus, verdict, merge, coder, judge, owner } = await inReview({
      model: 'solo',
      maintainers: ['judge'],
    });
    const paths = ['.gitswarm/config.yml'];
    const id = await by(coder, 'one', paths);
    await verdict(judge, id);
    expect((await consensus(id)).reached).toBe(false);
    expect(await refusedWith(merge(coder, id, factsOf('one', { paths })))).toBe('gate_not_met');
    await verdict(owner, id);
    expect((await consensus(id)).reached).toBe(true);
    const own = await by(owner, 'two', paths);
    expect(await refusedWith(merge(owner, own, factsOf('two', { paths })))).toBe('allowed');
  });
});
