import picomatch from 'picomatch';
import type { BranchRule, RepoConfig } from '../../contract/repo-files.ts';
import type { AccessLevel } from '../../contract/repos.ts';

/** What governs a branch after the repository's settings and every matching rule have been put together. */
export interface BranchPolicy {
  threshold: number;
  minReviews: number;
  requireTests: boolean;
  maintainersOnly: boolean;
  directPush: BranchRule['direct_push'];
  rules: string[];
}

/**
 * The strictest of the repository's settings and all matching rules holds; of the thresholds, that of the matching
 * rule with the highest priority.
 */
export function branchPolicy(branch: string, config: RepoConfig): BranchPolicy {
  const matching = config.branch_rules
    .filter((rule) => rule.pattern === branch || picomatch.isMatch(branch, rule.pattern))
    .sort((a, b) => b.priority - a.priority);
  const withThreshold = matching.find((rule) => rule.consensus_threshold !== undefined);
  return {
    threshold: withThreshold?.consensus_threshold ?? config.consensus_threshold,
    minReviews: Math.max(config.min_reviews, ...matching.map((rule) => rule.required_approvals)),
    requireTests: matching.some((rule) => rule.require_tests_pass),
    maintainersOnly:
      config.merge_mode === 'gated' || matching.some((r) => r.merge_restriction === 'maintainers_only'),
    directPush: strictestPush(matching),
    rules: matching.map((rule) => rule.pattern),
  };
}

function strictestPush(rules: BranchRule[]): BranchRule['direct_push'] {
  const order: BranchRule['direct_push'][] = ['none', 'maintainers', 'all'];
  if (rules.length === 0) return 'none';
  return rules
    .map((rule) => rule.direct_push)
    .reduce((a, b) => (order.indexOf(a) < order.indexOf(b) ? a : b));
}

const PUSHERS: Record<BranchRule['direct_push'], AccessLevel | null> = {
  none: null,
  maintainers: 'maintain',
  all: 'write',
};

/**
 * What it takes to move a ref without a landing; null where nobody may. Buffer and target are moved past their rules by
 * nobody; other branches are an owner's where no rule opens them, and so are tags. No rule opens the branch of a stream,
 * on which its authors alone commit.
 */
export function levelToPush(ref: string, config: RepoConfig): AccessLevel | null {
  if (!ref.startsWith('refs/heads/')) return 'admin';
  const branch = ref.slice('refs/heads/'.length);
  if (branch.startsWith('stream/')) return 'admin';
  const isGoverned = branch === config.buffer_branch || branch === config.promote_target;
  return PUSHERS[branchPolicy(branch, config).directPush] ?? (isGoverned ? null : 'admin');
}

/** The least that lets anybody push anything here. */
export function leastLevelToPush(config: RepoConfig): AccessLevel {
  const values = new Set(config.branch_rules.map((rule) => rule.direct_push));
  return values.has('all') ? 'write' : values.has('maintainers') ? 'maintain' : 'admin';
}

/** What the rules say of a branch that moved without a landing, in a few words. */
export function sayDirectPush(branch: string, config: RepoConfig): string {
  const { directPush, rules } = branchPolicy(branch, config);
  const by = rules.length === 0 ? 'where no rule says otherwise' : `by the rule for ${rules.join(', ')}`;
  return `direct_push of ${branch} is ${directPush} ${by}`;
}

/** True where a change touches GitSwarm's own settings: then a maintainer other than its author must agree. */
export function touchesSettings(paths: string[]): boolean {
  return paths.some(
    (path) => path.toLowerCase() === '.gitswarm' || path.toLowerCase().startsWith('.gitswarm/'),
  );
}
