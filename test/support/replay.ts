import type { BudgetEntryType } from '../../src/contract/budgets.ts';
import type { SwarmEvent } from '../../src/contract/events.ts';
import type { CouncilVote, ProposalType } from '../../src/contract/proposals.ts';
import { book, type Holdings, NOTHING } from '../../src/domain/budgets/budget-rules.ts';
import { effectiveQuorum } from '../../src/domain/councils/council-rules.ts';
import { tally, tierOf } from '../../src/domain/councils/proposal-rules.ts';
import { type StandingVerdict, tallyConsensus } from '../../src/domain/reviews/consensus.ts';

interface Person {
  id: string;
  name: string;
  kind: string;
  karma: number;
  role: 'owner' | 'maintainer' | null;
}

interface Decisions {
  budget: Holdings;
  karma: Record<string, number>;
  proposals: Record<string, string>;
  consensus: Record<string, { state: string; score: number; votes: [string, number, boolean][] }>;
}

const BUDGET: Record<string, BudgetEntryType> = {
  'budget.deposited': 'deposit',
  'budget.withdrawn': 'withdrawal',
  'budget.reserved': 'bounty_reserve',
  'budget.released': 'bounty_release',
  'budget.paid': 'payout',
};

/**
 * Every decision once more, from what the log tells and the pure rules alone: no row is looked at. Settings are those of
 * the repository's beginning.
 */
export function replay(log: readonly SwarmEvent[]): Decisions {
  const people = new Map<string, Person>();
  const streams = new Map<
    string,
    { author: string; patch: string; verdicts: Map<string, StandingVerdict> }
  >();
  const proposals = new Map<
    string,
    { type: ProposalType; votes: Map<string, CouncilVote>; status: string }
  >();
  const seats = new Set<string>();
  let quorum = { standard: 3, critical: 5 };
  let rules = {
    model: 'guild' as 'solo' | 'guild' | 'open',
    threshold: 0.66,
    minReviews: 1,
    humanWeight: 1.5,
  };
  let budget: Holdings = NOTHING;
  let minMembers = 1;

  /** An active council's open votes, by those who are seated now. */
  const count = () => {
    if (seats.size < minMembers) return;
    for (const proposal of proposals.values()) {
      if (proposal.status !== 'open') continue;
      proposal.status = tally({
        seats: seats.size,
        quorum: effectiveQuorum(quorum[tierOf(proposal.type)], seats.size),
        votes: [...proposal.votes].filter(([id]) => seats.has(id)).map(([, vote]) => vote),
        isOver: false,
      }).status;
    }
  };

  for (const { type, data, subject, actorId, createdAt } of log) {
    const actor = people.get(actorId ?? '');
    const movement = BUDGET[type];
    if (movement) {
      const booking = book(budget, movement, Number(data.amount));
      if (booking.kind === 'refused') throw new Error(`the log books ${movement} of too much`);
      budget = booking.holdings;
    }
    switch (type) {
      case 'repo.created': {
        const config = data.config as {
          consensus_threshold: number;
          min_reviews: number;
          human_review_weight: number;
        };
        rules = {
          model: data.ownershipModel as 'guild',
          threshold: config.consensus_threshold,
          minReviews: config.min_reviews,
          humanWeight: config.human_review_weight,
        };
        break;
      }
      case 'agent.registered':
        people.set(subject.id, {
          id: subject.id,
          name: String(data.name),
          kind: String(data.kind),
          karma: 0,
          role: null,
        });
        break;
      case 'maintainer.added':
      case 'maintainer.removed': {
        const person = people.get(subject.id);
        if (person) person.role = type === 'maintainer.added' ? (data.role as 'owner') : null;
        break;
      }
      case 'karma.changed': {
        const person = people.get(subject.id);
        if (person) person.karma += Number(data.amount);
        break;
      }
      case 'stream.created':
        streams.set(subject.id, { author: actorId ?? '', patch: '', verdicts: new Map() });
        break;
      case 'stream.committed':
      case 'stream.submitted': {
        const stream = streams.get(subject.id);
        if (stream) stream.patch = String(data.patchId);
        break;
      }
      case 'review.submitted': {
        if (data.verdict === 'comment' || data.block !== null || !actor) break;
        streams.get(subject.id)?.verdicts.set(actor.id, {
          reviewerId: actor.id,
          reviewerName: actor.name,
          verdict: data.verdict as 'approve',
          patchId: String(data.patchId),
          isHuman: actor.kind === 'human',
          karma: 0,
          trust: 100,
          role: null,
          operator: null,
          eligible: true,
          reviewedAt: createdAt,
        });
        break;
      }
      case 'council.created':
        quorum = { standard: Number(data.standardQuorum), critical: Number(data.criticalQuorum) };
        minMembers = Number(data.minMembers);
        break;
      case 'council.seated':
        seats.add(subject.id);
        count();
        break;
      case 'council.unseated':
        seats.delete(subject.id);
        count();
        break;
      case 'proposal.created':
        proposals.set(subject.id, { type: data.type as ProposalType, votes: new Map(), status: 'open' });
        break;
      case 'proposal.withdrawn': {
        const proposal = proposals.get(subject.id);
        if (proposal) proposal.status = 'withdrawn';
        break;
      }
      case 'proposal.voted': {
        const proposal = proposals.get(subject.id);
        if (proposal?.status !== 'open') throw new Error('the log has a vote on what is not open');
        proposal.votes.set(actorId ?? '', data.vote as CouncilVote);
        count();
        break;
      }
      default:
    }
  }

  const consensus: Decisions['consensus'] = {};
  for (const [id, stream] of streams) {
    const verdicts = [...stream.verdicts.values()].map((verdict) => {
      const person = people.get(verdict.reviewerId);
      return { ...verdict, karma: person?.karma ?? 0, role: person?.role ?? null };
    });
    const result = tallyConsensus({
      rules: { ...rules, independentReviews: false, maintainersOnly: false, requireHuman: false },
      patchId: stream.patch,
      authorIds: [stream.author],
      authorIsOwner: people.get(stream.author)?.role === 'owner',
      authorIsHuman: people.get(stream.author)?.kind === 'human',
      verdicts,
      hasOtherVoter: true,
    });
    const votes = result.votes.map((vote): [string, number, boolean] => [
      vote.reviewerName,
      vote.weight,
      vote.counts,
    ]);
    consensus[id] = { state: result.state, score: result.score, votes };
  }
  const earners = [...people.values()].filter((person) => !person.name.startsWith('council of '));
  return {
    budget,
    karma: Object.fromEntries(earners.map((person) => [person.name, person.karma])),
    proposals: Object.fromEntries([...proposals].map(([id, proposal]) => [id, proposal.status])),
    consensus,
  };
}
