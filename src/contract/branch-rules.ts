import * as z from 'zod';
import { Id, line } from './common.ts';
import { endpoint } from './endpoint.ts';
import { BranchRule } from './repo-files.ts';

/** The rules in force, those of the highest priority first, and what they come to for buffer and target. */
export const BranchRules = z.object({
  items: z.array(BranchRule),
  governs: z.array(
    z.object({
      branch: z.string(),
      rules: z.array(z.string()),
      /** Null for the target: a promotion moves what was judged before. */
      threshold: z.number().nullable(),
      minReviews: z.number().int().nullable(),
      requireTests: z.boolean(),
      maintainersOnly: z.boolean(),
      directPush: z.enum(['none', 'maintainers', 'all']),
    }),
  ),
});
export type BranchRules = z.infer<typeof BranchRules>;

export const listBranchRules = endpoint('branch_rule.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/branch-rules',
  input: z.object({ repoId: Id }),
  output: BranchRules,
}));

/** Adds a rule; one for the same pattern is refused as existing already. */
export const addBranchRule = endpoint('branch_rule.add', () => ({
  method: 'POST',
  path: '/repos/:repoId/branch-rules',
  input: z.object({ repoId: Id, rule: BranchRule, fileWritten: z.boolean().default(false) }),
  output: BranchRules,
}));

/** Changes what is given of the rule for this pattern. */
export const updateBranchRule = endpoint('branch_rule.update', () => ({
  method: 'PATCH',
  path: '/repos/:repoId/branch-rules/:pattern',
  input: z.object({
    repoId: Id,
    pattern: line(255),
    changes: z.record(z.string(), z.unknown()),
    fileWritten: z.boolean().default(false),
  }),
  output: BranchRules,
}));

export const removeBranchRule = endpoint('branch_rule.remove', () => ({
  method: 'DELETE',
  path: '/repos/:repoId/branch-rules/:pattern',
  input: z.object({ repoId: Id, pattern: line(255), fileWritten: z.boolean().default(false) }),
  output: BranchRules,
}));
