import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import type { SeedOptions } from '../../test/support/kernel.ts';
import { factsOf, startStory } from '../../test/support/stream-story.ts';
import { newId } from '../base/ids.ts';
import { registerAgent, showAgent } from '../contract/agents.ts';
import { depositBudget } from '../contract/budgets.ts';
import { showKarma } from '../contract/karma.ts';
import { explainAccess, trustAgent } from '../contract/repos.ts';
import { checkConsensus } from '../contract/reviews.ts';
import { cancelTask, createTask } from '../contract/tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start(config: SeedOptions<never>['config'] = {}, model: 'open' | 'guild' = 'open') {
    const agents = ['ann', 'ben', 'cat'] as const;
    const story = await startStory(await makeDatabase(), { agents, model, config });
    const { call, repoId, owner } = story;
    const karma = async (...people: { id: string }[]) => {
      const all = [];
      for (const { id } of people) all.push((await call(showAgent, { agent: id }, { as: owner })).karma);
      return all;
    };
    const record = (agent: { id: string }) => call(showKarma, { repoId, agent: agent.id }, { as: owner });
    const bounty = async (amount: number) => {
      await call(depositBudget, { repoId, amount }, { as: owner });
      return (await call(createTask, { repoId, title: `pays ${amount}`, amount }, { as: owner })).id;
    };
    return { ...story, karma, record, bounty };
  }

  it('is earned for landings and confirmed approvals, each with its reason', async () => {
    const { ann, ben, landed, karma, record } = await start();
    await landed(ann, 'one', ben);
    expect(await karma(ann, ben)).toEqual([1, 1]);
    expect(await record(ben)).toMatchObject({
      karma: 1,
      openWeight: 1.41,
      reviewer: { total: 1, approvals: 1, confirmed: 1, refuted: 0, accuracy: 0.6667 },
      items: [{ amount: 1, reason: 'approved what landed' }],
    });
  });

  it('is lost for what was reverted, and won by who warned of it', async () => {
    const { ann, ben, cat, owner, stream, submit, verdict, merge, land, revert, karma, record } =
      await start();
    const { id } = await stream(ann, 'one');
    await submit(ann, id, factsOf('one'));
    await verdict(cat, id, 'request_changes');
    for (const as of [ben, owner]) await verdict(as, id);
    const landing = (await land(ann, (await merge(ann, id, factsOf('one'))).merge)).merge;
    expect(await karma(ann, ben, cat, owner)).toEqual([1, 1, 0, 1]);
    expect((await record(cat)).reviewer).toMatchObject({ rejections: 1, refuted: 1, accuracy: 0.3333 });
    await revert(owner, landing);
    expect(await karma(ann, ben, cat, owner)).toEqual([0, 0, 1, 0]);
    expect((await record(cat)).reviewer).toMatchObject({ confirmed: 1, refuted: 0, accuracy: 0.6667 });
    expect((await record(ben)).reviewer).toMatchObject({ confirmed: 0, refuted: 1 });
  });

  it.each([
    [9, 1],
    [10, 1],
    [59, 5],
  ])('a landing for a bounty of %i earns %i', async (amount, earned) => {
    const { ann, owner, landed, karma, bounty } = await start();
    await landed(ann, 'one', owner, { task: await bounty(amount) });
    expect(await karma(ann)).toEqual([earned]);
  });

  it('by the amount is earned once for a task, and a revert takes back what that landing gave', async () => {
    const { ann, owner, stream, merge, land, revert, karma, bounty } = await start({
      merge_mode: 'swarm',
    });
    const { id } = await stream(ann, 'one', { task: await bounty(500) });
    const landings = [];
    for (const name of ['one', 'two', 'three']) {
      landings.push((await land(ann, (await merge(ann, id, factsOf(name))).merge)).merge);
    }
    expect(await karma(ann)).toEqual([52]);
    const [first, second] = landings;
    if (second) await revert(owner, second);
    expect(await karma(ann)).toEqual([51]);
    if (first) await revert(owner, first);
    expect(await karma(ann)).toEqual([1]);
  });

  it('by the amount is not earned for what is finished, nor for what another holds', async () => {
    const { call, clock, ann, ben, owner, stream, submit, verdict, merge, land, karma, bounty } =
      await start();
    const landNow = async (as: { id: string }, id: string, name: string) => {
      await submit(as, id, factsOf(name));
      await verdict(owner, id);
      await land(as, (await merge(as, id, factsOf(name))).merge);
    };
    const cancelled = await bounty(500);
    const over = await stream(ann, 'over', { task: cancelled });
    await call(cancelTask, { task: cancelled }, { as: owner });
    await landNow(ann, over.id, 'over');
    expect(await karma(ann)).toEqual([1]);

    const task = await bounty(500);
    const late = await stream(ann, 'late', { task });
    await submit(ann, late.id, factsOf('late'));
    await verdict(owner, late.id);
    clock.advance(3 * 3_600_000);
    const taken = await stream(ben, 'taken', { task });
    await land(ann, (await merge(ann, late.id, factsOf('late'))).merge);
    expect(await karma(ann)).toEqual([2]);
    await landNow(ben, taken.id, 'taken');
    expect(await karma(ben)).toEqual([50]);
  });

  it('by the amount is earned by whose lease ran out while nobody else took the task', async () => {
    const { ann, clock, owner, stream, submit, verdict, merge, land, karma, bounty } = await start();
    const { id } = await stream(ann, 'one', { task: await bounty(500) });
    await submit(ann, id, factsOf('one'));
    await verdict(owner, id);
    clock.advance(3 * 3_600_000);
    await land(ann, (await merge(ann, id, factsOf('one'))).merge);
    expect(await karma(ann)).toEqual([50]);
  });

  it('is earned and lost for a verdict that decided nothing, by the same outcomes as the statistics', async () => {
    const { ann, ben, cat, owner, stream, submit, verdict, merge, land, revert, karma, record } = await start(
      {},
      'guild',
    );
    const landings = [];
    for (const name of ['one', 'two', 'three', 'four']) {
      const { id } = await stream(ann, name);
      await submit(ann, id, factsOf(name));
      await verdict(ben, id);
      await verdict(cat, id, 'request_changes');
      await verdict(owner, id);
      landings.push((await land(ann, (await merge(ann, id, factsOf(name))).merge)).merge);
    }
    expect(await karma(ben, cat)).toEqual([4, 0]);
    const [first] = landings;
    if (first) await revert(owner, first);
    expect(await karma(ben, cat)).toEqual([2, 1]);
    expect((await record(ben)).reviewer).toMatchObject({ confirmed: 3, refuted: 1 });
    expect((await record(ben)).items[0]).toMatchObject({ amount: -2, reason: 'approved what was reverted' });
    expect((await record(cat)).items[0]).toMatchObject({ amount: 1, reason: 'warned of what was reverted' });
  });

  it('is earned once by a reviewer for a landing, and once for a rejection however much lands later', async () => {
    const { ann, ben, cat, stream, submit, verdict, merge, land, karma, record } = await start();
    const { id } = await stream(ann, 'draft');
    await submit(ann, id, factsOf('draft'));
    for (const as of [ben, cat]) await verdict(as, id, 'request_changes');
    await submit(ann, id, factsOf('better'));
    await verdict(ben, id);
    await land(ann, (await merge(ann, id, factsOf('better'))).merge);
    expect(await karma(ben, cat)).toEqual([1, 1]);
    expect((await record(ben)).reviewer).toMatchObject({ confirmed: 2 });

    const swarm = await start({ merge_mode: 'swarm' });
    const { id: still } = await swarm.stream(swarm.ann, 'draft');
    await swarm.submit(swarm.ann, still, factsOf('draft'));
    await swarm.verdict(swarm.ben, still, 'request_changes');
    for (const name of ['one', 'two', 'three']) {
      await swarm.land(swarm.ann, (await swarm.merge(swarm.ann, still, factsOf(name))).merge);
    }
    expect(await swarm.karma(swarm.ben)).toEqual([1]);
  });

  it('a ring that closes takes back what its members had of each other in other repositories', async () => {
    const { ann, ben, database, repoId, landed, karma, record } = await start();
    await landed(ann, 'one', ben);
    await landed(ann, 'two', ben);
    await database.write(async (tx) => {
      const rows = tx.selectFrom('repo').selectAll().where('id', '=', repoId);
      const row = await rows.executeTakeFirstOrThrow();
      const other = { ...row, id: newId(0), name: 'other', handle: '0000', handle_length: 4 };
      await tx.insertInto('repo').values(other).execute();
      for (const table of ['merge', 'stream', 'karma_entry'] as const)
        await tx.updateTable(table).set({ repo_id: other.id }).execute();
    });
    expect(await karma(ann, ben)).toEqual([2, 2]);
    await landed(ben, 'three', ann);
    expect(await karma(ann, ben)).toEqual([0, 0]);
    expect((await record(ann)).items.map(({ amount }) => amount)).toEqual([-1, -1, 1, 1]);
  });

  it('two who approve each other gain nothing, and lose what they had of it before', async () => {
    const { ann, ben, cat, landed, karma, record } = await start();
    await landed(ann, 'one', ben);
    await landed(ann, 'two', cat);
    expect(await karma(ann, ben, cat)).toEqual([2, 1, 1]);
    await landed(ben, 'three', ann);
    expect(await karma(ann, ben, cat)).toEqual([1, 0, 1]);
    expect((await record(ben)).items[0]).toMatchObject({ amount: -1, reason: 'approved within a ring' });
    await landed(ann, 'four', ben);
    expect(await karma(ann, ben, cat)).toEqual([1, 0, 1]);
  });

  it('agents of one operator are one party', async () => {
    const { call, owner, landed, karma } = await start();
    const { agent: one } = await call(registerAgent, { name: 'one', operator: 'acme' }, { as: owner });
    const { agent: two } = await call(registerAgent, { name: 'two', operator: 'acme' }, { as: owner });
    await landed(one, 'work', two);
    expect(await karma(one, two)).toEqual([0, 0]);
  });

  it('a ring of mutual approvers gains nothing, whatever it does in whatever order', {
    timeout: 60_000,
  }, async () => {
    const step = fc.tuple(fc.nat(2), fc.nat(1));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (history) => {
        const { ann, ben, cat, stream, submit, verdict, merge, land, karma } = await start();
        const ring = [ann, ben, cat];
        const act = async (author: number, n: number, offset: number) => {
          const [as = ann, judge = ben, third = cat] = [0, 1 + offset, 2 - offset].map(
            (step) => ring[(author + step) % 3],
          );
          const { id } = await stream(as, `draft ${n}`);
          await submit(as, id, factsOf(`draft ${n}`));
          await verdict(third, id, 'request_changes');
          await submit(as, id, factsOf(`work ${n}`));
          await verdict(judge, id);
          await land(as, (await merge(as, id, factsOf(`work ${n}`))).merge);
        };
        for (const [n, [author, offset]] of history.entries()) await act(author, n, offset);
        for (const author of [0, 1, 2]) await act(author, 100 + author, 0);
        expect(await karma(...ring)).toEqual([0, 0, 0]);
      }),
      { numRuns: 8 },
    );
  });

  it('an owner gives an agent more or less weight, and consensus says so', async () => {
    const { call, repoId, owner, ann, ben, cat, stream, submit, verdict } = await start();
    const { id } = await stream(ann, 'one');
    await submit(ann, id, factsOf('one'));
    const trust = (agent: string, factor: number | null) =>
      call(trustAgent, { repoId, agent, factor }, { as: owner });
    expect(await trust('ben', 0)).toMatchObject({ trust: 0 });
    await trust('cat', 2.5);
    await verdict(ben, id);
    const check = () => call(checkConsensus, { stream: id }, { as: owner });
    expect((await check()).votes).toMatchObject([{ weight: 0, counts: false }]);
    await verdict(cat, id);
    expect((await check()).votes.map(({ weight }) => weight)).toEqual([0, 2.5]);
    await trust('ben', null);
    expect((await check()).votes.map(({ weight }) => weight)).toEqual([1, 2.5]);
    expect((await call(explainAccess, { repoId, agent: cat.id }, { as: owner })).reasons.at(-1)).toContain(
      '2.5',
    );
  });
});
