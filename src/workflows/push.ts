import { shellWord } from '../base/shell-word.ts';
import { SwarmError } from '../contract/errors.ts';
import { showStream } from '../contract/streams.ts';
import { readConfig } from '../git/config.ts';
import { type GitPlace, runGit } from '../git/run-git.ts';
import { adoptBranch } from './adopt.ts';
import { branchHead } from './facts.ts';
import { requireAuthorOrMaintainer } from './stream-rights.ts';
import type { Workflow } from './workflow.ts';

/** The remote that the target tracks, else the only one there is, else `origin`; undefined without remotes. */
export async function remoteOf(workflow: Workflow): Promise<string | undefined> {
  const tracked = await readConfig(workflow.git, `branch.${workflow.repo.promoteTarget}.remote`);
  if (tracked !== undefined && tracked !== '.') return tracked;
  return chooseRemote(workflow.git, undefined);
}

/** The remote in which the clones of a repository meet: the one that is asked for, else the only one, else `origin`. */
export async function chooseRemote(git: GitPlace, asked: string | undefined): Promise<string | undefined> {
  const { stdout } = await runGit(git, ['remote']);
  const remotes = stdout.split('\n').filter(Boolean);
  if (asked === undefined)
    return remotes.length === 1 ? remotes[0] : remotes.find((remote) => remote === 'origin');
  if (remotes.includes(asked)) return asked;
  throw new SwarmError('not_found', `There is no remote "${asked}" here.`, {
    fix: `git remote add ${shellWord(asked)} <url>`,
  });
}

/** Pushes buffer, target and a tag to the remote; never by force. Answers what was pushed. */
export async function push(workflow: Workflow, tag?: string | null): Promise<string[]> {
  const remote = await remoteOf(workflow);
  if (remote === undefined) {
    throw new SwarmError('not_configured', 'There is no remote to push to.', {
      fix: 'git remote add origin <url>',
    });
  }
  const { bufferBranch, promoteTarget } = workflow.repo;
  const refs = [
    `refs/heads/${bufferBranch}`,
    `refs/heads/${promoteTarget}`,
    ...(tag ? [`refs/tags/${tag}`] : []),
  ];
  await runGit(workflow.git, [
    'push',
    '--quiet',
    '--atomic',
    '--',
    remote,
    ...refs.map((ref) => `${ref}:${ref}`),
  ]);
  return refs;
}

/** Pushes the branch of a stream to its remote, as `push` in the settings allows; never by force. */
export async function pushStream(
  workflow: Workflow,
  ref: string,
  confirm: (question: string) => Promise<boolean>,
): Promise<{ streamId: string; branch: string; commit: string; remote: string }> {
  const found = await workflow.authority.call(showStream, { stream: ref });
  await requireAuthorOrMaintainer(workflow, found);
  if (workflow.repo.config.push === 'never') {
    throw new SwarmError('not_configured', 'GitSwarm does not push in this repository (push: never).', {
      fix: `git push <remote> ${found.branch}, or gitswarm config set push ask`,
    });
  }
  const remote =
    (await readConfig(workflow.git, `branch.${found.branch}.remote`)) ?? (await remoteOf(workflow));
  if (remote === undefined) {
    throw new SwarmError('not_configured', 'There is no remote to push to.', {
      fix: 'git remote add origin <url>',
    });
  }
  const stream = await adoptBranch(workflow, found);
  const commit = await branchHead(workflow, stream);
  if (workflow.repo.config.push === 'ask' && !(await confirm(`Push ${stream.branch} to ${remote}?`))) {
    throw new SwarmError('interrupted', 'Nothing was pushed.');
  }
  const branch = `refs/heads/${stream.branch}`;
  await runGit(workflow.git, ['push', '--quiet', '--', remote, `${commit}:${branch}`]);
  return { streamId: stream.id, branch: stream.branch, commit, remote };
}

/** Fetches from the remote of the target. */
export async function fetchRemote(workflow: Workflow): Promise<string | undefined> {
  const remote = await remoteOf(workflow);
  if (remote !== undefined) await runGit(workflow.git, ['fetch', '--quiet', '--', remote]);
  return remote;
}
