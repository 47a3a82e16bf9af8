import { isId } from '../../base/ids.ts';
import { SwarmError } from '../../contract/errors.ts';
import { isOid } from '../../git/oid.ts';
import { isRefName } from '../../git/ref-name.ts';
import type { RefUpdate } from '../../git/ref-writer.ts';
import { findRef, listRefs, updateRefs } from '../../git/refs.ts';
import type { SharedRemote, Workflow } from '../workflow.ts';
import { ASK_MS, callRemote, SEND_MS } from './call-remote.ts';
import { isGreenTag, SHARED, seenRef } from './shared-refs.ts';

export interface Sight {
  /** Branches whose last seen value is another one now. */
  changed: string[];
  /** Branches that the remote has, of those that concern us. */
  branches: ReadonlySet<string>;
}

/** How often it is looked again where the remote, or another process here, was quicker. */
const LOOKS = 4;

/**
 * Learns where the remote's branches are and fetches what they hold: buffer, target, streams, green tags, and what was
 * seen before; with `only`, that branch. Writes refs of our own and no others. Throws unavailable.
 */
export async function seeRemote(workflow: Workflow, shared: SharedRemote, only?: string): Promise<Sight> {
  for (let look = 1; ; look++) {
    const seen = await listSeen(workflow);
    const there = (await listRemote(workflow, shared)).filter(({ ref }) =>
      only === undefined ? concernsUs(workflow, ref, seen) : ref === `refs/heads/${only}`,
    );
    const changed = there.filter(({ ref, oid }) => seen.get(seenRef(ref)) !== oid);
    const gone = only === undefined ? goneFrom(workflow, there, seen) : [];
    if ((await download(workflow, shared, changed)) && (await record(workflow, { changed, gone, seen }))) {
      const branches = (refs: { ref: string }[]) => refs.flatMap(({ ref }) => branchName(ref) ?? []);
      return { changed: branches(changed), branches: new Set(branches(there)) };
    }
    if (look === LOOKS) {
      throw new SwarmError(
        'unavailable',
        `What ${shared.remote} has changes faster than it can be fetched.`,
        {
          fix: 'Try again.',
        },
      );
    }
  }
}

interface RemoteRef {
  ref: string;
  oid: string;
}

async function listRemote(workflow: Workflow, { remote }: SharedRemote): Promise<RemoteRef[]> {
  const args = ['ls-remote', '--quiet', '--heads', '--tags', '--refs', '--', remote];
  const { stdout } = await callRemote(workflow, args, { timeoutMs: ASK_MS });
  return stdout.split('\n').flatMap((line) => {
    const [oid = '', ref = ''] = line.split('\t');
    return isOid(oid) && isRefName(ref) ? [{ oid, ref }] : [];
  });
}

async function listSeen(workflow: Workflow): Promise<Map<string, string>> {
  const refs = await listRefs(workflow.git, [`${SHARED}heads/`, `${SHARED}tags/`]);
  return new Map(refs.map(({ name, oid }) => [name, oid]));
}

/** Anybody can make branches there; those that are none of ours are not even fetched. */
function concernsUs({ repo }: Workflow, ref: string, seen: ReadonlyMap<string, string>): boolean {
  if (isGreenTag(ref)) return true;
  const branch = branchName(ref);
  if (branch === undefined) return false;
  if (branch === repo.bufferBranch || branch === repo.promoteTarget) return true;
  return branch.startsWith('stream/') ? isId(branch.slice('stream/'.length)) : seen.has(seenRef(ref));
}

/** Seen before and deleted since. Of buffer and target it stays known: nobody may begin them anew by mistake. */
function goneFrom(
  { repo }: Workflow,
  there: readonly RemoteRef[],
  seen: ReadonlyMap<string, string>,
): RemoteRef[] {
  const kept = new Set(
    [
      ...there.map(({ ref }) => ref),
      ...[repo.bufferBranch, repo.promoteTarget].map((b) => `refs/heads/${b}`),
    ].map(seenRef),
  );
  return [...seen]
    .filter(([name]) => name.startsWith(`${SHARED}heads/`) && !kept.has(name))
    .map(([ref, oid]) => ({ ref, oid }));
}

/** Fetches objects only: refs are moved by us, each from the value it was compared with. False: look again. */
async function download(
  workflow: Workflow,
  { remote }: SharedRemote,
  changed: readonly RemoteRef[],
): Promise<boolean> {
  if (changed.length === 0) return true;
  const quiet = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-prune', '--refmap='];
  const alone = ['--no-recurse-submodules', '--no-auto-maintenance', '--stdin'];
  await callRemote(workflow, ['fetch', ...quiet, ...alone, '--', remote], {
    input: changed.map(({ ref }) => `${ref}\n`).join(''),
    timeoutMs: SEND_MS,
  });
  // A branch that was rewritten in between came as what it is now.
  const heads = await Promise.all(changed.map(({ oid }) => workflow.git.objects.head(oid)));
  return heads.every((head) => head !== undefined);
}

async function record(
  workflow: Workflow,
  now: { changed: readonly RemoteRef[]; gone: readonly RemoteRef[]; seen: ReadonlyMap<string, string> },
): Promise<boolean> {
  const { git } = workflow;
  // First, because a name that is gone may stand where a directory has to be.
  const removed = now.gone.map(({ ref, oid }) => ({ ref, old: oid, new: null }));
  if ((await updateRefs(git, removed, 'gitswarm: gone from the remote')).kind === 'lost') return false;
  const updates: RefUpdate[] = [];
  for (const { ref, oid } of now.changed) {
    updates.push({ ref: seenRef(ref), old: now.seen.get(seenRef(ref)) ?? null, new: oid });
    const isNewTag = ref.startsWith('refs/tags/') && (await findRef(git, ref)) === undefined;
    if (isNewTag) updates.push({ ref, old: null, new: oid });
  }
  return (await updateRefs(git, updates, 'gitswarm: seen in the remote')).kind === 'moved';
}

function branchName(ref: string): string | undefined {
  return ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;
}
