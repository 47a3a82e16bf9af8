import { withoutPassword } from '../../base/without-password.ts';
import { type ErrorCode, isSwarmError } from '../../contract/errors.ts';
import { showClone } from '../../contract/hosting.ts';
import { intendPush, recordPush } from '../../contract/pushes.ts';
import { readConfig } from '../../git/config.ts';
import { listRefs } from '../../git/refs.ts';
import { withTransport } from '../../git/remote-transport.ts';
import { runGit } from '../../git/run-git.ts';
import { withLock } from '../../machine/locks.ts';
import type { Workflow } from '../workflow.ts';

/** Notes that the remote is to have buffer, target and the newest green tags as they are now. */
export async function intendPushes(workflow: Workflow, which: { tags: boolean }): Promise<void> {
  const { bufferBranch, promoteTarget, id } = workflow.repo;
  const branches = [`refs/heads/${bufferBranch}`, ...(which.tags ? [`refs/heads/${promoteTarget}`] : [])];
  const found = await listRefs(workflow.git, [...branches, ...(which.tags ? ['refs/tags/green/'] : [])]);
  const tags = found
    .filter((ref) => ref.name.startsWith('refs/tags/'))
    .sort((a, b) => (a.name < b.name ? 1 : -1));
  const wanted = [...found.filter((ref) => branches.includes(ref.name)), ...tags.slice(0, 1)];
  await workflow.authority.call(intendPush, {
    repoId: id,
    refs: wanted.map((ref) => ({ ref: ref.name, commit: ref.oid })),
  });
}

/** A remote that takes longer, or does not answer at all, is tried again like one that is away. */
const PATIENCE_MS = 10 * 60_000;

/**
 * Sends what the remote does not have yet, never by force, until the workflow's signal. What fails is noted with its
 * reason, and tried again later.
 */
export async function pushUnpushed(
  workflow: Workflow,
  { waitMs }: { waitMs?: number } = {},
): Promise<{ left: number }> {
  const push = async () => {
    const { unpushed } = await workflow.authority.call(showClone, { repoId: workflow.repo.id });
    let left = unpushed.length;
    for (const { ref, commit } of unpushed) {
      if (workflow.signal?.aborted) break;
      const refs = [{ ref, commit }];
      const error = await pushOne(workflow, { ref, commit });
      left = (await workflow.authority.call(recordPush, { repoId: workflow.repo.id, refs, error })).left;
    }
    return { left };
  };
  return withLock(workflow.home, 'push', push, waitMs === undefined ? {} : { waitMs });
}

async function pushOne(
  workflow: Workflow,
  { ref, commit }: { ref: string; commit: string },
): Promise<string | null> {
  try {
    const { git } = workflow;
    const url = (await readConfig(git, 'remote.origin.url')) ?? 'origin';
    const transport = await workflow.reachRemote?.(url);
    const place = transport ? { dir: git.dir, env: withTransport(git.env, transport) } : git;
    const args = ['push', '--quiet', '--', transport?.url ?? 'origin', `${commit}:${ref}`];
    const { signal } = workflow;
    await runGit(place, args, { timeoutMs: PATIENCE_MS, ...(signal ? { signal } : {}) });
    return null;
  } catch (error) {
    if (!isSwarmError(error) || !TRIED_AGAIN.includes(error.code)) throw error;
    return withoutPassword(String(error.details?.output ?? error.message)).slice(0, 1000);
  }
}

const TRIED_AGAIN: ErrorCode[] = ['git_failed', 'timed_out', 'invalid'];
