import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BranchRule, RepoConfig } from '../../contract/repo-files.ts';
import { branchPolicy, levelToPush, touchesSettings } from './branch-rules.ts';

type Rule = Partial<BranchRule> & { pattern: string };

function policy(branch: string, rules: Rule[], config: Partial<RepoConfig> = {}) {
  return branchPolicy(branch, RepoConfig.parse({ ...config, branch_rules: rules }));
}

describe('what governs a branch', () => {
  it('without a rule are the settings of the repository', () => {
    expect(policy('buffer', [{ pattern: 'other' }])).toEqual({
      threshold: 0.66,
      minReviews: 1,
      requireTests: false,
      maintainersOnly: false,
      directPush: 'none',
      rules: [],
    });
  });

  it.each([
    ['buffer', 'buffer', true],
    ['release/*', 'release/1', true],
    ['release/*', 'release/1/2', false],
    ['release/**', 'release/1/2', true],
    ['{main,buffer}', 'buffer', true],
    ['buf', 'buffer', false],
    ['feature[1]', 'feature[1]', true],
  ])('rule %s and branch %s', (pattern, branch, matches) => {
    expect(policy(branch, [{ pattern }]).rules).toEqual(matches ? [pattern] : []);
  });

  it('the strictest of settings and rules holds', () => {
    const rules: Rule[] = [
      { pattern: '*', required_approvals: 2, direct_push: 'all' },
      { pattern: 'buffer', required_approvals: 0, require_tests_pass: true, direct_push: 'maintainers' },
      { pattern: 'b*', merge_restriction: 'maintainers_only', direct_push: 'all' },
    ];
    expect(policy('buffer', rules, { min_reviews: 1 })).toMatchObject({
      minReviews: 2,
      requireTests: true,
      maintainersOnly: true,
      directPush: 'maintainers',
    });
    expect(policy('buffer', rules, { min_reviews: 3 }).minReviews).toBe(3);
  });

  it('the threshold is that of the matching rule with the highest priority that has one', () => {
    const rules: Rule[] = [
      { pattern: '*', priority: 1, consensus_threshold: 0.9 },
      { pattern: 'buffer', priority: 5, consensus_threshold: 0.5 },
      { pattern: 'buffer', priority: 9 },
      { pattern: 'other', priority: 99, consensus_threshold: 1 },
    ];
    expect(policy('buffer', rules).threshold).toBe(0.5);
    expect(policy('main', rules).threshold).toBe(0.9);
  });

  it('in gated mode only maintainers land, with or without a rule', () => {
    expect(policy('buffer', [], { merge_mode: 'gated' }).maintainersOnly).toBe(true);
  });

  it('one more rule never loosens anything but the threshold', () => {
    const anyRule = fc.record({
      pattern: fc.constantFrom('*', 'buffer', 'main'),
      required_approvals: fc.nat(5),
      require_tests_pass: fc.boolean(),
      merge_restriction: fc.constantFrom(undefined, 'maintainers_only' as const),
    });
    fc.assert(
      fc.property(fc.array(anyRule), anyRule, (rules, more) => {
        const [before, after] = [policy('buffer', rules), policy('buffer', [...rules, more])];
        expect(after.minReviews).toBeGreaterThanOrEqual(before.minReviews);
        expect(after.requireTests || !before.requireTests).toBe(true);
        expect(after.maintainersOnly || !before.maintainersOnly).toBe(true);
      }),
    );
  });
});

it.each([
  [['.gitswarm/config.yml'], true],
  [['src/a.ts', '.gitswarm/workflows/x.yml'], true],
  [['.GitSwarm/config.yml'], true],
  [['.gitswarm'], true],
  [['.gitswarm.md', 'docs/.gitswarm/config.yml', 'gitswarm/x'], false],
  [[], false],
])('%j touches the settings of GitSwarm: %s', (paths, touches) => {
  expect(touchesSettings(paths)).toBe(touches);
});

it.each([
  ['refs/heads/buffer', [], null],
  ['refs/heads/buffer', [{ pattern: 'buffer', direct_push: 'maintainers' }], 'maintain'],
  ['refs/heads/wip', [], 'admin'],
  ['refs/heads/wip', [{ pattern: '**', direct_push: 'all' }], 'write'],
  ['refs/heads/stream/one', [{ pattern: '**', direct_push: 'all' }], 'admin'],
  ['refs/tags/v1', [{ pattern: '**', direct_push: 'all' }], 'admin'],
] as [string, Rule[], string | null][])('to push %s under %j takes %s', (ref, rules, level) => {
  expect(levelToPush(ref, RepoConfig.parse({ branch_rules: rules }))).toBe(level);
});
