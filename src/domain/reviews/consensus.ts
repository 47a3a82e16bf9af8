import type * as z from 'zod';
import type { OwnershipModel } from '../../contract/repo-files.ts';
import type { ConsensusState, Verdict, Vote } from '../../contract/reviews.ts';

/** A reviewer's standing verdict as the rule sees it. */
export interface StandingVerdict {
  reviewerId: string;
  reviewerName: string;
  verdict: Verdict;
  patchId: string;
  isHuman: boolean;
  karma: number;
  /** In hundredths: 100 unless an owner has given this agent more or less weight. */
  trust: number;
  role: 'maintainer' | 'owner' | null;
  operator: string | null;
  /** May still write to the repository and is not suspended. */
  eligible: boolean;
  reviewedAt: string;
}

export interface ConsensusRules {
  model: OwnershipModel;
  /** 0 to 1. */
  threshold: number;
  minReviews: number;
  humanWeight: number;
  independentReviews: boolean;
  /** Gated mode, a branch rule or a touched `.gitswarm/` file: only maintainers' verdicts count. */
  maintainersOnly: boolean;
  requireHuman: boolean;
}

export interface ConsensusFacts {
  rules: ConsensusRules;
  /** The patch that is to land; verdicts on another one are stale. */
  patchId: string;
  authorIds: string[];
  authorIsOwner: boolean;
  /** A person wrote it, so that in a solo repository its owner's own work needs no other person. */
  authorIsHuman: boolean;
  verdicts: StandingVerdict[];
  /** Somebody but the authors could give a verdict that counts. */
  hasOtherVoter: boolean;
}

export interface ConsensusResult {
  state: z.infer<typeof ConsensusState>;
  reached: boolean;
  threshold: number;
  /** Approving weight over all counted weight, 0 where nothing counts. */
  score: number;
  minReviews: number;
  approvals: number;
  rejections: number;
  votes: Vote[];
  reasons: string[];
}

type Counted = Vote & { units: bigint };

/** Weights are compared as integers: millionths for the vote, hundredths for the threshold. */
const UNIT = 1_000_000;

/**
 * Whether a stream may land, with every vote and why it counts or not. A pure function of its facts: the same log of
 * verdicts gives the same answer on every machine and database.
 */
export function tallyConsensus(facts: ConsensusFacts): ConsensusResult {
  const { rules } = facts;
  const votes = countVotes(facts);
  const counted = votes.filter((vote) => vote.counts);
  const approving = counted.filter((vote) => vote.verdict === 'approve');
  const rejecting = counted.filter((vote) => vote.verdict === 'request_changes');
  const yes = sum(approving);
  const total = yes + sum(rejecting);
  const score = total === 0n ? 0 : Number((yes * 1_000_000n) / total) / 1_000_000;
  const result = (state: ConsensusResult['state'], ...reasons: string[]): ConsensusResult => ({
    state,
    reached: state === 'reached',
    threshold: rules.threshold,
    score,
    minReviews: rules.minReviews,
    approvals: approving.length,
    rejections: rejecting.length,
    votes: votes.map(({ units: _units, ...vote }) => vote),
    reasons,
  });

  if (rules.model === 'solo' && facts.authorIsOwner && (!rules.requireHuman || facts.authorIsHuman)) {
    return result('reached', 'owner_is_author: the owner lands own work in a solo repository');
  }
  if (approving.length < 2 * rejecting.length && rejecting.length > 0) {
    return result('blocked', `${rejecting.length} ask for changes; each must be outvoted by two approvals`);
  }
  if (rules.requireHuman && approving.length > 0 && !approving.some((vote) => isHuman(facts, vote))) {
    return result('waiting', 'the repository requires the approval of a person');
  }
  const needed = rules.model === 'solo' ? 1 : rules.minReviews;
  if (approving.length < needed) {
    if (counted.length === 0 && !facts.hasOtherVoter) {
      return result('no_eligible_reviewers', 'nobody but the author could give a verdict that counts');
    }
    const state = counted.length === 0 ? 'waiting' : 'insufficient_reviews';
    return result(state, `${approving.length} of ${needed} approvals that count`);
  }
  const hundredths = BigInt(Math.round(rules.threshold * 100));
  if (yes * 100n < hundredths * total) {
    return result('blocked', `${score.toFixed(2)} of the weight approves; ${rules.threshold} is needed`);
  }
  return result('reached', `${score.toFixed(2)} of the weight approves (needed ${rules.threshold})`);
}

function countVotes(facts: ConsensusFacts): Counted[] {
  const seenOperators = new Set<string>();
  const ordered = [...facts.verdicts].sort(
    (a, b) => compare(a.reviewedAt, b.reviewedAt) || compare(a.reviewerId, b.reviewerId),
  );
  return ordered.map((verdict) => {
    const weight = weightOf(facts.rules, verdict);
    const why = whyNot(facts, verdict, seenOperators) ?? (weight === 0n ? 'it has no weight here' : null);
    if (why === null && verdict.operator) seenOperators.add(verdict.operator);
    return {
      reviewer: verdict.reviewerId,
      reviewerName: verdict.reviewerName,
      verdict: verdict.verdict,
      weight: Number(weight) / UNIT,
      counts: why === null,
      why: why ?? whyCounts(facts.rules, verdict),
      units: weight,
    };
  });
}

/** The reason why a verdict does not count, or null. */
function whyNot(facts: ConsensusFacts, verdict: StandingVerdict, seenOperators: Set<string>): string | null {
  const { rules } = facts;
  if (facts.authorIds.includes(verdict.reviewerId)) return 'authors do not judge their own stream';
  if (verdict.verdict === 'comment') return 'a comment is no verdict';
  if (!verdict.eligible) return 'the reviewer no longer has write access';
  if (verdict.patchId !== facts.patchId) return 'stale: the change has been altered since';
  const voiceless = whyVoiceless(rules, verdict.role);
  if (voiceless) return voiceless;
  if (rules.independentReviews && verdict.operator && seenOperators.has(verdict.operator)) {
    return `another verdict of ${verdict.operator} counts already`;
  }
  return null;
}

/** Why nobody with this role decides here, or null. */
export function whyVoiceless(rules: ConsensusRules, role: StandingVerdict['role']): string | null {
  if (rules.model === 'solo' && role !== 'owner') return 'only an owner decides in a solo repository';
  if (rules.model === 'guild' && role === null) return 'only maintainers decide in a guild';
  if (rules.maintainersOnly && role === null) return 'only maintainers decide about this change';
  return null;
}

function whyCounts(rules: ConsensusRules, verdict: StandingVerdict): string {
  const role = verdict.role ?? 'reviewer';
  return rules.model === 'open' ? `${role}, weighted by karma` : role;
}

/** solo 1; guild 1; open sqrt(karma + 1); in guild and open times a person's weight and the trust given. In millionths. */
function weightOf(rules: ConsensusRules, verdict: StandingVerdict): bigint {
  const base = rules.model === 'open' ? Math.sqrt(Math.max(0, verdict.karma) + 1) : 1;
  const factor = verdict.isHuman && rules.model !== 'solo' ? rules.humanWeight : 1;
  const units = BigInt(Math.round(base * factor * UNIT));
  return rules.model === 'solo' ? units : (units * BigInt(verdict.trust)) / 100n;
}

function isHuman(facts: ConsensusFacts, vote: Vote): boolean {
  return facts.verdicts.some((verdict) => verdict.reviewerId === vote.reviewer && verdict.isHuman);
}

function sum(votes: Counted[]): bigint {
  return votes.reduce((total, vote) => total + vote.units, 0n);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
