import { isSameAddress } from '../base/clone-address.ts';
import { SwarmError } from '../contract/errors.ts';
import { listMerges } from '../contract/merges.ts';
import type { Repo } from '../contract/repos.ts';
import { listStreams } from '../contract/streams.ts';
import { isAncestor } from '../git/commits.ts';
import { branchRef } from '../git/ref-name.ts';
import { findRef } from '../git/refs.ts';
import type { Repository } from '../git/repository.ts';
import { askFor } from '../sync/ask-for.ts';
import { requestOf } from '../sync/request-of.ts';
import type { ServerLink } from '../sync/server-link.ts';
import { fetchTip } from '../workflows/shared/fetch-tip.ts';
import { addressOf, cloneOf } from './hosted-repo.ts';

/**
 * Refuses a clone that does not meet the others of a repository: in a fork, or in a folder without a remote, it would
 * land what they never see. The address of its remote tells, or the history: what landed last is on the buffer there.
 */
export async function requireSamePlace(
  link: ServerLink,
  clone: { git: Repository; remote: string | undefined },
  repo: Repo,
): Promise<void> {
  const { git, remote } = clone;
  const { cloneUrl } = await cloneOf(link, repo.id);
  const ours = await addressOf(clone);
  if (cloneUrl !== null && ours !== undefined && isSameAddress(cloneUrl, ours)) return;
  if (cloneUrl !== null && ours === undefined) throw elsewhere(repo, { cloneUrl, ours });
  const known = await knownCommit(link, repo);
  // Nothing has begun, and where the clones meet nobody has said.
  if (known === undefined && cloneUrl === null) return;
  const tips = [
    ...(remote === undefined ? [] : [await fetchTip({ git, shared: { remote } }, repo.bufferBranch)]),
    // What is only here comes to a remote that has been nobody's yet.
    ...(cloneUrl === null ? [await findRef(git, branchRef(repo.bufferBranch))] : []),
  ];
  for (const tip of tips) if (tip !== undefined && (await holds(git, tip, known))) return;
  throw elsewhere(repo, { cloneUrl, ours });
}

/** The newest landing; before the first, where a stream began: both are in the history of the buffer. */
async function knownCommit(link: ServerLink, { id: repoId }: Repo): Promise<string | undefined> {
  const asked = requestOf(listMerges, { repoId, state: 'landed', limit: 50 });
  const landed = await askFor(link, listMerges.output, asked);
  const merges = landed.items.filter(({ commit }) => commit !== null);
  const newest = merges.sort((a, b) => ((a.landedAt ?? '') < (b.landedAt ?? '') ? 1 : -1))[0];
  if (newest?.commit) return newest.commit;
  const { items } = await askFor(
    link,
    listStreams.output,
    requestOf(listStreams, { repoId, open: true, limit: 50 }),
  );
  return items.find(({ parentStreamId, source }) => parentStreamId === null && source !== 'tracked')
    ?.baseCommit;
}

async function holds(git: Repository, tip: string, commit: string | undefined): Promise<boolean> {
  if (commit === undefined) return false;
  return (await git.objects.head(commit)) !== undefined && isAncestor(git, commit, tip);
}

function elsewhere(
  { name }: Repo,
  { cloneUrl, ours }: { cloneUrl: string | null; ours: string | undefined },
): SwarmError {
  const there = cloneUrl === null ? 'in no remote that the server knows' : `in ${cloneUrl}`;
  const here =
    ours === undefined
      ? 'has no git remote'
      : `would meet in ${ours}, which does not hold what is known of it`;
  return new SwarmError('conflict', `The clones of ${name} meet ${there}; this one ${here}.`, {
    fix: 'Join from a clone of that address (gitswarm connect … --remote <name>), or make another repository: --new.',
    details: { expected: cloneUrl, remote: ours ?? null },
  });
}
