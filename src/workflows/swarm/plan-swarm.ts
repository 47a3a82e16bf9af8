import type { AccessLevel, Repo } from '../../contract/repos.ts';
import { includesLevel } from '../../domain/access/access.ts';
import { branchPolicy } from '../../domain/repos/branch-rules.ts';
import { type ConsensusResult, tallyConsensus } from '../../domain/reviews/consensus.ts';

/** An agent of the swarm as the rules see it. */
export interface Standing {
  name: string;
  level: AccessLevel | null;
  role: 'owner' | 'maintainer' | null;
  karma: number;
  isHuman: boolean;
}

export interface PlanFacts {
  repo: Repo;
  runner: Standing;
  workers: Standing[];
  reviewers: Standing[];
  trustReviewers: boolean;
  /** Commands of the repository that nobody has approved on this machine. */
  untrusted: string[];
}

export interface Missing {
  what: string;
  /** The command that grants it. */
  fix: string;
}

export interface SwarmPlan {
  possible: boolean;
  missing: Missing[];
  /** The way of a stream, in words, for `--plan`. */
  way: string[];
  /** Streams wait in review for people. */
  waitsForPeople: boolean;
}

/**
 * Whether a stream of these agents could reach consensus, land and be promoted under the rules in force, and what is
 * missing if not. A pure function, asked before anything is started.
 */
export function planSwarm(facts: PlanFacts): SwarmPlan {
  const missing = [...mayWork(facts), ...mayDecide(facts), ...mayLand(facts), ...mayPromote(facts)];
  return {
    possible: missing.length === 0,
    missing: missing.filter((each, i) => missing.findIndex((other) => other.fix === each.fix) === i),
    way: wayOf(facts),
    waitsForPeople: needsVerdicts(facts) && facts.reviewers.length === 0,
  };
}

function needsVerdicts({ repo }: PlanFacts): boolean {
  return repo.mergeMode !== 'swarm';
}

function mayWork({ repo, workers, reviewers }: PlanFacts): Missing[] {
  return [...workers, ...reviewers]
    .filter((agent) => !includesLevel(agent.level, 'write'))
    .map((agent) => ({
      what: `${agent.name} may not write to ${repo.name}`,
      fix: `gitswarm repo access grant ${agent.name} write`,
    }));
}

/** Asks the consensus rule itself, with every reviewer of the swarm approving. */
function mayDecide(facts: PlanFacts): Missing[] {
  const { repo, reviewers, runner, trustReviewers } = facts;
  if (!needsVerdicts(facts) || reviewers.length === 0) return [];
  if (trustReviewers && runner.role !== 'owner') {
    return [
      {
        what: `only an owner may trust reviewers, and ${runner.name} is none`,
        fix: 'gitswarm swarm … --as <owner>',
      },
    ];
  }
  const result = tally(facts);
  if (result.reached) return [];
  return [
    {
      what: `its ${reviewers.length} reviewers cannot reach consensus: ${why(facts, result)}`,
      fix: fixFor(facts, result, repo),
    },
  ];
}

function tally({ repo, workers, reviewers, trustReviewers }: PlanFacts): ConsensusResult {
  const policy = branchPolicy(repo.bufferBranch, repo.config);
  const patchId = 'any';
  return tallyConsensus({
    rules: {
      model: repo.ownershipModel,
      threshold: policy.threshold,
      minReviews: policy.minReviews,
      humanWeight: repo.config.human_review_weight,
      independentReviews: repo.config.independent_reviews,
      maintainersOnly: policy.maintainersOnly,
      requireHuman: repo.settings.require_human_approval,
    },
    patchId,
    authorIds: workers.map((worker) => worker.name),
    authorIsOwner: workers.every((worker) => worker.role === 'owner'),
    authorIsHuman: false,
    hasOtherVoter: reviewers.length > 0,
    verdicts: reviewers.map((reviewer, i) => ({
      reviewerId: reviewer.name,
      reviewerName: reviewer.name,
      verdict: 'approve',
      patchId,
      isHuman: reviewer.isHuman,
      karma: reviewer.karma,
      trust: 100,
      role: reviewer.role ?? (trustReviewers ? 'maintainer' : null),
      operator: null,
      eligible: includesLevel(reviewer.level, 'write'),
      reviewedAt: String(i),
    })),
  });
}

function why({ repo }: PlanFacts, result: ConsensusResult): string {
  const unheard = result.votes.find((vote) => !vote.counts);
  if (repo.settings.require_human_approval && unheard === undefined) return 'a person must approve';
  return unheard?.why ?? result.reasons.join('; ');
}

function fixFor({ reviewers, trustReviewers }: PlanFacts, result: ConsensusResult, repo: Repo): string {
  const unheard = result.votes.some((vote) => !vote.counts);
  if (unheard && repo.ownershipModel === 'solo') {
    return `gitswarm config set ownership_model guild${trustReviewers ? '' : ', then gitswarm swarm … --trust-reviewers'}`;
  }
  if (unheard) {
    return `gitswarm swarm … --trust-reviewers, or gitswarm repo maintainer add ${reviewers[0]?.name ?? 'reviewer-1'}`;
  }
  if (result.state === 'waiting')
    return 'leave out --reviewers and give the verdicts yourself: gitswarm review next';
  return `gitswarm swarm … --reviewers ${result.minReviews}`;
}

function mayLand({ repo, runner, untrusted }: PlanFacts): Missing[] {
  const missing: Missing[] = [];
  const policy = branchPolicy(repo.bufferBranch, repo.config);
  if (policy.maintainersOnly && !includesLevel(runner.level, 'maintain')) {
    missing.push({
      what: `only a maintainer lands streams here, and ${runner.name} is none`,
      fix: `gitswarm repo maintainer add ${runner.name}`,
    });
  }
  if (repo.queuePaused) missing.push({ what: 'the queue is paused', fix: 'gitswarm queue resume' });
  if (repo.frozenReason !== null) {
    missing.push({ what: `the queue is frozen: ${repo.frozenReason}`, fix: 'gitswarm queue unfreeze' });
  }
  for (const setting of untrusted) {
    missing.push({
      what: `${setting} has not been approved on this machine`,
      fix: 'gitswarm config trust --as <owner>',
    });
  }
  return missing;
}

function mayPromote({ repo, runner }: PlanFacts): Missing[] {
  if (includesLevel(runner.level, 'maintain')) return [];
  const policy = branchPolicy(repo.promoteTarget, repo.config);
  if (repo.config.auto_promote_on_green && repo.config.stabilize_command !== null && !policy.maintainersOnly)
    return [];
  return [
    {
      what: `${runner.name} may not promote to ${repo.promoteTarget}`,
      fix: `gitswarm repo maintainer add ${runner.name}`,
    },
  ];
}

function wayOf(facts: PlanFacts): string[] {
  const { repo, workers, reviewers, trustReviewers } = facts;
  const tests = repo.config.stabilize_command;
  const before = repo.mergeMode !== 'swarm' && tests !== null && (repo.config.test_before_merge ?? true);
  const verdicts =
    reviewers.length === 0
      ? 'a person judges it'
      : `${reviewers.map((each) => each.name).join(', ')} judge it`;
  return [
    `${workers.map((worker) => worker.name).join(', ')} work, each in a worktree of its own`,
    ...(needsVerdicts(facts)
      ? [`${verdicts}${trustReviewers ? ', as maintainers while the swarm runs' : ''}`]
      : []),
    before ? `it lands on ${repo.bufferBranch} if this passes: ${tests}` : `it lands on ${repo.bufferBranch}`,
    tests === null ? 'nothing tests the buffer' : `the buffer is tested: ${tests}`,
    `${repo.promoteTarget} moves to the newest ${tests === null ? '' : 'green '}commit`,
  ];
}
