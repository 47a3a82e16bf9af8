import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { allPages } from '../base/all-pages.ts';
import { SwarmError } from '../contract/errors.ts';
import { setConfig } from '../contract/repos.ts';
import { listStreams } from '../contract/streams.ts';
import { checkedOutRefs } from '../git/checkouts.ts';
import { isAncestor } from '../git/commits.ts';
import { findRef, listRefs, updateRefs } from '../git/refs.ts';
import { runGit } from '../git/run-git.ts';
import { SNAPSHOTS } from '../git/snapshot.ts';
import { disallowSparse } from '../git/sparse.ts';
import { worktreeStatus } from '../git/worktree-files.ts';
import { listCheckouts } from '../machine/checkouts.ts';
import { countOutbox } from '../machine/outbox.ts';
import { listWorkspaces } from '../machine/workspaces.ts';
import { removeExcludes } from './exclude-file.ts';
import { readMade } from './init-repository.ts';
import { takeDown } from './remove-worktree.ts';
import { isSeenOn } from './shared/shared-refs.ts';
import { actorOf, targetTip, type Workflow } from './workflow.ts';

export interface Uninitialised {
  removed: string[];
  /** Branches and snapshots that hold work found nowhere else. */
  kept: string[];
}

/**
 * Takes away what init made and what grew from it, and nothing else. Refuses while the buffer or a stream holds
 * commits that the target lacks, or a workspace holds edits; forced, it keeps those branches and snapshots. Only
 * owners may; of a clone of several, whoever has it. The caller closes the database before `finish` removes it.
 */
export async function uninit(
  workflow: Workflow,
  options: { force: boolean },
): Promise<Uninitialised & { finish: () => void }> {
  actorOf(workflow);
  // Where a server decides, only this clone is given up, which is for whoever sits at it.
  if (workflow.authority.kind === 'server') requireNothingUnsent(workflow);
  else await workflow.authority.call(setConfig, { repoId: workflow.repo.id, changes: {} });
  const unlanded = await unlandedBranches(workflow);
  const dirty = await dirtyWorkspaces(workflow);
  if (!options.force && (unlanded.length > 0 || dirty.length > 0)) {
    throw new SwarmError(
      'unlanded_work',
      `There is work that ${workflow.repo.promoteTarget} lacks: ${[...unlanded, ...dirty].slice(0, 8).join(', ')}`,
      {
        fix: 'Promote or destroy it first; or gitswarm uninit --force, which keeps those branches and snapshots.',
        details: { branches: unlanded, workspaces: dirty },
      },
    );
  }
  const removed: string[] = [];
  const kept: string[] = [...unlanded];
  await removeWorkspaces(workflow, dirty, { removed, kept });
  for (const checkout of listCheckouts(workflow.machine))
    rmSync(checkout.path, { recursive: true, force: true });
  await runGit(workflow.git, ['worktree', 'prune']);
  await removeRefs(workflow, unlanded, { removed, kept });
  if (await disallowSparse(workflow.git)) removed.push("extensions.worktreeConfig in git's settings");
  if (removeExcludes(workflow.git.commonDir, readMade(workflow.home).exclude))
    removed.push('entries in the exclude file');
  const greens = await listRefs(workflow.git, ['refs/tags/green/']);
  if (greens.length > 0) kept.push(`refs/tags/green/* (${greens.length}): what was found green stays marked`);
  const finish = () => removeFiles(workflow, { removed, kept });
  return { removed, kept, finish };
}

/** The outbox goes with the clone, and what is in it nobody else knows. */
function requireNothingUnsent({ machine }: Workflow): void {
  const { waiting, rejected } = countOutbox(machine);
  if (waiting + rejected === 0) return;
  throw new SwarmError('unlanded_work', `${waiting + rejected} calls have not been taken by the server.`, {
    fix: 'gitswarm sync, or give them up: gitswarm sync status, gitswarm sync drop <seq>',
  });
}

/** Branches of ours with commits that the target lacks. */
async function unlandedBranches(workflow: Workflow): Promise<string[]> {
  const target = await targetTip(workflow);
  const streams = await allPages((cursor) =>
    workflow.authority.call(listStreams, { repoId: workflow.repo.id, limit: 200, cursor }),
  );
  const branches = [workflow.repo.bufferBranch, ...streams.map((stream) => stream.branch)];
  const found: string[] = [];
  for (const branch of new Set(branches)) {
    const tip = await findRef(workflow.git, `refs/heads/${branch}`);
    if (tip === undefined || (await isAncestor(workflow.git, tip, target))) continue;
    // What the remote has is not lost with this clone.
    if (!workflow.shared || !(await isSeenOn(workflow, branch, tip))) found.push(branch);
  }
  return found;
}

async function dirtyWorkspaces(workflow: Workflow): Promise<string[]> {
  const found: string[] = [];
  for (const { path } of listWorkspaces(workflow.machine)) {
    if (existsSync(path) && !(await worktreeStatus(workflow.git, path)).clean) found.push(path);
  }
  return found;
}

async function removeWorkspaces(
  workflow: Workflow,
  dirty: string[],
  report: { removed: string[]; kept: string[] },
): Promise<void> {
  for (const { path } of listWorkspaces(workflow.machine)) {
    if (dirty.includes(path)) {
      report.kept.push(path);
      continue;
    }
    await takeDown(workflow, path);
    report.removed.push(path);
  }
  const folder = workflow.worktrees;
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

async function removeRefs(
  workflow: Workflow,
  unlanded: string[],
  report: { removed: string[]; kept: string[] },
): Promise<void> {
  const { git, repo, home } = workflow;
  const streams = (await listRefs(git, ['refs/heads/stream/'])).filter(
    (ref) => !unlanded.includes(ref.name.slice('refs/heads/'.length)),
  );
  const own = await listRefs(git, ['refs/gitswarm/']);
  const snapshots = own.filter((ref) => ref.name.startsWith(SNAPSHOTS));
  report.kept.push(...snapshots.map((ref) => ref.name));
  const doomed = [...streams, ...own.filter((ref) => !ref.name.startsWith(SNAPSHOTS))];
  const bufferRef = `refs/heads/${repo.bufferBranch}`;
  const buffer = await findRef(git, bufferRef);
  const taken = await checkedOutRefs(git);
  if (buffer && readMade(home).buffer && !unlanded.includes(repo.bufferBranch)) {
    doomed.push({ name: bufferRef, oid: buffer, type: 'commit', subject: '' });
  }
  for (const ref of doomed) {
    if (taken.has(ref.name)) {
      report.kept.push(ref.name);
      continue;
    }
    await updateRefs(git, [{ ref: ref.name, old: ref.oid, new: null }], 'gitswarm: uninit');
    report.removed.push(ref.name);
  }
}

/** The files beside the repository; the settings file only where it is exactly what init wrote and nobody committed it. */
function removeFiles(workflow: Workflow, { removed, kept }: { removed: string[]; kept: string[] }): void {
  const { home } = workflow;
  const { configText } = readMade(home);
  const config = join(home, 'config.yml');
  if (configText !== null && existsSync(config) && readFileSync(config, 'utf8') === configText) {
    rmSync(config);
    removed.push(config);
  } else if (existsSync(config)) kept.push(config);
  const names = existsSync(home) ? readdirSync(home) : [];
  const old = names.find((name) => name.endsWith('.db.forerunner'));
  for (const name of names.filter((each) => each !== old)) {
    if (name === 'local' || name.startsWith('federation.db'))
      rmSync(join(home, name), { recursive: true, force: true });
  }
  // Not ours to take away: an earlier program made it, and finds it where it left it.
  if (old !== undefined) renameSync(join(home, old), join(home, old.replace(/\.forerunner$/, '')));
  if (existsSync(home) && readdirSync(home).length === 0) rmdirSync(home);
  removed.push(existsSync(home) ? `the database in ${home}` : home);
}
