import { expect, it } from 'vitest';
import { isSwarmError } from '../../contract/errors.ts';
import { BranchRule } from '../../contract/repo-files.ts';
import { changeRules, type RuleChange } from './edit-branch-rules.ts';

const rule = (pattern: string, more = {}) => BranchRule.parse({ pattern, ...more });
const rules = [rule('main', { merge_restriction: 'maintainers_only' }), rule('release/*')];

it('adds, changes and removes the rule of a pattern and no other', () => {
  expect(changeRules(rules, { kind: 'add', rule: rule('buffer') }).map(({ pattern }) => pattern)).toEqual([
    'main',
    'release/*',
    'buffer',
  ]);
  const updated = changeRules(rules, {
    kind: 'update',
    pattern: 'main',
    changes: { required_approvals: 2, merge_restriction: null, pattern: 'other' },
  });
  expect(updated).toEqual([rule('main', { required_approvals: 2 }), rule('release/*')]);
  expect(changeRules(rules, { kind: 'remove', pattern: 'main' })).toEqual([rule('release/*')]);
});

it.each<[RuleChange, string]>([
  [{ kind: 'add', rule: rule('main') }, 'already_exists'],
  [{ kind: 'remove', pattern: 'none' }, 'not_found'],
  [{ kind: 'update', pattern: 'main', changes: { required_approvals: -1 } }, 'invalid'],
  [{ kind: 'update', pattern: 'main', changes: { surprise: 1 } }, 'invalid'],
])('%j is refused as %s', (change, code) => {
  try {
    changeRules(rules, change);
    expect.unreachable();
  } catch (error) {
    expect(isSwarmError(error) && error.code).toBe(code);
  }
});
