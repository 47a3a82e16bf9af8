import type { CouncilVote, ProposalStatus, ProposalType } from '../../contract/proposals.ts';

/** What can be taken back by another vote is standard; what changes who decides, or what everybody gets, is critical. */
const TIERS: Record<ProposalType, 'standard' | 'critical'> = {
  add_maintainer: 'standard',
  modify_access: 'standard',
  merge_stream: 'standard',
  reorder_queue: 'standard',
  remove_maintainer: 'critical',
  change_settings: 'critical',
  revert_stream: 'critical',
  promote: 'critical',
};

export function tierOf(type: ProposalType): 'standard' | 'critical' {
  return TIERS[type];
}

/** Seven days. */
export const PROPOSAL_LIFE_MS = 7 * 86_400_000;

export interface Ballot {
  /** How many may vote now. */
  seats: number;
  quorum: number;
  /** Only votes of those who are seated now. */
  votes: readonly CouncilVote[];
  isOver: boolean;
}

export interface Tally {
  for: number;
  against: number;
  abstain: number;
  status: Extract<ProposalStatus, 'open' | 'passed' | 'rejected' | 'expired'>;
}

/**
 * What a vote has come to. It is decided before its time as soon as there is a quorum and the open votes can no longer
 * change the outcome; at its end by what is there, or not at all without a quorum. A tie rejects.
 */
export function tally({ seats, quorum, votes, isOver }: Ballot): Tally {
  const number = (vote: CouncilVote) => votes.filter((each) => each === vote).length;
  const counts = { for: number('for'), against: number('against'), abstain: number('abstain') };
  const isQuorate = votes.length >= quorum;
  const open = Math.max(0, seats - votes.length);
  if (isQuorate && (isOver || counts.for > counts.against + open || counts.for + open <= counts.against)) {
    return { ...counts, status: counts.for > counts.against ? 'passed' : 'rejected' };
  }
  return { ...counts, status: isOver ? 'expired' : 'open' };
}
