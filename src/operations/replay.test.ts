import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import { replay } from '../../test/support/replay.ts';
import { factsOf, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { depositBudget, showBudget, withdrawBudget } from '../contract/budgets.ts';
import { createCouncil, leaveCouncilSeat, takeCouncilSeat } from '../contract/councils.ts';
import { listEvents, type SwarmEvent } from '../contract/events.ts';
import { showKarma } from '../contract/karma.ts';
import { createProposal, showProposal, voteOnProposal } from '../contract/proposals.ts';
import { addMaintainer, explainAccess, removeMaintainer } from '../contract/repos.ts';
import { checkConsensus, listBlocks, type Verdict } from '../contract/reviews.ts';
import { showStage } from '../contract/stages.ts';
import { cancelTask, createTask } from '../contract/tasks.ts';
import type { Database } from '../db/database.ts';
import type { Tables } from '../db/tables.ts';
import { operations } from './index.ts';

const NAMES = ['ann', 'ben', 'cat', 'dan'] as const;
const who = fc.nat(NAMES.length - 1);
const step = fc.oneof(
  fc.record({
    do: fc.constant('judge' as const),
    who,
    on: fc.nat(3),
    say: fc.constantFrom<Verdict[]>('approve', 'request_changes', 'comment'),
  }),
  fc.record({ do: fc.constant('change' as const), on: fc.nat(3) }),
  fc.record({ do: fc.constant('land' as const), on: fc.nat(3) }),
  fc.record({ do: fc.constant('trust' as const), who, yes: fc.boolean() }),
  fc.record({ do: fc.constant('seat' as const), who, yes: fc.boolean() }),
  fc.record({ do: fc.constant('propose' as const), who }),
  fc.record({
    do: fc.constant('vote' as const),
    who,
    on: fc.nat(2),
    say: fc.constantFrom('for' as const, 'against' as const, 'abstain' as const),
  }),
  fc.record({
    do: fc.constant('money' as const),
    n: fc.integer({ min: 1, max: 60 }),
    how: fc.constantFrom('in', 'out', 'promise', 'cancel'),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Plays a history and answers the log with everything that was decided, as it is asked for. */
async function play(database: Database, history: readonly Step[]) {
  const story = await startStory(database, { agents: NAMES, model: 'open', maintainers: ['ann'] });
  const { call, repoId, owner } = story;
  const agent = (n: number) => story[NAMES[n] ?? 'ann'];
  const as = { as: owner };
  await call(
    createCouncil,
    { repoId, minMembers: 2, standardQuorum: 2, minKarma: 0, minContributions: 0 },
    as,
  );
  for (const name of NAMES.slice(0, 3)) await call(takeCouncilSeat, { repoId, agent: name }, as);
  const streams: string[] = [];
  for (const [n, name] of NAMES.entries()) {
    const { id } = await story.stream(agent(n), `work of ${name}`);
    await story.submit(agent(n), id, factsOf(`work of ${name}`));
    streams.push(id);
  }
  const facts = streams.map((_, n) => factsOf(`work of ${NAMES[n]}`));
  const [proposals, tasks]: [string[], string[]] = [[], []];
  for (const [n, each] of history.entries()) await refusedWith(act(each, n));
  return { ...story, streams, proposals };

  async function act(each: Step, n: number): Promise<unknown> {
    switch (each.do) {
      case 'judge':
        return story.verdict(agent(each.who), streams[each.on] ?? '', each.say);
      case 'change': {
        const changed = factsOf(`change ${n}`);
        facts[each.on] = changed;
        return story.record(agent(each.on), streams[each.on] ?? '', changed);
      }
      case 'land': {
        const wish = facts[each.on] ?? factsOf('none');
        const { merge } = await story.merge(agent(each.on), streams[each.on] ?? '', wish);
        return story.land(agent(each.on), merge);
      }
      case 'trust':
        return call(each.yes ? addMaintainer : removeMaintainer, { repoId, agent: agent(each.who).id }, as);
      case 'seat':
        if (each.yes) return call(takeCouncilSeat, { repoId, agent: agent(each.who).id }, as);
        return call(leaveCouncilSeat, { repoId, agent: agent(each.who).id }, as);
      case 'propose': {
        const wish = { repoId, type: 'add_maintainer' as const, title: 'more', target: 'dan' };
        return proposals.push((await call(createProposal, wish, { as: agent(each.who) })).id);
      }
      case 'vote':
        return call(
          voteOnProposal,
          { proposal: proposals[each.on] ?? 'none', vote: each.say },
          { as: agent(each.who) },
        );
      case 'money':
        if (each.how === 'in') return call(depositBudget, { repoId, amount: each.n }, as);
        if (each.how === 'out') return call(withdrawBudget, { repoId, amount: each.n }, as);
        if (each.how === 'cancel') return call(cancelTask, { task: tasks.pop() ?? 'none' }, as);
        return tasks.push((await call(createTask, { repoId, title: 'paid', amount: each.n }, as)).id);
    }
  }
}

/** A repository that was played in, wherever its rows are now. */
interface Asked {
  call: Awaited<ReturnType<typeof play>>['call'];
  repoId: string;
  owner: { id: string };
  streams: string[];
  proposals: string[];
}

async function logOf({ call, repoId, owner }: Asked): Promise<SwarmEvent[]> {
  const events: SwarmEvent[] = [];
  for (let after = ''; ; ) {
    const page = await call(listEvents, { repoId, after, limit: 200 }, { as: owner, repoId });
    events.push(...page.items);
    if (page.nextCursor === null) return events;
    after = page.nextCursor;
  }
}

/** What the operations say was decided. */
async function decided({ call, repoId, owner, streams, proposals }: Asked) {
  const as = { as: owner, repoId };
  const { available, reserved, paid } = await call(showBudget, { repoId }, as);
  const karma: Record<string, number> = {};
  for (const name of ['owner', ...NAMES])
    karma[name] = (await call(showKarma, { repoId, agent: name }, as)).karma;
  const votes: Record<string, string> = {};
  for (const id of proposals) votes[id] = (await call(showProposal, { proposal: id }, as)).status;
  const consensus: Record<string, object> = {};
  for (const id of streams) {
    const result = await call(checkConsensus, { stream: id }, as);
    const cast = result.votes.map((vote) => [vote.reviewerName, vote.weight, vote.counts]);
    consensus[id] = { state: result.state, score: result.score, votes: cast };
  }
  return { budget: { available, reserved, paid }, karma, proposals: votes, consensus };
}

/** Every answer that a decision stands behind, as text, for a comparison to the last bit. */
async function everything(asked: Asked): Promise<string> {
  const { call, repoId, owner, streams } = asked;
  const as = { as: owner, repoId };
  const access = [];
  for (const agent of ['owner', ...NAMES]) access.push(await call(explainAccess, { repoId, agent }, as));
  const blocks = [];
  for (const stream of streams) blocks.push(await call(listBlocks, { stream }, as));
  return JSON.stringify([await decided(asked), access, blocks, await call(showStage, { repoId }, as)]);
}

const TABLES: (keyof Tables)[] = [
  'agent',
  'repo',
  'maintainer',
  'access_grant',
  'task',
  'task_dependency',
  'stream',
  'stream_author',
  'stream_commit',
  'claim',
  'review',
  'merge',
  'karma_entry',
  'event',
  'budget',
  'budget_entry',
  'council',
  'council_member',
  'proposal',
  'proposal_vote',
  'approval_pair',
  'review_outcome',
];

type Rows = [table: keyof Tables, rows: object[]][];

async function rowsOf(database: Database): Promise<Rows> {
  const all: Rows = [];
  for (const table of TABLES) {
    const found: Record<string, unknown>[] = await database.read.selectFrom(table).selectAll().execute();
    // PostgreSQL answers unsorted rows in any order, and events are numbered anew in the order they are inserted in.
    const rows = found.sort((a, b) => Number(a.seq ?? 0) - Number(b.seq ?? 0));
    all.push([table, rows.map(({ seq: _seq, ...row }) => row)]);
  }
  return all;
}

async function insertAll(database: Database, all: Rows): Promise<void> {
  for (const [table, rows] of all) {
    if (rows.length > 0)
      await database.write((tx) =>
        tx
          .insertInto(table)
          .values(rows as never)
          .execute(),
      );
  }
}

const history = (lengths: { minLength: number; maxLength: number }) => fc.array(step, lengths);

/** What was played on the first database, with its answers: every database is asked about all of them. */
const played: { rows: Rows; asked: Omit<Asked, 'call'>; at: number; said: string; log: SwarmEvent[] }[] = [];

forEachDatabase((_kind, makeDatabase) => {
  it('the log and the rules alone give every decision once more', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(history({ minLength: 10, maxLength: 40 }), async (steps) => {
        const game = await play(await makeDatabase(), steps);
        expect(replay(await logOf(game))).toEqual(await decided(game));
      }),
      { numRuns: 8 },
    );
  });

  it('the same log gives the same decisions on every database, to the last bit', {
    timeout: 120_000,
  }, async () => {
    for (const steps of fc.sample(history({ minLength: 50, maxLength: 60 }), { numRuns: 3 })) {
      const database = await makeDatabase();
      const game = await play(database, steps);
      const { repoId, owner, streams, proposals } = game;
      const at = game.clock.now();
      const said = await everything(game);
      const rows = await rowsOf(database);
      played.push({ rows, asked: { repoId, owner, streams, proposals }, at, said, log: await logOf(game) });
    }
    for (const { rows, asked, at, said, log } of played) {
      const database = await makeDatabase();
      await insertAll(database, rows);
      const { call, clock } = makeKernel(database, operations);
      clock.advance(at - clock.now());
      const again = { ...asked, call };
      expect(await everything(again)).toBe(said);
      expect(replay(await logOf(again))).toEqual(replay(log));
    }
  });
});
