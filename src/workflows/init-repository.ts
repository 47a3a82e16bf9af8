import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { Agent } from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Forerunner } from '../contract/forerunner.ts';
import { initRepo } from '../contract/init-repo.ts';
import { CONFIG_PATH, type MergeMode, type OwnershipModel, RepoConfig } from '../contract/repo-files.ts';
import type { Repo } from '../contract/repos.ts';
import { identity, readConfig } from '../git/config.ts';
import { headOf } from '../git/head.ts';
import { readBlob } from '../git/objects.ts';
import { branchRef } from '../git/ref-name.ts';
import { findRef, updateRefs } from '../git/refs.ts';
import { type Repository, requireHistory } from '../git/repository.ts';
import { withLock } from '../machine/locks.ts';
import type { Authority } from '../operations/authority.ts';
import { parseConfigFile } from './config-file.ts';
import { addExcludes, type ExcludeFile, excludeFile } from './exclude-file.ts';
import { findTestCommand } from './find-test-command.ts';

export interface InitRequest {
  name?: string | undefined;
  mode?: MergeMode | undefined;
  model?: OwnershipModel | undefined;
  owner?: string | undefined;
  buffer?: string | undefined;
  target?: string | undefined;
  stabilize?: string | undefined;
  /** What an earlier program kept of this repository. */
  takeOver?: Forerunner | undefined;
  /** Asked once, before anything is made, whether the command that seems to test this repository shall do so. */
  acceptStabilize?: ((command: string) => Promise<boolean>) | undefined;
}

export interface InitResult {
  repo: Repo;
  owner: Agent;
  created: boolean;
  configFile: string | null;
  /** A command that seems to test this repository; it is proposed, never set unasked. */
  proposedStabilize: string | null;
  /** The command that was asked for or accepted: an owner has read it. */
  approvedStabilize: string | null;
}

/** What init made, so that uninit takes away that and nothing else. */
export interface Made {
  buffer: boolean;
  configText: string | null;
  /** The exclude file as it was. */
  exclude?: ExcludeFile;
}

export const MADE_FILE = 'made.json';

/**
 * Makes a git repository a GitSwarm repository: a database beside it, the buffer branch, entries in the exclude file
 * and a settings file to be committed. Nothing in the working copy is changed. A second call changes nothing.
 */
export async function initRepository(
  git: Repository,
  places: { home: string; configFile: string },
  request: InitRequest,
  open: () => Promise<Authority>,
): Promise<InitResult> {
  requireHistory(git);
  const target = await chooseTarget(git, request.target);
  const proposed = git.isBare ? undefined : findTestCommand(git.root);
  const chosen = await chooseConfig(git, target, request);
  const asks = chosen.stabilize_command === null && proposed !== undefined && !wasMade(places.home);
  const accepted = asks && (await request.acceptStabilize?.(proposed)) ? proposed : undefined;
  const config = accepted === undefined ? chosen : { ...chosen, stabilize_command: accepted };
  accessSync(dirname(places.home), constants.W_OK);
  mkdirSync(join(places.home, 'local'), { recursive: true });
  return withLock(places.home, 'init', async () => {
    const authority = await open();
    const owner = request.owner ?? (await ownName(git));
    const name =
      request.name ??
      request.takeOver?.repo.name ??
      (git.root
        .replace(/\/\.git$|\.git$/, '')
        .split(/[\\/]/)
        .at(-1) ||
        'repository');
    const made = await authority.call(initRepo, {
      name,
      owner: { name: owner, kind: 'human' },
      ownershipModel: request.model ?? request.takeOver?.repo.settings.ownership_model ?? 'solo',
      config,
      takeOver: request.takeOver,
    });
    const configFile = made.created ? await makeFiles(git, places, made.repo, target.commit) : null;
    const missing = made.repo.config.stabilize_command === null;
    return {
      ...made,
      configFile,
      proposedStabilize: missing ? (proposed ?? null) : null,
      approvedStabilize: made.created ? (request.stabilize ?? accepted ?? null) : null,
    };
  });
}

export async function chooseTarget(
  git: Repository,
  asked: string | undefined,
): Promise<{ branch: string; commit: string }> {
  const head = await headOf(git);
  if (asked !== undefined) {
    const commit = await findRef(git, branchRef(asked));
    if (commit) return { branch: asked, commit };
    throw new SwarmError('not_found', `There is no branch "${asked}" to promote to.`, {
      fix: 'git branch --list',
    });
  }
  if (head.kind === 'unborn') {
    throw new SwarmError('unborn_branch', `The branch ${head.branch} has no commits yet.`, {
      fix: 'git commit --allow-empty -m "Begin"',
    });
  }
  if (head.kind === 'detached') {
    throw new SwarmError('usage', 'HEAD is detached, so it is not clear which branch is to be promoted to.', {
      fix: 'gitswarm init --target <branch>',
    });
  }
  return { branch: head.branch, commit: head.oid };
}

/** The settings to begin with: those of a committed file, else what was asked for. */
export async function chooseConfig(
  git: Repository,
  target: { branch: string; commit: string },
  request: InitRequest,
): Promise<RepoConfig> {
  const committed = await readBlob(git, target.commit, CONFIG_PATH);
  const parsed = committed ? parseConfigFile(committed.toString('utf8')) : undefined;
  const base = parsed?.kind === 'config' ? parsed.config : request.takeOver?.repo.config;
  const config = RepoConfig.parse({
    ...base,
    promote_target: target.branch,
    ...(request.mode ? { merge_mode: request.mode } : {}),
    ...(request.buffer ? { buffer_branch: request.buffer } : {}),
    ...(request.stabilize ? { stabilize_command: request.stabilize } : {}),
  });
  if (config.buffer_branch === config.promote_target) {
    throw new SwarmError('usage', `The buffer and the target cannot both be "${config.buffer_branch}".`, {
      fix: 'gitswarm init --buffer <other name>',
    });
  }
  branchRef(config.buffer_branch);
  return config;
}

async function ownName(git: Repository): Promise<string> {
  return (await identity(git))?.name ?? (await readConfig(git, 'user.name')) ?? git.env.USER ?? 'owner';
}

/**
 * What belongs beside the clone: the buffer, entries in the exclude file, and a settings file where none is there and one
 * is wanted. The buffer begins at a commit of the target; without one it is somewhere else already, and comes from there.
 */
export async function makeFiles(
  git: Repository,
  places: { home: string; configFile: string | undefined },
  repo: Repo,
  targetCommit: string | undefined,
): Promise<string | null> {
  const ref = branchRef(repo.bufferBranch);
  const exists = (await findRef(git, ref)) !== undefined;
  if (!exists && targetCommit !== undefined)
    await updateRefs(git, [{ ref, old: null, new: targetCommit }], 'gitswarm: init');
  const exclude = excludeFile(git.commonDir);
  addExcludes(git.commonDir);
  const { configFile } = places;
  const file = git.isBare || configFile === undefined || existsSync(configFile) ? null : configFile;
  const text = file === null ? null : settingsText(repo.config);
  if (file !== null && text !== null) writeFileSync(file, text, { flag: 'wx' });
  const made: Made = { buffer: !exists, configText: text, exclude };
  writeFileSync(join(places.home, 'local', MADE_FILE), JSON.stringify(made));
  return file;
}

function settingsText(config: RepoConfig): string {
  const { merge_mode, buffer_branch, promote_target, stabilize_command } = config;
  const shown = {
    merge_mode,
    buffer_branch,
    promote_target,
    ...(stabilize_command ? { stabilize_command } : {}),
  };
  const head = [
    '# Settings of GitSwarm for this repository. Commit this file: it is in force as soon as it is on the buffer.',
    '# All settings and what they mean: gitswarm config list, gitswarm config explain <key>',
  ];
  return `${head.join('\n')}\n${stringify(shown)}`;
}

function wasMade(home: string): boolean {
  return existsSync(join(home, 'local', MADE_FILE));
}

/** What init made here; nothing where that is not known any more. */
export function readMade(home: string): Made {
  try {
    return JSON.parse(readFileSync(join(home, 'local', MADE_FILE), 'utf8')) as Made;
  } catch {
    return { buffer: false, configText: null };
  }
}
