import { isSwarmError } from '../contract/errors.ts';
import { reportConfigFile } from '../contract/hosted-repos.ts';
import { CONFIG_PATH, JSON_CONFIG_PATH } from '../contract/repo-files.ts';
import { getRepo, type Repo, reportConfig } from '../contract/repos.ts';
import { entryOid, readBlob } from '../git/objects.ts';
import { isRefName } from '../git/ref-name.ts';
import { findRef, resolveCommit } from '../git/refs.ts';
import type { Repository } from '../git/repository.ts';
import { findSettledConfig, recordSettledConfig } from '../machine/settled-config.ts';
import type { ParsedConfig } from './config-file.ts';
import { seeRemote } from './shared/see-remote.ts';
import { seenTip } from './shared/shared-refs.ts';
import type { Workflow } from './workflow.ts';

/**
 * Brings the recorded settings in step with the file in the tree of the buffer's tip, which is what is in force. The
 * file in a working copy is never read for policy. A file that cannot be used leaves the settings before it in force.
 */
export async function refreshConfig(
  workflow: Workflow,
  options: { readOnly: boolean },
): Promise<{ repo: Repo; warnings: string[] }> {
  const { git, repo, authority } = workflow;
  const tip = await resolveCommit(git, `refs/heads/${repo.bufferBranch}`);
  if (tip === undefined) return { repo, warnings: [] };
  const settled = findSettledConfig(workflow.machine, repo.id);
  if (settled?.tip === tip && settled.blob === repo.configBlob) return { repo, warnings: [] };
  const found = await findFile(workflow, tip);
  if (found.oid === repo.configBlob) {
    if (!options.readOnly)
      recordSettledConfig(workflow.machine, { repoId: repo.id, tip, blob: repo.configBlob });
    return { repo, warnings: [] };
  }
  if (found.oid === null) {
    if (options.readOnly) return { repo, warnings: [] };
    return {
      repo: await authority.call(reportConfig, { repoId: repo.id, blob: null, config: null }),
      warnings: [],
    };
  }
  const text = (await readBlob(git, tip, found.path))?.toString('utf8') ?? '';
  // Loaded only now: a parser of YAML is larger than most commands.
  const { parseConfigFile } = await import('./config-file.ts');
  const parsed = await usableConfig(workflow, parseConfigFile(text));
  if (parsed.kind === 'unusable') {
    const warning = `${found.path} on ${repo.bufferBranch} is not usable, the settings before it stay in force: ${parsed.reason}`;
    return { repo, warnings: [warning] };
  }
  const warnings = parsed.warnings.map((warning) => `${found.path}: ${warning}`);
  if (options.readOnly) return { repo, warnings };
  const reported = await authority.call(reportConfig, {
    repoId: repo.id,
    blob: found.oid,
    config: parsed.config,
  });
  return { repo: reported, warnings };
}

/**
 * Tells a server that decides what the file at the buffer's tip says. Where clones meet, the remote is asked first and
 * nothing is told from any tip but its own (`behind`): an older file would come into force again. Only a maintainer's word
 * counts there: from anybody else the answer is `refused`.
 */
export async function reportSettings(
  workflow: Workflow,
): Promise<
  | { kind: 'same' | 'refused' | 'behind' }
  | { kind: 'reported'; repo: Repo }
  | { kind: 'unusable'; reason: string }
> {
  const { git, authority } = workflow;
  const repo = await authority.call(getRepo, { repoId: workflow.repo.id });
  const tip = await resolveCommit(git, `refs/heads/${repo.bufferBranch}`);
  if (tip === undefined) return { kind: 'same' };
  const settled = findSettledConfig(workflow.machine, repo.id);
  if (settled?.tip === tip && settled.blob === repo.configBlob) return { kind: 'same' };
  const found = await findFile(workflow, tip);
  const settle = (blob: string | null) =>
    recordSettledConfig(workflow.machine, { repoId: repo.id, tip, blob });
  if (found.oid === repo.configBlob) {
    settle(found.oid);
    return { kind: 'same' };
  }
  if (!(await isNewest(workflow, repo.bufferBranch, tip))) return { kind: 'behind' };
  const text = found.oid === null ? null : ((await readBlob(git, tip, found.path))?.toString('utf8') ?? '');
  try {
    const reported = await authority.call(reportConfigFile, { repoId: repo.id, text });
    settle(reported.configBlob);
    return { kind: 'reported', repo: reported };
  } catch (error) {
    if (isSwarmError(error, 'not_allowed')) return { kind: 'refused' };
    if (isSwarmError(error, 'invalid')) return { kind: 'unusable', reason: error.message };
    throw error;
  }
}

/** True where no other clone can have landed something that is not here; a remote that is away may have it. */
async function isNewest(workflow: Workflow, branch: string, tip: string): Promise<boolean> {
  if (!workflow.shared) return true;
  try {
    await seeRemote(workflow, workflow.shared, branch);
  } catch (error) {
    if (isSwarmError(error, 'unavailable')) return false;
    throw error;
  }
  return (await seenTip(workflow, branch)) === tip;
}

/**
 * A file that names no branches leaves those that are in force; one that names branches which are not there, or one
 * branch twice, would leave nothing to land on and cannot be used.
 */
async function usableConfig({ git, repo }: Workflow, parsed: ParsedConfig): Promise<ParsedConfig> {
  if (parsed.kind === 'unusable') return parsed;
  const config = { ...parsed.config };
  if (!parsed.named.includes('buffer_branch')) config.buffer_branch = repo.bufferBranch;
  if (!parsed.named.includes('promote_target')) config.promote_target = repo.promoteTarget;
  const reason = await whyNoBranches(git, config);
  return reason === undefined ? { ...parsed, config } : { kind: 'unusable', reason };
}

/** Why these two branches cannot be buffer and target; undefined where they can. */
export async function whyNoBranches(
  git: Repository,
  { buffer_branch, promote_target }: { buffer_branch: string; promote_target: string },
): Promise<string | undefined> {
  if (buffer_branch === promote_target) return `buffer and target are both "${buffer_branch}"`;
  for (const branch of [buffer_branch, promote_target]) {
    const ref = `refs/heads/${branch}`;
    if (!isRefName(ref) || !(await findRef(git, ref))) return `there is no branch "${branch}"`;
  }
  return undefined;
}

async function findFile(workflow: Workflow, tip: string): Promise<{ path: string; oid: string | null }> {
  const yml = await entryOid(workflow.git, tip, CONFIG_PATH);
  if (yml !== undefined) return { path: CONFIG_PATH, oid: yml };
  const json = await entryOid(workflow.git, tip, JSON_CONFIG_PATH);
  return json === undefined ? { path: CONFIG_PATH, oid: null } : { path: JSON_CONFIG_PATH, oid: json };
}
