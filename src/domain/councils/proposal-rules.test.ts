import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CouncilVote, ProposalType } from '../../contract/proposals.ts';
import { effectiveQuorum } from './council-rules.ts';
import { tally, tierOf } from './proposal-rules.ts';

const votes = (text: string): CouncilVote[] =>
  [...text].map((letter) => (letter === 'f' ? 'for' : letter === 'a' ? 'against' : 'abstain'));

it.each([
  ['ff', 3, 3, false, 'open', 'no quorum yet'],
  ['ff', 3, 2, false, 'passed', 'the third cannot turn it'],
  ['fff', 3, 3, false, 'passed', 'all voted'],
  ['aa', 3, 2, false, 'rejected', 'the third cannot turn it'],
  ['fa', 2, 2, false, 'rejected', 'a tie rejects'],
  ['fa', 3, 2, false, 'open', 'the third decides'],
  ['fa', 3, 2, true, 'rejected', 'a tie at the end rejects'],
  ['f', 3, 2, true, 'expired', 'no quorum at the end'],
  ['f-', 3, 2, true, 'passed', 'who abstains counts for the quorum'],
  ['f-', 3, 2, false, 'open', 'the third could make it a tie'],
  ['---', 3, 3, false, 'rejected', 'nobody wants it'],
  ['', 3, 2, true, 'expired', 'nobody voted'],
] as const)(
  '%s of %i seats with a quorum of %i (over: %s) is %s: %s',
  (cast, seats, quorum, isOver, status, _why) => {
    expect(tally({ votes: votes(cast), seats, quorum, isOver }).status).toBe(status);
  },
);

it('what was decided early no later vote could have changed', () => {
  const ballot = fc.record({
    seats: fc.integer({ min: 1, max: 11 }),
    configured: fc.integer({ min: 1, max: 11 }),
    cast: fc.array(fc.constantFrom(...CouncilVote.options), { maxLength: 11 }),
    rest: fc.array(fc.constantFrom(...CouncilVote.options), { maxLength: 11 }),
  });
  fc.assert(
    fc.property(ballot, ({ seats, configured, cast, rest }) => {
      const quorum = effectiveQuorum(configured, seats);
      const early = cast.slice(0, seats);
      const before = tally({ seats, quorum, votes: early, isOver: false }).status;
      const all = [...early, ...rest].slice(0, seats);
      const after = tally({ seats, quorum, votes: all, isOver: true }).status;
      expect(after).not.toBe('open');
      if (before !== 'open') expect(after).toBe(before);
    }),
  );
});

it('the order of votes does not matter', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...CouncilVote.options), { maxLength: 9 }), (cast) => {
      const ballot = { seats: 9, quorum: 5, isOver: true };
      expect(tally({ ...ballot, votes: cast })).toEqual(tally({ ...ballot, votes: cast.toReversed() }));
    }),
  );
});

it('half of the types are critical', () => {
  expect(ProposalType.options.filter((type) => tierOf(type) === 'critical')).toEqual([
    'remove_maintainer',
    'change_settings',
    'revert_stream',
    'promote',
  ]);
});
