import { allPages } from '../../base/all-pages.ts';
import { isSwarmError } from '../../contract/errors.ts';
import { listMerges, type Merge } from '../../contract/merges.ts';
import { listStreams, type Stream } from '../../contract/streams.ts';
import { sayDirectPush } from '../../domain/repos/branch-rules.ts';
import { isAncestor, readCommit } from '../../git/commits.ts';
import { findRef, updateRefs } from '../../git/refs.ts';
import { adoptBranch } from '../adopt.ts';
import { isAtHome } from '../shared/at-home.ts';
import { bringStream } from '../shared/bring-stream.ts';
import { seeRemote } from '../shared/see-remote.ts';
import { isHere, isOnBranch } from '../shared/shared-refs.ts';
import type { SharedRemote, Workflow } from '../workflow.ts';
import type { Finding } from './finding.ts';

/** Branches that were moved or deleted behind our back. A branch comes back at the last commit that was recorded. */
export async function checkBranches(workflow: Workflow): Promise<Finding[]> {
  const landings = await allPages((cursor) =>
    workflow.authority.call(listMerges, { repoId: workflow.repo.id, state: 'landed', limit: 200, cursor }),
  );
  const findings = [await checkBuffer(workflow, landings), await checkTarget(workflow)];
  const open = await allPages((cursor) =>
    workflow.authority.call(listStreams, { repoId: workflow.repo.id, open: true, limit: 200, cursor }),
  );
  for (const stream of open) {
    const finding = await checkStream(workflow, stream);
    if (finding) findings.push(finding);
  }
  if (findings.every((finding) => finding.level === 'ok')) {
    findings.push({ check: 'streams', level: 'ok', text: `${open.length} open streams have their branches` });
  }
  return findings;
}

async function checkBuffer(workflow: Workflow, landings: Merge[]): Promise<Finding> {
  const { bufferBranch, promoteTarget, config } = workflow.repo;
  const rule = sayDirectPush(bufferBranch, config);
  const ref = `refs/heads/${bufferBranch}`;
  const tip = await findRef(workflow.git, ref);
  const newest = landings.find((merge) => merge.commit !== null)?.commit ?? null;
  if (tip === undefined) {
    const at = newest ?? (await findRef(workflow.git, `refs/heads/${promoteTarget}`));
    return {
      check: 'buffer',
      level: 'problem',
      text: `the branch ${bufferBranch} is gone`,
      ...(at
        ? {
            mend: async () => {
              await bringBack(workflow, ref, at);
              return `${bufferBranch} is back at ${at.slice(0, 10)}, the last landing`;
            },
          }
        : { fix: `git branch ${bufferBranch} <commit>` }),
    };
  }
  const missing = await lacking(landings, async (commit) => {
    return (await isHere(workflow, commit)) && isAncestor(workflow.git, commit, tip);
  });
  if (missing.length === 0 && landings.length > 0 && !landings.some(({ commit }) => commit === tip)) {
    const text = `${bufferBranch} was moved by another hand: ${tip.slice(0, 10)} is no landing; ${rule}`;
    return { check: 'buffer', level: 'note', text };
  }
  if (missing.length === 0)
    return { check: 'buffer', level: 'ok', text: `${bufferBranch} holds every landing` };
  if (workflow.shared) return checkSharedBuffer(workflow, workflow.shared, landings);
  return {
    check: 'buffer',
    level: 'problem',
    text: `${bufferBranch} was moved by another hand: it lacks ${missing.length} landings (${missing.slice(0, 5).join(', ')}); ${rule}`,
    ...(newest
      ? {
          fix: `git update-ref ${ref} ${newest} brings the newest landing back; look at git reflog ${bufferBranch} first`,
        }
      : {}),
  };
}

/** Handles of the landings whose commit is not there. */
async function lacking(
  landings: readonly Merge[],
  isThere: (commit: string) => Promise<boolean>,
): Promise<string[]> {
  const missing: string[] = [];
  for (const { commit, handle } of landings)
    if (commit !== null && !(await isThere(commit))) missing.push(handle);
  return missing;
}

/** What is not here may not have been fetched; what the remote does not have either, no fetching brings. */
async function checkSharedBuffer(
  workflow: Workflow,
  shared: SharedRemote,
  landings: readonly Merge[],
): Promise<Finding> {
  const { bufferBranch: branch } = workflow.repo;
  const named = (missing: readonly string[]) =>
    `${missing.length} landings (${missing.slice(0, 5).join(', ')})`;
  const isThere = (commit: string) => isOnBranch(workflow, branch, commit);
  const isAsked = await seeRemote(workflow, shared, branch).then(
    () => true,
    (error: unknown) => {
      if (!isSwarmError(error, 'unavailable')) throw error;
      return false;
    },
  );
  const missing = await lacking(landings, isThere);
  if (missing.length > 0 && isAsked) {
    return {
      check: 'buffer',
      level: 'problem',
      text: `${branch} lacks ${named(missing)}, here and in ${shared.remote}: it is not where the others land, or was moved back`,
      fix: `git remote -v: is ${shared.remote} where the others meet? If so, push ${branch} from the clone that has its newest commit; else gitswarm connect … --remote <name>`,
    };
  }
  const text =
    missing.length > 0
      ? `${branch} lacks ${named(missing)} of other machines, and ${shared.remote} cannot be asked now`
      : `${branch} has not followed ${shared.remote} yet`;
  return { check: 'buffer', level: 'note', text, fix: 'gitswarm sync' };
}

async function checkTarget(workflow: Workflow): Promise<Finding> {
  const { promoteTarget } = workflow.repo;
  const tip = await findRef(workflow.git, `refs/heads/${promoteTarget}`);
  if (tip !== undefined)
    return { check: 'target', level: 'ok', text: `${promoteTarget} @ ${tip.slice(0, 10)}` };
  return {
    check: 'target',
    level: 'problem',
    text: `the branch ${promoteTarget} is gone`,
    fix: `git branch ${promoteTarget} <commit>, or gitswarm config set promote_target <branch>`,
  };
}

async function checkStream(workflow: Workflow, stream: Stream): Promise<Finding | undefined> {
  const ref = `refs/heads/${stream.branch}`;
  const tip = await findRef(workflow.git, ref);
  if (tip === stream.head) return undefined;
  if (!(await isAtHome(workflow, stream))) return checkMirror(workflow, stream);
  if (tip !== undefined) {
    return {
      check: 'streams',
      level: 'note',
      text: `${stream.handle} holds commits made with plain git`,
      mend: async () => {
        const adopted = await adoptBranch(workflow, stream);
        return adopted.head === stream.head ? 'left as it is' : `taken in @ ${adopted.head.slice(0, 10)}`;
      },
    };
  }
  const isThere = await readCommit(workflow.git, stream.head).then(
    () => true,
    () => false,
  );
  return {
    check: 'streams',
    level: 'problem',
    text: `the branch of ${stream.handle} "${stream.name}" is gone`,
    ...(isThere
      ? {
          mend: async () => {
            await bringBack(workflow, ref, stream.head);
            return `back at ${stream.head.slice(0, 10)}, the last commit that was recorded`;
          },
        }
      : {
          fix: `gitswarm stream abandon ${stream.handle}; its last commit ${stream.head.slice(0, 10)} is gone, too`,
        }),
  };
}

/** Where it is written on another machine the branch here decides nothing; its head may only not have come yet. */
async function checkMirror(workflow: Workflow, stream: Stream): Promise<Finding | undefined> {
  if (await isHere(workflow, stream.head)) return undefined;
  return {
    check: 'streams',
    level: 'note',
    text: `${stream.handle} is written on another machine; its commit ${stream.head.slice(0, 10)} is not here yet`,
    mend: async () => `fetched: ${(await bringStream(workflow, stream)).slice(0, 10)}`,
  };
}

/** Also under a checkout that stands on it: whose branch was deleted, its index and files are still as they were. */
async function bringBack(workflow: Workflow, ref: string, commit: string): Promise<void> {
  await updateRefs(workflow.git, [{ ref, old: null, new: commit }], 'gitswarm: doctor', {
    withCheckout: true,
  });
}
