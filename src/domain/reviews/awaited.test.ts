import { expect, it } from 'vitest';
import { lacksVerdictOf, type Voter } from './awaited.ts';
import type { ConsensusFacts, ConsensusRules, StandingVerdict } from './consensus.ts';

const voter = (name: string, changes: Partial<Voter> = {}): Voter => ({
  reviewerId: name,
  reviewerName: name,
  isHuman: false,
  karma: 0,
  trust: 100,
  role: 'maintainer',
  operator: null,
  eligible: true,
  ...changes,
});

const verdict = (name: string, changes: Partial<StandingVerdict> = {}): StandingVerdict => ({
  ...voter(name),
  verdict: 'approve',
  patchId: 'now',
  reviewedAt: '2030-01-01T00:00:00.000Z',
  ...changes,
});

function facts(rules: Partial<ConsensusRules> = {}, verdicts: StandingVerdict[] = []): ConsensusFacts {
  return {
    rules: {
      model: 'guild',
      threshold: 0.66,
      minReviews: 2,
      humanWeight: 1.5,
      independentReviews: false,
      maintainersOnly: false,
      requireHuman: false,
      ...rules,
    },
    patchId: 'now',
    authorIds: ['author'],
    authorIsOwner: false,
    authorIsHuman: false,
    verdicts,
    hasOtherVoter: true,
  };
}

const fleet = voter('ann', { operator: 'acme' });
const person = voter('Grace', { isHuman: true });

it.each<[why: string, ConsensusFacts, Voter, boolean]>([
  ['one who decides here and has not judged', facts(), voter('ann'), true],
  ['one whose verdict is stale', facts({}, [verdict('ann', { patchId: 'before' })]), voter('ann'), true],
  ['one who approves already', facts({}, [verdict('ann')]), voter('ann'), false],
  [
    'one who asks for changes',
    facts({}, [verdict('ann', { verdict: 'request_changes' })]),
    voter('ann'),
    false,
  ],
  ['an author', facts(), voter('author'), false],
  ['one without a role in a guild', facts(), voter('ann', { role: null }), false],
  ['one without a role where all decide', facts({ model: 'open' }), voter('ann', { role: null }), true],
  ['one who may not write', facts(), voter('ann', { eligible: false }), false],
  ['one who is not trusted', facts(), voter('ann', { trust: 0 }), false],
  [
    'a second of an operator',
    facts({ independentReviews: true }, [verdict('bob', { operator: 'acme' })]),
    fleet,
    false,
  ],
  ['a second of an operator, all counting', facts({}, [verdict('bob', { operator: 'acme' })]), fleet, true],
  [
    'an agent where all lacks but a person',
    facts({ requireHuman: true, minReviews: 1 }, [verdict('bob')]),
    fleet,
    false,
  ],
  ['a person there', facts({ requireHuman: true, minReviews: 1 }, [verdict('bob')]), person, true],
  ['an agent where more is missing', facts({ requireHuman: true }, [verdict('bob')]), fleet, true],
])('%s', (_why, stands, who, lacks) => {
  expect(lacksVerdictOf(stands, who)).toBe(lacks);
});
