import { SwarmError } from '../../contract/errors.ts';
import { BranchRule } from '../../contract/repo-files.ts';

export type RuleChange =
  | { kind: 'add'; rule: BranchRule }
  | { kind: 'update'; pattern: string; changes: Record<string, unknown> }
  | { kind: 'remove'; pattern: string };

/** The rules after a change; a pattern names one rule. Throws already_exists, not_found or invalid. */
export function changeRules(rules: readonly BranchRule[], change: RuleChange): BranchRule[] {
  const pattern = change.kind === 'add' ? change.rule.pattern : change.pattern;
  const existing = rules.find((rule) => rule.pattern === pattern);
  if (change.kind === 'add') {
    if (!existing) return [...rules, change.rule];
    throw new SwarmError('already_exists', `There is a rule for "${pattern}" already.`, {
      fix: `gitswarm repo branch-rule update ${pattern}`,
    });
  }
  if (!existing) {
    throw new SwarmError('not_found', `There is no rule for "${pattern}".`, {
      fix: 'gitswarm repo branch-rule list',
      details: { patterns: rules.map((rule) => rule.pattern) },
    });
  }
  if (change.kind === 'remove') return rules.filter((rule) => rule !== existing);
  return rules.map((rule) => (rule === existing ? changed(rule, change.changes) : rule));
}

/** `null` takes back what may be left out. */
function changed(rule: BranchRule, changes: Record<string, unknown>): BranchRule {
  const merged = Object.entries({ ...rule, ...changes, pattern: rule.pattern });
  const parsed = BranchRule.safeParse(Object.fromEntries(merged.filter(([, value]) => value !== null)));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new SwarmError('invalid', `The rule for "${rule.pattern}" cannot be so: ${issues.join('; ')}.`);
}
