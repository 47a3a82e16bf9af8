import { SwarmError } from '../contract/errors.ts';
import { readConfig } from '../git/config.ts';
import { runGit } from '../git/run-git.ts';
import type { Workflow } from './workflow.ts';

/** The remote that the target tracks, else the only one there is, else `origin`; undefined without remotes. */
export async function remoteOf(workflow: Workflow): Promise<string | undefined> {
  const tracked = await readConfig(workflow.git, `branch.${workflow.repo.promoteTarget}.remote`);
  if (tracked !== undefined && tracked !== '.') return tracked;
  const { stdout } = await runGit(workflow.git, ['remote']);
  const remotes = stdout.split('\n').filter(Boolean);
  return remotes.length === 1 ? remotes[0] : remotes.find((remote) => remote === 'origin');
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

/** Fetches from the remote of the target. */
export async function fetchRemote(workflow: Workflow): Promise<string | undefined> {
  const remote = await remoteOf(workflow);
  if (remote !== undefined) await runGit(workflow.git, ['fetch', '--quiet', '--', remote]);
  return remote;
}
