import { type ConsensusFacts, type StandingVerdict, tallyConsensus } from './consensus.ts';

/** One who may judge, with everything a verdict of theirs would be counted by. */
export type Voter = Omit<StandingVerdict, 'verdict' | 'patchId' | 'reviewedAt'>;

/** Sorts behind every time there is: whoever judged before counts before. */
const LAST = '~';

/**
 * Whether a verdict of this agent on what the stream holds now would count, and is not there yet. The tally itself is
 * asked, so that nobody is named whose verdict it then leaves out.
 */
export function lacksVerdictOf(facts: ConsensusFacts, voter: Voter): boolean {
  const isVoters = (verdict: StandingVerdict) => verdict.reviewerId === voter.reviewerId;
  if (facts.verdicts.some((verdict) => isVoters(verdict) && verdict.patchId === facts.patchId)) return false;
  if (!voter.isHuman && lacksOnlyAPerson(facts)) return false;
  const added: StandingVerdict = {
    ...voter,
    verdict: 'approve',
    patchId: facts.patchId,
    reviewedAt: LAST,
  };
  const verdicts = [...facts.verdicts.filter((verdict) => !isVoters(verdict)), added];
  return tallyConsensus({ ...facts, verdicts }).votes.some(
    (vote) => vote.reviewer === voter.reviewerId && vote.counts,
  );
}

/** True where all is there but the approval of a person: another agent's would change nothing. */
function lacksOnlyAPerson(facts: ConsensusFacts): boolean {
  if (!facts.rules.requireHuman) return false;
  return tallyConsensus({ ...facts, rules: { ...facts.rules, requireHuman: false } }).reached;
}
