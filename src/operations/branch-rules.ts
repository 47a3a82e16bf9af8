import * as contract from '../contract/branch-rules.ts';
import { RepoConfig } from '../contract/repo-files.ts';
import type { RepoRow } from '../db/tables.ts';
import { branchPolicy } from '../domain/repos/branch-rules.ts';
import { changeRules, type RuleChange } from '../domain/repos/edit-branch-rules.ts';
import { configInForce, serverSettings } from '../domain/repos/repos-store.ts';
import { applySettings } from './config.ts';
import { type ActingContext, operation, query } from './operation.ts';

const list = query(contract.listBranchRules, {
  on: 'repo',
  needs: 'read',
  run: async ({ repo }) => rulesOf(repo),
});

const add = operation(contract.addBranchRule, {
  on: 'repo',
  needs: 'maintain',
  run: (context, input) => change(context, { kind: 'add', rule: input.rule }, input.fileWritten),
});

const update = operation(contract.updateBranchRule, {
  on: 'repo',
  needs: 'maintain',
  run: (context, { pattern, changes, fileWritten }) =>
    change(context, { kind: 'update', pattern, changes }, fileWritten),
});

const remove = operation(contract.removeBranchRule, {
  on: 'repo',
  needs: 'maintain',
  run: (context, { pattern, fileWritten }) => change(context, { kind: 'remove', pattern }, fileWritten),
});

/** Rules are settings of the repository: where a committed file governs, what is changed is the copy beside it. */
async function change(
  context: ActingContext & { repo: RepoRow },
  wish: RuleChange,
  fileWritten: boolean,
): Promise<contract.BranchRules> {
  const { repo, emit } = context;
  const copy = fileWritten ? RepoConfig.parse(JSON.parse(repo.config_copy)) : configInForce(repo);
  const branch_rules = changeRules(copy.branch_rules, wish);
  const row = await applySettings(context, { changes: { branch_rules }, fileWritten });
  emit({
    type: 'branch_rule.changed',
    subject: { type: 'repo', id: repo.id },
    data: { kind: wish.kind, pattern: wish.kind === 'add' ? wish.rule.pattern : wish.pattern },
  });
  return rulesOf(row);
}

function rulesOf(repo: RepoRow): contract.BranchRules {
  const config = configInForce(repo);
  const buffer = branchPolicy(config.buffer_branch, config);
  const isSolo = serverSettings(repo).ownership_model === 'solo';
  const governs = [
    // One owner's verdict decides in a solo repository, however many a rule asks for.
    { branch: config.buffer_branch, ...buffer, minReviews: isSolo ? 1 : buffer.minReviews },
    {
      branch: config.promote_target,
      ...branchPolicy(config.promote_target, config),
      threshold: null,
      minReviews: null,
    },
  ];
  return { items: config.branch_rules.toSorted((a, b) => b.priority - a.priority), governs };
}

export const branchRuleOperations = [list, add, update, remove];
