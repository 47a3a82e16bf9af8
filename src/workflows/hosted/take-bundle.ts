import { isSwarmError, SwarmError } from '../../contract/errors.ts';
import type { RepoConfig } from '../../contract/repo-files.ts';
import { type AccessLevel, explainAccess, getRepo } from '../../contract/repos.ts';
import { listStreams } from '../../contract/streams.ts';
import { type MovedRef, recordUpload } from '../../contract/uploads.ts';
import { includesLevel } from '../../domain/access/access.ts';
import { levelToPush, touchesSettings } from '../../domain/repos/branch-rules.ts';
import { readBundleHeader } from '../../git/bundle-header.ts';
import { isAncestor, readCommit } from '../../git/commits.ts';
import { emptyTree } from '../../git/oid.ts';
import { patchBetween } from '../../git/patches.ts';
import { isRefName } from '../../git/ref-name.ts';
import type { RefUpdate } from '../../git/ref-writer.ts';
import { findRef, updateRefs } from '../../git/refs.ts';
import type { Repository } from '../../git/repository.ts';
import { takePack } from '../../git/take-pack.ts';
import { bufferTip, targetTip, type Workflow } from '../workflow.ts';

export interface TakenBundle {
  moved: MovedRef[];
  /** Refs of the bundle that are not the sender's to set. */
  ignored: string[];
}

interface Offered {
  name: string;
  oid: string;
}

/**
 * Takes the branches and tags of a bundle into a server's clone. Where nothing has begun yet they are its beginning;
 * afterwards branches only move forward, tags never, and each only for whom its branch rule lets push. All of it or
 * nothing.
 */
export async function takeBundle(workflow: Workflow, path: string): Promise<TakenBundle> {
  const { git, authority, repo } = workflow;
  const header = readBundleHeader(path);
  const offered = header.refs.filter((ref) => isTakeable(ref.name));
  const ignored = header.refs.filter((ref) => !isTakeable(ref.name)).map((ref) => ref.name);
  if (offered.length === 0)
    throw new SwarmError('invalid', 'The bundle offers no branch and no tag.', {
      fix: 'git bundle create repo.bundle --branches --tags',
    });
  const pack = { path, from: header.length, tips: offered.map((ref) => ref.oid) };
  const updates = await takePack(git, pack, async (aside) => {
    for (const ref of offered) await requireKind(aside, ref);
    const sender = await senderOf(workflow);
    const isFirst = await isUntouched(workflow);
    if (isFirst) requireOwner(sender);
    const planned = isFirst
      ? await firstUpdates(workflow, offered)
      : await laterUpdates(workflow, { sender, offered, aside });
    return planned.filter((each) => each.old !== each.new);
  });
  workflow.reach('bundle.unpacked');
  const moved = updates.map(({ ref, old, new: to }) => ({ ref, old, new: to ?? '' }));
  if (moved.length === 0) return { moved, ignored };
  await authority.call(recordUpload, { repoId: repo.id, refs: moved });
  workflow.reach('bundle.recorded');
  await moveAll(git, updates);
  return { moved, ignored };
}

/** Branches of streams and marks of tests are GitSwarm's; everything outside branches and tags is git's own. */
function isTakeable(name: string): boolean {
  if (!isRefName(name) || !/^refs\/(heads|tags)\//.test(name)) return false;
  return !/^refs\/(heads\/(stream\/|HEAD$|-)|tags\/green\/)/.test(name);
}

async function requireKind(aside: Repository, { name, oid }: Offered): Promise<void> {
  const type = (await aside.objects.head(oid))?.type;
  const isCommit = (await aside.objects.head(`${oid}^{commit}`)) !== undefined;
  if (isCommit && (type === 'commit' || name.startsWith('refs/tags/'))) return;
  throw new SwarmError('invalid', `${name} of the bundle is no commit.`);
}

/** Nothing but the empty commit that a new repository begins with. */
async function isUntouched(workflow: Workflow): Promise<boolean> {
  const { git, authority, repo } = workflow;
  const [buffer, target] = [await bufferTip(workflow), await targetTip(workflow)];
  if (buffer !== target) return false;
  const { tree, parents } = await readCommit(git, buffer);
  if (parents.length > 0 || tree !== emptyTree(git.objectFormat)) return false;
  return (await authority.call(listStreams, { repoId: repo.id, limit: 1 })).items.length === 0;
}

async function firstUpdates(workflow: Workflow, offered: Offered[]): Promise<RefUpdate[]> {
  const { repo, git } = workflow;
  const [buffer, target] = [`refs/heads/${repo.bufferBranch}`, `refs/heads/${repo.promoteTarget}`];
  const tip = offered.find((ref) => ref.name === target)?.oid;
  if (tip === undefined)
    throw new SwarmError(
      'invalid',
      `The bundle has no branch ${repo.promoteTarget}, which is the target here.`,
      {
        fix: 'Make the repository with "config": {"promote_target": "…"}, or rename the branch.',
      },
    );
  const hasBuffer = offered.some((ref) => ref.name === buffer);
  const all = hasBuffer ? offered : [...offered, { name: buffer, oid: tip }];
  return Promise.all(
    all.map(async ({ name, oid }) => ({ ref: name, old: (await findRef(git, name)) ?? null, new: oid })),
  );
}

async function laterUpdates(
  workflow: Workflow,
  { sender, offered, aside }: { sender: Sender; offered: Offered[]; aside: Repository },
): Promise<RefUpdate[]> {
  const updates: RefUpdate[] = [];
  for (const { name, oid } of offered) {
    const old = (await findRef(workflow.git, name)) ?? null;
    updates.push({ ref: name, old, new: oid });
    if (old === oid) continue;
    requirePushable(sender, name);
    if (old === null) continue;
    const isForward = name.startsWith('refs/heads/') && (await isAncestor(aside, old, oid));
    if (!isForward)
      throw new SwarmError('conflict', `${name} would lose what it holds: the upload does not build on it.`, {
        fix: 'Fetch what is there, build on it, and make the bundle anew.',
        details: { ref: name, has: old, offered: oid },
      });
    await requirePlain(sender, aside, { name, old, oid });
  }
  return updates;
}

/** Who sends the bundle, and the rules that say what of it they may move. */
interface Sender {
  level: AccessLevel | null;
  config: RepoConfig;
}

async function senderOf({ authority, repo, actor }: Workflow): Promise<Sender> {
  const { config } = await authority.call(getRepo, { repoId: repo.id });
  if (!actor) return { level: null, config };
  const { level } = await authority.call(explainAccess, { repoId: repo.id, agent: actor.id });
  return { level, config };
}

function requireOwner({ level }: Sender): void {
  if (includesLevel(level, 'admin')) return;
  throw new SwarmError('not_allowed', 'A repository begins with what an owner uploads.');
}

function requirePushable({ level, config }: Sender, ref: string): void {
  const needed = levelToPush(ref, config);
  if (needed !== null && includesLevel(level, needed)) return;
  const name = ref.replace(/^refs\/(heads|tags)\//, '');
  const why = needed === null ? 'moves by landings and promotions' : `is moved by who has ${needed} access`;
  throw new SwarmError('not_allowed', `${name} ${why}, not by this upload.`, {
    fix: 'Land the work as a stream, or set direct_push in a branch rule.',
    details: { ref, needs: needed, has: level },
  });
}

/** What buffer and target hold of the settings is in force: past a review only owners change it. */
async function requirePlain(
  { level, config }: Sender,
  aside: Repository,
  { name, old, oid }: Offered & { old: string },
): Promise<void> {
  const isGoverned = [config.buffer_branch, config.promote_target].some(
    (each) => name === `refs/heads/${each}`,
  );
  if (!isGoverned || includesLevel(level, 'admin')) return;
  if (!touchesSettings((await patchBetween(aside, old, oid)).paths)) return;
  throw new SwarmError('not_allowed', `The upload changes settings in ${name}: only an owner does that so.`, {
    fix: 'Land the settings as a stream.',
  });
}

async function moveAll(git: Repository, updates: RefUpdate[]): Promise<void> {
  try {
    const result = await updateRefs(git, updates, 'gitswarm: upload');
    if (result.kind === 'moved') return;
    throw new SwarmError('busy', 'Branches moved at the same moment; the upload changed nothing.', {
      fix: 'Try again.',
    });
  } catch (error) {
    if (!isSwarmError(error, 'git_failed')) throw error;
    throw new SwarmError('conflict', 'A branch of the bundle has a name that cannot be beside those here.', {
      cause: error,
    });
  }
}
