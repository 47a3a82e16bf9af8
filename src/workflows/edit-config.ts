import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { SwarmError } from '../contract/errors.ts';
import { type Repo, setConfig } from '../contract/repos.ts';
import { settingOwners, settingValue } from '../domain/repos/config-settings.ts';
import { parseConfigFile } from './config-file.ts';
import { whyNoBranches } from './config-in-force.ts';
import { approveCommand, type CommandSetting, untrustedCommands } from './trust.ts';
import { actorOf, type Workflow } from './workflow.ts';

export interface ConfigChange {
  repo: Repo;
  key: string;
  value: unknown;
  /** The file that was written; null where the setting lives in the database or there is no checkout. */
  file: string | null;
  /** A committed file decides until the changed one has landed. */
  waitsForLanding: boolean;
}

const COMMANDS: CommandSetting[] = ['stabilize_command', 'workspace.setup'];

/** Sets one setting: in the database, and for one the repository owns in the settings file, whose comments stay. */
export async function setSetting(workflow: Workflow, key: string, text: string): Promise<ConfigChange> {
  const change = await writeSettingBoth(workflow, key, text);
  if (COMMANDS.some((each) => each === key) && text !== 'null')
    approveCommand({ ...workflow, repo: change.repo }, key as CommandSetting, text);
  return change;
}

/** The same without approving a command: nobody who owns this machine has seen it. */
export async function writeSettingBoth(workflow: Workflow, key: string, text: string): Promise<ConfigChange> {
  actorOf(workflow);
  await refuseMissingBranch(workflow, key, text);
  const isFileOwned = settingOwners()[key] === 'repo';
  const file = isFileOwned && !workflow.git.isBare ? join(workflow.home, 'config.yml') : null;
  const repo = await workflow.authority.call(setConfig, {
    repoId: workflow.repo.id,
    changes: { [key]: text },
    fileWritten: file !== null,
  });
  const value = settingValue({ config: repo.config, settings: repo.settings }, key);
  if (file !== null)
    writeSetting(file, key, value === undefined ? text : await wantedValue(key, text, value, repo));
  return { repo, key, value, file, waitsForLanding: isFileOwned && repo.configSource === 'file' };
}

/** Buffer and target are two branches that exist: anything else would leave nothing to land on. */
async function refuseMissingBranch({ git, repo }: Workflow, key: string, text: string): Promise<void> {
  if (key !== 'buffer_branch' && key !== 'promote_target') return;
  const branches = { buffer_branch: repo.bufferBranch, promote_target: repo.promoteTarget, [key]: text };
  const reason = await whyNoBranches(git, branches);
  if (reason === undefined) return;
  throw new SwarmError('invalid', `${key} cannot be "${text}": ${reason}.`, { fix: 'git branch --list' });
}

/** While a committed file decides, the value in force is the old one; what was asked for goes into the file. */
async function wantedValue(key: string, text: string, inForce: unknown, repo: Repo): Promise<unknown> {
  if (repo.configSource === 'copy') return key.endsWith('timeout') ? text : inForce;
  if (text === 'null') return null;
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof inForce === 'string' ? text : parsed;
  } catch {
    return text;
  }
}

/** Writes one setting into a settings file; everything else in it, comments too, stays. */
export function writeSetting(file: string, key: string, value: unknown): void {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const document = parseDocument(before);
  if (document.errors.length > 0) {
    throw new SwarmError('invalid', `${file} is not valid YAML and was not changed.`, {
      fix: 'Mend the file, then try again.',
    });
  }
  if (value === null) document.deleteIn(key.split('.'));
  else document.setIn(key.split('.'), value);
  const after = document.toString();
  const parsed = parseConfigFile(after);
  if (parsed.kind === 'unusable') {
    throw new SwarmError('invalid', `${file} would not be usable with this: ${parsed.reason}`, {
      fix: 'Mend the file first.',
    });
  }
  const fresh = `${file}.new`;
  writeFileSync(fresh, after);
  renameSync(fresh, file);
}

/** Approves the commands in force that nobody has approved on this machine. Only owners may. */
export async function trustCommands(
  workflow: Workflow,
): Promise<{ setting: CommandSetting; text: string }[]> {
  const waiting = untrustedCommands(workflow);
  if (waiting.length === 0) return [];
  // Changing nothing asks the authority whether this actor may change settings.
  await workflow.authority.call(setConfig, { repoId: workflow.repo.id, changes: {} });
  for (const { setting, text } of waiting) approveCommand(workflow, setting, text);
  return waiting;
}

/** What the file in the working copy says, where that differs from what is in force. */
export function workingFile(
  workflow: Workflow,
): { file: string; differs: string[]; unusable: string | null } | null {
  const file = join(workflow.home, 'config.yml');
  if (workflow.git.isBare || !existsSync(file)) return null;
  const parsed = parseConfigFile(readFileSync(file, 'utf8'));
  if (parsed.kind === 'unusable') return { file, differs: [], unusable: parsed.reason };
  const here = { config: parsed.config, settings: workflow.repo.settings };
  const inForce = { config: workflow.repo.config, settings: workflow.repo.settings };
  const keys = Object.entries(settingOwners())
    .filter(([, owner]) => owner === 'repo')
    .map(([key]) => key);
  const differs = keys.filter(
    (key) => JSON.stringify(settingValue(here, key)) !== JSON.stringify(settingValue(inForce, key)),
  );
  return { file, differs, unusable: null };
}

/** After an undo in the database: the file in the working copy follows, where it says what was taken back. */
export function setSettingFile(workflow: Workflow, record: { data: Record<string, unknown> }): string | null {
  const file = join(workflow.home, 'config.yml');
  const changes = Array.isArray(record.data.changes)
    ? (record.data.changes as { key: string; owner: string; before: unknown }[])
    : [];
  const inFile = changes.filter((change) => change.owner === 'repo');
  if (record.data.fileWritten !== true || workflow.git.isBare || inFile.length === 0) return null;
  for (const { key, before } of inFile)
    writeSetting(file, key, key.endsWith('timeout') ? `${Number(before) / 1000}s` : before);
  return `${file} was written back`;
}
