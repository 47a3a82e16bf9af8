import { basename, resolve } from 'node:path';
import { addressForms } from '../base/clone-address.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { HostedRepo, listRepos, registerRepo, showClone } from '../contract/hosting.ts';
import { getRepo, Repo } from '../contract/repos.ts';
import { readConfig } from '../git/config.ts';
import type { Repository } from '../git/repository.ts';
import { askFor } from '../sync/ask-for.ts';
import { requestOf } from '../sync/request-of.ts';
import type { ServerLink } from '../sync/server-link.ts';
import { chooseConfig, chooseTarget } from '../workflows/init-repository.ts';

interface Clone {
  git: Repository;
  /** The git remote in which clones meet. */
  remote: string | undefined;
  /** The repository as the database beside the clone knows it. */
  own: Repo | undefined;
}

/**
 * The repository of a server that a clone belongs to: the one that is named, else the one with our id, else the one
 * that was registered with the address of our remote. One that only has our name may be somebody else's and is asked about.
 */
export async function findHosted(
  link: ServerLink,
  clone: Clone & { named: string | undefined; isNew: boolean },
): Promise<Repo | undefined> {
  const { named, isNew, own } = clone;
  if (named !== undefined) return requireClientClone(link, await getNamed(link, named));
  if (own) {
    const same = await findById(link, own.id);
    if (same) return requireClientClone(link, same);
    if (own.authority === 'server') throw noSuchRepo(link, own.id);
  }
  if (isNew) return undefined;
  const name = nameOf(clone);
  const addresses = await addressesOf(clone);
  const there = await listAll(link, { cloneUrls: addresses });
  // A folder may be called anything; two repositories that land in one remote would undo each other's work.
  if (there.length > 0)
    return requireClientClone(link, onlyOne(link, `with the remote ${addresses[0]}`, there));
  const alike = await listAll(link, { name });
  const [first] = alike;
  if (!first) return undefined;
  throw new SwarmError(
    'ambiguous',
    `${link.url} has a repository "${name}", and nothing says that it is this one.`,
    {
      fix: `gitswarm connect … --repo ${first.handle} to join it, or --new to make another`,
      details: { candidates: alike.map(({ id, handle, name: each }) => ({ id, handle, name: each })) },
    },
  );
}

/**
 * Makes the repository known to the server; whoever connects owns it there. Throws conflict where another clone of the
 * same remote was quicker.
 */
export async function registerHosted(
  link: ServerLink,
  clone: Clone & { isNew: boolean },
): Promise<HostedRepo> {
  const { git, own, isNew } = clone;
  const config = own?.config ?? (await chooseConfig(git, await chooseTarget(git, undefined), {}));
  const input = registerRepo.input.parse({
    ...(own ? { id: own.id, description: own.description } : {}),
    name: nameOf(clone),
    cloneUrl: (await addressesOf(clone))[0] ?? null,
    ownershipModel: own?.settings.ownership_model ?? 'guild',
    ...(own
      ? {
          isPrivate: own.settings.is_private,
          agentAccess: own.settings.agent_access,
          minKarma: own.settings.min_karma,
        }
      : {}),
    config,
    new: isNew,
  });
  // The same repository registered twice is refused by its id, so a lost answer does no harm.
  return askFor(link, HostedRepo, requestOf(registerRepo, input));
}

async function getNamed(link: ServerLink, named: string): Promise<Repo> {
  const byId = await findById(link, named);
  if (byId) return byId;
  const all = await listAll(link, {});
  const found = all.filter(({ id, handle, name }) => [id, handle, name].includes(named));
  if (found.length === 0) throw noSuchRepo(link, named);
  return onlyOne(link, `called "${named}"`, found);
}

function onlyOne(link: ServerLink, what: string, found: readonly Repo[]): Repo {
  const [only, second] = found;
  if (only && !second) return only;
  throw new SwarmError('ambiguous', `${link.url} has several repositories ${what}.`, {
    fix: `Name one by its handle: --repo ${only?.handle ?? ''}`,
    details: { candidates: found.map(({ id, handle, name }) => ({ id, handle, name })) },
  });
}

function noSuchRepo(link: ServerLink, named: string): SwarmError {
  return new SwarmError('not_found', `${link.url} has no repository "${named}" that you may see.`, {
    fix: 'Look at the name, or ask its owner for access.',
  });
}

async function findById(link: ServerLink, repoId: string): Promise<Repo | undefined> {
  try {
    return await askFor(link, Repo, requestOf(getRepo, { repoId }));
  } catch (error) {
    if (isSwarmError(error, 'not_found') || isSwarmError(error, 'invalid')) return undefined;
    throw error;
  }
}

async function listAll(
  link: ServerLink,
  wish: { name?: string; cloneUrls?: readonly string[] },
): Promise<Repo[]> {
  // An empty list of addresses would ask for all of them.
  if (wish.cloneUrls?.length === 0) return [];
  const found: Repo[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await askFor(link, listRepos.output, requestOf(listRepos, { limit: 200, ...wish, cursor }));
    found.push(...page.items);
    if (page.nextCursor === null) return found;
    cursor = page.nextCursor;
  }
}

/** Where the clone of a repository is, and the address it was registered with. */
export async function cloneOf(link: ServerLink, repoId: string) {
  return askFor(link, showClone.output, requestOf(showClone, { repoId }));
}

/** Where the clone is the server's, it lands by itself: agents need no clone, and none is asked. */
async function requireClientClone(link: ServerLink, repo: Repo): Promise<Repo> {
  const { clone } = await cloneOf(link, repo.id);
  if (clone === 'client') return repo;
  throw new SwarmError(
    'wrong_state',
    `The clone of ${repo.name} is at the server, which lands what is sent to it.`,
    {
      fix: `Work through its API: ${link.url}/api/docs; or register this clone as another one with --new.`,
    },
  );
}

function nameOf({ git, own }: Clone): string {
  return own?.name ?? (basename(git.root).replace(/\.git$/, '') || 'repository');
}

async function addressesOf(clone: Pick<Clone, 'git' | 'remote'>): Promise<string[]> {
  const address = await addressOf(clone);
  return address === undefined ? [] : addressForms(address);
}

/**
 * The address of the remote, without a password: what tells two clones of one repository. A path is told in full, for it
 * is another one wherever it is read.
 */
export async function addressOf({ git, remote }: Pick<Clone, 'git' | 'remote'>): Promise<string | undefined> {
  const url = remote === undefined ? undefined : await readConfig(git, `remote.${remote}.url`);
  if (url === undefined) return undefined;
  const isPath = !/^[a-z][a-z0-9+.-]*:|^[^/]+:/i.test(url);
  return isPath ? resolve(git.root, url) : addressForms(url)[0];
}
