import * as z from 'zod';
import { BranchName, line } from './common.ts';

/** The files a repository carries under `.gitswarm/`. */
export const CONFIG_PATH = '.gitswarm/config.yml';
export const JSON_CONFIG_PATH = '.gitswarm/config.json';

const Milliseconds = z
  .number()
  .int()
  .min(0)
  .max(366 * 86_400_000);

function toMilliseconds(value: number | string, context: z.RefinementCtx): number {
  const milliseconds = Milliseconds.safeParse(parseDuration(String(value)));
  if (milliseconds.success) return milliseconds.data;
  context.addIssue({ code: 'custom', message: 'expected seconds or a time such as 10m, 2h or 7d' });
  return z.NEVER;
}

/** Milliseconds, from what a person writes: seconds (`90`), or a number with a unit (`10m`, `2h`, `7d`). */
export const Duration = z.union([z.number(), z.string()]).transform(toMilliseconds);

/** A duration in parsed settings: a number is milliseconds, so that what was parsed and stored parses to itself. */
const KeptDuration = z.union([Milliseconds, z.string().transform(toMilliseconds)]);

const UNIT: Record<string, number> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)$/.exec(text.trim());
  const unit = UNIT[match?.[2] ?? ''];
  return match && unit ? Math.round(Number(match[1]) * unit) : undefined;
}

export const MergeMode = z.enum(['swarm', 'review', 'gated']);
export type MergeMode = z.infer<typeof MergeMode>;
export const OwnershipModel = z.enum(['solo', 'guild', 'open']);
export type OwnershipModel = z.infer<typeof OwnershipModel>;

/** A shell command line of the repository; it runs only after an owner approved its exact text on the machine. */
export const CommandLine = line(4000);
const Threshold = z.number().min(0.01).max(1);

/** A glob over the paths of a repository; it leads nowhere else. */
const PathPattern = line(1000).refine(
  (pattern) => !/^[/\\]|(?:^|\/)\.\.?(?:\/|$)/.test(pattern),
  'must be a pattern of paths inside the repository, such as plans/**/*.md',
);

export const BranchRule = z.strictObject({
  pattern: line(255),
  priority: z.number().int().min(-1000).max(1000).default(0),
  direct_push: z.enum(['none', 'maintainers', 'all']).default('none'),
  required_approvals: z.number().int().min(0).max(100).default(0),
  require_tests_pass: z.boolean().default(false),
  consensus_threshold: Threshold.optional(),
  merge_restriction: z.enum(['maintainers_only']).optional(),
});
export type BranchRule = z.infer<typeof BranchRule>;

/**
 * The settings that the repository owns (R4.3), as they are kept and passed on. Every key may be left out. The text
 * of `.gitswarm/config.yml` itself is read with `RepoConfigFile`.
 */
export const RepoConfig = z.strictObject({
  merge_mode: MergeMode.default('review'),
  buffer_branch: BranchName.default('buffer'),
  promote_target: BranchName.default('main'),
  auto_promote_on_green: z.boolean().default(false),
  auto_revert_on_red: z.boolean().default(true),
  stabilize_command: CommandLine.nullable().default(null),
  stabilize_timeout: KeptDuration.prefault('30m'),
  test_before_merge: z.boolean().nullable().default(null),
  consensus_threshold: Threshold.default(0.66),
  min_reviews: z.number().int().min(1).max(100).default(1),
  human_review_weight: z.number().min(0).max(100).default(1.5),
  independent_reviews: z.boolean().default(false),
  push: z.enum(['never', 'ask', 'auto']).default('never'),
  sandbox: z.enum(['required', 'auto', 'off']).default('auto'),
  author_email: line(200).default('{slug}@agents.gitswarm.local'),
  stale_stream_timeout: KeptDuration.nullable().default(null),
  branch_rules: z.array(BranchRule).max(200).default([]),
  workplans: z.array(PathPattern).max(50).default(['workplans/**/*.md']),
  workspace: z
    .strictObject({
      setup: CommandLine.nullable().default(null),
      copy: z.array(line(1000)).max(100).default([]),
      path: line(1000).nullable().default(null),
      sparse: z.boolean().default(false),
    })
    .prefault({}),
  queue: z
    .strictObject({
      runners: z.number().int().min(1).max(64).default(2),
      timeout: KeptDuration.prefault('30m'),
      lanes: z.enum(['file', 'directory', 'owner', 'none']).default('directory'),
    })
    .prefault({}),
});
export type RepoConfig = z.infer<typeof RepoConfig>;

/** `.gitswarm/config.yml` as people write it: there a bare number of a duration means seconds. */
export const RepoConfigFile = RepoConfig.extend({
  stabilize_timeout: Duration.prefault('30m'),
  stale_stream_timeout: Duration.nullable().default(null),
  queue: RepoConfig.shape.queue
    .unwrap()
    .extend({ timeout: Duration.prefault('30m') })
    .prefault({}),
});

/** Settings that the authority's database owns (R4.3); in the file they are ignored with a warning. */
export const ServerSettings = z.strictObject({
  agent_access: z.enum(['public', 'karma_threshold', 'allowlist']).default('public'),
  min_karma: z.number().int().min(0).default(0),
  is_private: z.boolean().default(false),
  ownership_model: OwnershipModel.default('solo'),
  plugins_enabled: z.boolean().default(true),
  require_human_approval: z.boolean().default(false),
  human_can_force_merge: z.boolean().default(true),
  max_bounty_per_issue: z.number().int().min(0).max(1_000_000_000).default(1000),
});
export type ServerSettings = z.infer<typeof ServerSettings>;

export const repoOwnedKeys = Object.keys(RepoConfig.shape);
export const serverOwnedKeys = [...Object.keys(ServerSettings.shape), 'stage'];
