import { isSwarmError } from '../contract/errors.ts';
import { isAncestor } from './commits.ts';
import { readConfig } from './config.ts';
import { isOid } from './oid.ts';
import { resolveCommit } from './refs.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

/** What a branch follows. */
export interface Upstream {
  /** A name of a remote, or `.` for this repository. */
  remote: string;
  /** The full name of the ref there. */
  ref: string;
  /** The commit it was at when we last fetched; undefined before the first time. */
  known: string | undefined;
}

/** The upstream that a branch is configured to follow, if any. */
export async function upstreamOf(repo: Repository, branch: string): Promise<Upstream | undefined> {
  const [remote, ref] = await Promise.all([
    readConfig(repo, `branch.${branch}.remote`),
    readConfig(repo, `branch.${branch}.merge`),
  ]);
  if (remote === undefined || ref === undefined) return undefined;
  return { remote, ref, known: await resolveCommit(repo, `${branch}@{upstream}`) };
}

/**
 * Asks the remote where its ref is, without fetching and without writing anything; undefined where it does not answer
 * in time, or has no such ref.
 */
export async function askRemote(
  repo: Repository,
  { remote, ref }: Upstream,
  timeoutMs: number,
): Promise<string | undefined> {
  if (remote === '.') return resolveCommit(repo, ref);
  try {
    const { stdout } = await runGit(repo, ['ls-remote', '--quiet', '--', remote, ref], { timeoutMs });
    const line = stdout.split('\n').find((each) => each.endsWith(`\t${ref}`));
    const oid = line?.split('\t')[0] ?? '';
    return isOid(oid) ? oid : undefined;
  } catch (error) {
    // A remote that is away is no failure: whoever asks goes on without.
    if (isSwarmError(error, 'git_failed') || isSwarmError(error, 'timed_out')) return undefined;
    throw error;
  }
}

/** True where `tip`, which may not even be here yet, has commits that `head` lacks. */
export async function lacks(repo: Repository, head: string, tip: string): Promise<boolean> {
  if ((await repo.objects.head(tip)) === undefined) return true;
  return !(await isAncestor(repo, tip, head));
}

/** Fetches from a remote; throws git_failed or timed_out. */
export async function fetchFrom(repo: Repository, remote: string, timeoutMs: number): Promise<void> {
  await runGit(repo, ['fetch', '--quiet', '--', remote], { timeoutMs });
}
