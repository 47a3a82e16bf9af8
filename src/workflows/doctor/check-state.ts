import { listMerges } from '../../contract/merges.ts';
import { listMaintainers } from '../../contract/repos.ts';
import { listOrphanedIntents } from '../../machine/intents.ts';
import { workingFile } from '../edit-config.ts';
import { recover } from '../recover.ts';
import { untrustedCommands } from '../trust.ts';
import type { Workflow } from '../workflow.ts';
import type { Finding } from './finding.ts';

/** What the database and the machine remember: unfinished work of dead processes, settings, who can decide. */
export async function checkState(workflow: Workflow): Promise<Finding[]> {
  return [await checkUnfinished(workflow), ...checkSettings(workflow), await checkReviewers(workflow)];
}

async function checkUnfinished(workflow: Workflow): Promise<Finding> {
  const { items } = await workflow.authority.call(listMerges, {
    repoId: workflow.repo.id,
    state: 'prepared',
    limit: 200,
  });
  const dead = items.filter(
    (merge) => merge.holder === null || !workflow.machine.isAlive(merge.holder),
  ).length;
  const intents = listOrphanedIntents(workflow.machine).length;
  if (dead + intents === 0)
    return { check: 'unfinished', level: 'ok', text: 'no work of a dead process is unfinished' };
  return {
    check: 'unfinished',
    level: 'problem',
    text: `${dead} landings and ${intents} other steps of dead processes are unfinished`,
    mend: async () => {
      const repairs = await recover(workflow);
      return (
        repairs.map((repair) => `${repair.what} ${repair.subject}: ${repair.done}`).join('; ') ||
        'somebody else did'
      );
    },
  };
}

function checkSettings(workflow: Workflow): Finding[] {
  const findings: Finding[] = untrustedCommands(workflow).map(({ setting, text }) => ({
    check: 'settings',
    level: 'note',
    text: `${setting} is not approved on this machine: ${text}`,
    fix: 'gitswarm config trust',
  }));
  const file = workingFile(workflow);
  if (file?.unusable) {
    findings.push({
      check: 'settings',
      level: 'problem',
      text: `${file.file} is not usable: ${file.unusable}`,
      fix: `mend ${file.file}`,
    });
  }
  return findings.length > 0
    ? findings
    : [{ check: 'settings', level: 'ok', text: 'settings are usable and approved' }];
}

async function checkReviewers(workflow: Workflow): Promise<Finding> {
  const { repo } = workflow;
  const { items } = await workflow.authority.call(listMaintainers, { repoId: repo.id, limit: 200 });
  const lonely = repo.mergeMode !== 'swarm' && repo.ownershipModel === 'guild' && items.length < 2;
  if (!lonely) return { check: 'reviewers', level: 'ok', text: `${items.length} maintainers` };
  return {
    check: 'reviewers',
    level: 'note',
    text: 'the only maintainer finds no reviewer for own streams',
    fix: 'gitswarm repo maintainer add <agent>',
  };
}
