import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  addBranchRule,
  type BranchRules,
  listBranchRules,
  removeBranchRule,
  updateBranchRule,
} from '../contract/branch-rules.ts';
import { changeRules, type RuleChange } from '../domain/repos/edit-branch-rules.ts';
import { parseConfigFile } from './config-file.ts';
import { writeSetting } from './edit-config.ts';
import { actorOf, type Workflow } from './workflow.ts';

export interface RulesChanged {
  rules: BranchRules;
  file: string | null;
  /** A committed file decides until the changed one has landed. */
  waitsForLanding: boolean;
}

/** Changes the rules in the database and in the settings file of the working copy, whose comments stay. */
export async function editBranchRules(workflow: Workflow, change: RuleChange): Promise<RulesChanged> {
  actorOf(workflow);
  const { repo } = workflow;
  const file = workflow.git.isBare ? null : join(workflow.home, 'config.yml');
  const waitsForLanding = repo.configSource === 'file';
  // The file first: what cannot be written there must not be in force.
  const written = file === null ? undefined : rulesOfFile(file, workflow, change);
  const rules = await changeCopy(workflow, change, file !== null);
  if (file !== null && written) writeSetting(file, 'branch_rules', written);
  return { rules, file, waitsForLanding };
}

function rulesOfFile(file: string, { repo }: Workflow, change: RuleChange) {
  const parsed = existsSync(file) ? parseConfigFile(readFileSync(file, 'utf8')) : undefined;
  return changeRules(
    parsed?.kind === 'config' ? parsed.config.branch_rules : repo.config.branch_rules,
    change,
  );
}

async function changeCopy({ authority, repo }: Workflow, change: RuleChange, fileWritten: boolean) {
  const wish = { repoId: repo.id, fileWritten };
  switch (change.kind) {
    case 'add':
      return authority.call(addBranchRule, { ...wish, rule: change.rule });
    case 'update':
      return authority.call(updateBranchRule, { ...wish, pattern: change.pattern, changes: change.changes });
    case 'remove':
      return authority.call(removeBranchRule, { ...wish, pattern: change.pattern });
  }
}

export function showBranchRules({ authority, repo }: Workflow): Promise<BranchRules> {
  return authority.call(listBranchRules, { repoId: repo.id });
}
