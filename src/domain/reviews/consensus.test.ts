import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConsensusFacts,
  type ConsensusRules,
  type StandingVerdict,
  tallyConsensus,
} from './consensus.ts';

const guild: ConsensusRules = {
  model: 'guild',
  threshold: 0.66,
  minReviews: 1,
  humanWeight: 1.5,
  independentReviews: false,
  maintainersOnly: false,
  requireHuman: false,
};
const open: ConsensusRules = { ...guild, model: 'open' };
const solo: ConsensusRules = { ...guild, model: 'solo' };

let minute = 0;

/** A maintainer's verdict on the current patch, later than all before. */
function verdict(
  name: string,
  word: 'yes' | 'no' | 'comment',
  changes: Partial<StandingVerdict> = {},
): StandingVerdict {
  minute++;
  return {
    reviewerId: name,
    reviewerName: name,
    verdict: word === 'yes' ? 'approve' : word === 'no' ? 'request_changes' : 'comment',
    patchId: 'now',
    isHuman: false,
    karma: 0,
    trust: 100,
    role: 'maintainer',
    operator: null,
    eligible: true,
    reviewedAt: new Date(minute * 60_000).toISOString(),
    ...changes,
  };
}
const yes = (name: string, changes?: Partial<StandingVerdict>) => verdict(name, 'yes', changes);
const no = (name: string, changes?: Partial<StandingVerdict>) => verdict(name, 'no', changes);

function tally(rules: ConsensusRules, verdicts: StandingVerdict[], facts: Partial<ConsensusFacts> = {}) {
  return tallyConsensus({
    rules,
    patchId: 'now',
    authorIds: ['author'],
    authorIsOwner: false,
    authorIsHuman: false,
    verdicts,
    hasOtherVoter: true,
    ...facts,
  });
}

const whys = (result: { votes: { reviewer: string; counts: boolean; why: string }[] }) =>
  Object.fromEntries(result.votes.map((vote) => [vote.reviewer, vote.counts ? 'counts' : vote.why]));

describe('consensus of a solo repository', () => {
  it.each([
    ['the owner approves', [yes('o', { role: 'owner' })], 'reached'],
    ['the owner asks for changes', [no('o', { role: 'owner' })], 'blocked'],
    ['a maintainer approves', [yes('m')], 'waiting'],
    ['nobody has spoken', [], 'waiting'],
  ])('when %s', (_title, verdicts, state) => {
    expect(tally(solo, verdicts).state).toBe(state);
  });

  it("is reached on the owner's own stream, and says why", () => {
    const result = tally(solo, [], { authorIsOwner: true, hasOtherVoter: false });
    expect(result).toMatchObject({ state: 'reached', reached: true, score: 0 });
    expect(result.reasons.join()).toContain('owner_is_author');
  });

  it('asks for one approval whatever min_reviews says', () => {
    expect(tally({ ...solo, minReviews: 3 }, [yes('o', { role: 'owner' })]).state).toBe('reached');
  });

  it("lets an owner that is a program land its own work only after a person's verdict, where one is required", () => {
    const rules = { ...solo, requireHuman: true };
    expect(tally(rules, [], { authorIsOwner: true }).reached).toBe(false);
    expect(tally(rules, [], { authorIsOwner: true, authorIsHuman: true }).reached).toBe(true);
  });
});

describe('consensus of a guild', () => {
  it.each([
    ['one maintainer approves', [yes('a')], 'reached'],
    ['only others approve', [yes('a', { role: null })], 'waiting'],
    ['two of three approve', [yes('a'), yes('b'), no('c')], 'reached'],
    ['one of two approves', [yes('a'), no('b')], 'blocked'],
    ['three of five approve', [yes('a'), yes('b'), yes('c'), no('d'), no('e')], 'blocked'],
    ['four of six approve', [yes('a'), yes('b'), yes('c'), yes('d'), no('e'), no('f')], 'reached'],
    ['one asks for changes', [no('a')], 'blocked'],
    ['one who is no maintainer asks for changes', [yes('a'), no('b', { role: null })], 'reached'],
  ])('when %s', (_title, verdicts, state) => {
    expect(tally(guild, verdicts).state).toBe(state);
  });

  it('does not weigh karma', () => {
    const result = tally(guild, [yes('a', { karma: 99 }), yes('b'), no('c', { karma: 9999 })]);
    expect(result).toMatchObject({ reached: true, approvals: 2, rejections: 1, score: 0.666666 });
  });
});

describe('consensus of an open repository', () => {
  it('weighs by the root of karma and one', () => {
    const result = tally(open, [
      yes('a', { role: null, karma: 99 }),
      yes('b', { role: null }),
      no('c', { role: null, karma: 3 }),
    ]);
    expect(result.votes.map((vote) => vote.weight)).toEqual([10, 1, 2]);
    expect(result).toMatchObject({ reached: true, score: 0.846153 });
  });

  it('is blocked by weight even where two approvals stand against one request', () => {
    const result = tally(open, [yes('a'), yes('b'), no('c', { karma: 99 })]);
    expect(result).toMatchObject({ state: 'blocked', approvals: 2, rejections: 1 });
  });

  it("counts everyone's verdict, unless the change is for maintainers", () => {
    const verdicts = [yes('a', { role: null })];
    expect(tally(open, verdicts).state).toBe('reached');
    const result = tally({ ...open, maintainersOnly: true }, verdicts);
    expect(result.state).toBe('waiting');
    expect(whys(result)).toEqual({ a: 'only maintainers decide about this change' });
  });
});

describe('what counts', () => {
  it('is said of every verdict', () => {
    const result = tally(guild, [
      yes('author'),
      verdict('c', 'comment'),
      yes('gone', { eligible: false }),
      yes('old', { patchId: 'before' }),
      yes('guest', { role: null }),
      yes('m'),
    ]);
    expect(whys(result)).toEqual({
      author: 'authors do not judge their own stream',
      c: 'a comment is no verdict',
      gone: 'the reviewer no longer has write access',
      old: 'stale: the change has been altered since',
      guest: 'only maintainers decide in a guild',
      m: 'counts',
    });
    expect(result).toMatchObject({ approvals: 1, reached: true });
  });

  it('a request for changes on an older patch blocks no longer', () => {
    expect(tally(guild, [no('a', { patchId: 'before' }), yes('b')]).state).toBe('reached');
    expect(tally(guild, [no('a', { patchId: 'before' })]).state).toBe('waiting');
  });

  it.each([
    [guild, 1.5],
    [open, 3],
    [solo, 1],
  ])("a person's weight is multiplied in guild and open only", (rules, weight) => {
    const [vote] = tally(rules, [yes('p', { isHuman: true, role: 'owner', karma: 3 })]).votes;
    expect(vote?.weight).toBe(weight);
  });

  it('a verdict without weight does not count at all', () => {
    const result = tally({ ...guild, humanWeight: 0 }, [yes('p', { isHuman: true })]);
    expect(result).toMatchObject({ state: 'waiting', approvals: 0 });
    expect(whys(result)).toEqual({ p: 'it has no weight here' });
  });

  it('of agents with one operator only the first verdict counts where reviews are independent', () => {
    const verdicts = [
      yes('a', { operator: 'acme' }),
      yes('b', { operator: 'acme' }),
      yes('c', { operator: null }),
    ];
    expect(tally({ ...guild, minReviews: 3 }, verdicts).state).toBe('reached');
    const result = tally({ ...guild, minReviews: 3, independentReviews: true }, verdicts);
    expect(result).toMatchObject({ state: 'insufficient_reviews', approvals: 2 });
    expect(whys(result).b).toBe('another verdict of acme counts already');
  });

  it("a verdict that does not count does not use up its operator's voice", () => {
    const verdicts = [yes('a', { operator: 'acme', patchId: 'before' }), yes('b', { operator: 'acme' })];
    expect(tally({ ...guild, independentReviews: true }, verdicts).approvals).toBe(1);
  });

  it('agents without an operator stand for themselves', () => {
    expect(tally({ ...guild, independentReviews: true, minReviews: 2 }, [yes('a'), yes('b')]).reached).toBe(
      true,
    );
  });
});

describe('thresholds', () => {
  it.each([
    [0.66, 2, 1, 'reached'],
    [0.67, 2, 1, 'blocked'],
    [0.75, 3, 1, 'reached'],
    [0.76, 3, 1, 'blocked'],
    [1, 4, 0, 'reached'],
    [1, 4, 1, 'blocked'],
    [0.7, 7, 3, 'reached'],
    [0.29, 2, 0, 'reached'],
  ])('%d with %d for and %d against', (threshold, forIt, against, state) => {
    const verdicts = [
      ...Array.from({ length: forIt }, (_, i) => yes(`y${i}`)),
      ...Array.from({ length: against }, (_, i) => no(`n${i}`)),
    ];
    expect(tally({ ...guild, threshold }, verdicts).state).toBe(state);
  });

  it('enough approvals are asked for, and how many are there is said', () => {
    const rules = { ...guild, minReviews: 2 };
    expect(tally(rules, [])).toMatchObject({ state: 'waiting', reasons: ['0 of 2 approvals that count'] });
    expect(tally(rules, [yes('a')])).toMatchObject({ state: 'insufficient_reviews' });
    expect(tally(rules, [yes('a'), yes('b')]).reached).toBe(true);
  });

  it('every request for changes must be outvoted by two approvals, whatever the threshold', () => {
    const rules = { ...guild, threshold: 0.01 };
    expect(tally(rules, [yes('a'), no('b')]).state).toBe('blocked');
    expect(tally(rules, [yes('a'), yes('b'), no('c')]).reached).toBe(true);
    expect(tally(rules, [yes('a'), yes('b'), yes('c'), no('d'), no('e')]).state).toBe('blocked');
  });

  it('a person must be among those who approve, where one is required', () => {
    const rules = { ...guild, requireHuman: true };
    expect(tally(rules, [yes('a')])).toMatchObject({ state: 'waiting' });
    expect(tally(rules, [yes('a'), yes('p', { isHuman: true })]).reached).toBe(true);
    expect(tally(rules, [yes('a'), yes('p', { isHuman: true, role: null })]).reached).toBe(false);
  });

  it('says that nobody could decide where only the author is there', () => {
    const alone = { hasOtherVoter: false };
    expect(tally(guild, [], alone).state).toBe('no_eligible_reviewers');
    expect(tally(guild, [yes('author')], alone).state).toBe('no_eligible_reviewers');
    expect(tally(guild, [yes('guest', { role: null })], alone).state).toBe('no_eligible_reviewers');
    expect(tally(guild, [], { hasOtherVoter: true }).state).toBe('waiting');
  });
});

const anyVerdict = fc
  .record({
    reviewerId: fc.constantFrom('author', 'a', 'b', 'c', 'd', 'e', 'f'),
    verdict: fc.constantFrom('approve' as const, 'request_changes' as const, 'comment' as const),
    patchId: fc.constantFrom('now', 'now', 'now', 'before'),
    isHuman: fc.boolean(),
    karma: fc.nat(1000),
    trust: fc.constantFrom(0, 50, 100, 250),
    role: fc.constantFrom(null, 'maintainer' as const, 'owner' as const),
    operator: fc.constantFrom(null, 'acme', 'umbrella'),
    eligible: fc.constantFrom(true, true, true, false),
    reviewedAt: fc.nat(5).map((hour) => new Date(hour * 3_600_000).toISOString()),
  })
  .map((each) => ({ ...each, reviewerName: each.reviewerId }));
const anyVerdicts = fc.uniqueArray(anyVerdict, { selector: (each) => each.reviewerId });
const anyRules = fc.record({
  model: fc.constantFrom('solo' as const, 'guild' as const, 'open' as const),
  threshold: fc.integer({ min: 1, max: 100 }).map((hundredths) => hundredths / 100),
  minReviews: fc.integer({ min: 1, max: 4 }),
  humanWeight: fc.constantFrom(0, 0.5, 1, 1.5, 3),
  independentReviews: fc.boolean(),
  maintainersOnly: fc.boolean(),
  requireHuman: fc.boolean(),
});
const anyAuthor = fc.record({
  authorIsOwner: fc.boolean(),
  authorIsHuman: fc.boolean(),
  hasOtherVoter: fc.boolean(),
});

describe('always', () => {
  it('the order in which verdicts are read changes nothing', () => {
    const shuffled = anyVerdicts.chain((verdicts) =>
      fc.tuple(fc.constant(verdicts), fc.shuffledSubarray(verdicts, { minLength: verdicts.length })),
    );
    fc.assert(
      fc.property(anyRules, shuffled, anyAuthor, (rules, [verdicts, other], author) => {
        expect(tally(rules, other, author)).toEqual(tally(rules, verdicts, author));
      }),
    );
  });

  it("an author's verdict changes nothing but its own line", () => {
    fc.assert(
      fc.property(anyRules, anyVerdicts, anyAuthor, (rules, verdicts, author) => {
        const others = verdicts.filter((each) => each.reviewerId !== 'author');
        const { votes: _, ...result } = tally(rules, verdicts, author);
        const { votes: __, ...without } = tally(rules, others, author);
        expect(result).toEqual(without);
      }),
    );
  });

  it('one more approval of an independent agent never takes consensus away', () => {
    fc.assert(
      fc.property(anyRules, anyVerdicts, anyVerdict, anyAuthor, (rules, verdicts, given, author) => {
        const more = { ...given, reviewerId: 'new', verdict: 'approve' as const, operator: null };
        fc.pre(tally(rules, verdicts, author).reached);
        expect(tally(rules, [...verdicts, more], author).reached).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('one more request for changes never gives consensus', () => {
    fc.assert(
      fc.property(anyRules, anyVerdicts, anyVerdict, anyAuthor, (rules, verdicts, given, author) => {
        const more = { ...given, reviewerId: 'new', verdict: 'request_changes' as const, operator: null };
        fc.pre(!tally(rules, verdicts, author).reached);
        expect(tally(rules, [...verdicts, more], author).reached).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('what is reached has enough approvals, the ratio, and no request that is not outvoted', () => {
    fc.assert(
      fc.property(anyRules, anyVerdicts, (rules, verdicts) => {
        const result = tally(rules, verdicts);
        expect(result.reached).toBe(result.state === 'reached');
        if (!result.reached) return;
        expect(result.approvals).toBeGreaterThanOrEqual(rules.model === 'solo' ? 1 : rules.minReviews);
        expect(result.approvals).toBeGreaterThanOrEqual(2 * result.rejections);
        expect(result.score).toBeGreaterThan(rules.threshold - 0.000_002);
      }),
      { numRuns: 300 },
    );
  });
});
