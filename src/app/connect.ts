import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isoTime, systemClock } from '../base/clock.ts';
import { type Agent, showAgent } from '../contract/agents.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { listEvents } from '../contract/events.ts';
import type { Repo } from '../contract/repos.ts';
import { findRef } from '../git/refs.ts';
import { openRepository, type Repository, requireHistory } from '../git/repository.ts';
import {
  type Connection,
  findConnection,
  findLastConnection,
  saveConnection,
} from '../machine/connection.ts';
import { withLock } from '../machine/locks.ts';
import { type Machine, openMachine } from '../machine/machine.ts';
import { listOutbox, putIntoOutbox } from '../machine/outbox.ts';
import { assignWorkspace } from '../machine/workspaces.ts';
import { standIns } from '../sync/agents-at-server.ts';
import { askFor } from '../sync/ask-for.ts';
import { carryOver } from '../sync/carry-over.ts';
import { requestOf } from '../sync/request-of.ts';
import { ServerLink, usableKey } from '../sync/server-link.ts';
import { chooseTarget, makeFiles } from '../workflows/init-repository.ts';
import { chooseRemote } from '../workflows/push.ts';
import type { Environment } from './environment.ts';
import { findHosted, registerHosted } from './hosted-repo.ts';
import { whoIs } from './open-connected.ts';
import { type OwnRepository, openOwn } from './own-repository.ts';
import { type Places, placesOf } from './places.ts';
import { requireSamePlace } from './same-place.ts';
import { serverUrl } from './server-url.ts';

export interface ConnectRequest {
  server: string;
  token: string;
  /** The repository at the server: its id, handle or name. */
  repo?: string | undefined;
  /** Another one is made at the server, even if one of this name is there. */
  isNew?: boolean;
  /** The git remote in which the clones meet. */
  remote?: string | undefined;
  /** The token may cross the network in the clear. */
  insecure?: boolean;
}

export interface ConnectResult {
  connection: Connection;
  repo: Repo;
  agent: Agent;
  /** The repository was made at the server just now. */
  registered: boolean;
  /** What goes to the server from here; it waits in the outbox. */
  carriedOver: { tasks: number; streams: number };
  /** Agents of this clone in whose name the token cannot speak: their work is recorded as its holder's. */
  spokenFor: string[];
}

/**
 * Lets a server decide for the repository that `dir` belongs to. One that has decided for itself takes its open work
 * along and never decides again. A second call for the same repository takes the new token and changes nothing else.
 */
export async function connectApp(given: {
  dir: string;
  environment: Environment;
  request: ConnectRequest;
}): Promise<ConnectResult> {
  const { environment, request } = given;
  const git = await openRepository(given.dir, { inheritedEnv: environment.variables });
  const places = placesOf(git);
  const machine = openMachine(places.home);
  try {
    await git.version();
    requireHistory(git);
    const link = new ServerLink({ url: serverUrl(request), token: request.token });
    const agent = await whoIs(link).catch((error: unknown) => {
      throw error instanceof AuthorityAway ? unreachable(link.url, error) : error;
    });
    const own = await openOwn(places.database, { durable: environment.durable });
    try {
      return await connect({ git, places, machine, link, agent, own }, request);
    } finally {
      await own?.close();
    }
  } finally {
    machine.close();
    await git.close();
  }
}

/** Nothing is kept for a server that nobody is connected to. */
function unreachable(url: string, error: AuthorityAway): SwarmError {
  return new SwarmError('unavailable', error.message, {
    fix: `Nothing was kept. Look at the address, and whether it runs: ${url}/health`,
    cause: error,
  });
}

interface Parts {
  git: Repository;
  places: Places;
  machine: Machine;
  link: ServerLink;
  agent: Agent;
  own: OwnRepository | undefined;
}

async function connect(parts: Parts, request: ConnectRequest): Promise<ConnectResult> {
  const { git, places, machine, link, agent, own } = parts;
  const before = existsSync(join(machine.localDir, 'machine.db')) ? findConnection(machine) : undefined;
  const last = before ?? findLastConnection(machine);
  const known = last?.url === link.url && !request.isNew ? last.repoId : before?.repoId;
  const remote = await chooseRemote(git, request.remote);
  const clone = { git, remote, own: own?.repo, isNew: request.isNew ?? false };
  const { found, registered } = await findOrRegister(link, { ...clone, named: request.repo ?? known });
  if (own && found && own.repo.id !== found.id && own.repo.authority === 'local')
    refuseTwoHistories(own.repo, found);
  const isSame =
    before?.repoId === found?.id && before?.url === link.url && before?.remote === (remote ?? null);
  if (found && !isSame) await requireSamePlace(link, clone, found);
  const repo = found ?? registered;
  if (before && (before.repoId !== repo.id || before.url !== link.url)) refuseUnsent(machine, before);
  const connection: Connection = {
    url: link.url,
    repoId: repo.id,
    agentId: agent.id,
    agentName: agent.name,
    remote: remote ?? null,
    cursor: before?.repoId === repo.id ? before.cursor : await newestEvent(link, repo.id),
    lookedAt: null,
    connectedAt: isoTime(systemClock.now()),
  };
  mkdirSync(machine.localDir, { recursive: true });
  return withLock(places.home, 'init', async () => {
    const isMade = (await findRef(git, `refs/heads/${repo.bufferBranch}`)) !== undefined && own !== undefined;
    // Where clones meet, the buffer is there already, or begins when they do.
    const begins = remote === undefined ? (await targetOf(git, repo)).commit : undefined;
    // Whoever joins gets the settings with the branches: an untracked file would stand in their way.
    const configFile = found ? undefined : places.configFile;
    if (!isMade) await makeFiles(git, { home: places.home, configFile }, repo, begins);
    const carried = own?.repo.authority === 'local' ? await takeAlong(parts, own) : nothingCarried;
    // From here on nothing is decided here, whatever comes in between.
    await own?.handOver(link.url, repo.orgId);
    saveConnection(machine, connection, usableKey(request.token));
    return { connection, repo, agent, registered: registered !== undefined, ...carried };
  });
}

type Found = { found: Repo; registered?: undefined } | { found?: undefined; registered: Repo };

/** Another clone of the same remote may register the repository at the same moment: then this one joins it. */
async function findOrRegister(link: ServerLink, wish: Parameters<typeof findHosted>[1]): Promise<Found> {
  const found = await findHosted(link, wish);
  if (found) return { found };
  try {
    return { registered: await registerHosted(link, wish) };
  } catch (error) {
    const quicker = isSwarmError(error, 'conflict') ? await findHosted(link, wish) : undefined;
    if (!quicker) throw error;
    return { found: quicker };
  }
}

const nothingCarried = { carriedOver: { tasks: 0, streams: 0 }, spokenFor: [] };

/** Puts the open work of this clone into the outbox, and its workspaces into the hands of who stands for their agents. */
async function takeAlong(
  { link, machine, agent }: Parts,
  { authority, repo }: OwnRepository,
): Promise<Pick<ConnectResult, 'carriedOver' | 'spokenFor'>> {
  const at = isoTime(systemClock.now());
  const ids = new Set<string>();
  const named = (id: string) => {
    ids.add(id);
    return id;
  };
  await carryOver(authority, { repoId: repo.id, agentAt: named, at });
  const agents = [];
  for (const id of ids) agents.push(await authority.call(showAgent, { agent: id }));
  const { idOf, spokenFor } = await standIns(link, { holder: agent, agents });
  const agentAt = (id: string) => idOf.get(id) ?? agent.id;
  const { entries, tasks, streams } = await carryOver(authority, { repoId: repo.id, agentAt, at });
  for (const entry of entries) putIntoOutbox(machine, entry);
  for (const stream of streams) assignWorkspace(machine, stream.id, agentAt(stream.authorId));
  return { carriedOver: { tasks, streams: streams.length }, spokenFor };
}

/** Where the target is not here yet, the branch one stands on is where the buffer begins. */
async function targetOf(git: Repository, repo: Repo): Promise<{ commit: string }> {
  const there = await findRef(git, `refs/heads/${repo.promoteTarget}`);
  return there === undefined ? chooseTarget(git, undefined) : { commit: there };
}

/** What happened before does not have to be told. */
async function newestEvent(link: ServerLink, repoId: string): Promise<string | null> {
  const { items } = await askFor(link, listEvents.output, requestOf(listEvents, { repoId, limit: 1 }));
  const [newest] = items;
  return newest === undefined ? null : String(newest.seq);
}

function refuseUnsent(machine: Machine, before: Connection): void {
  const waiting = listOutbox(machine).length;
  if (waiting === 0) return;
  throw new SwarmError('unlanded_work', `${waiting} calls for ${before.url} have not been sent yet.`, {
    fix: 'gitswarm sync, or gitswarm disconnect --force, which keeps them in a file',
  });
}

/** Two databases that both decided about different things under one name cannot become one. */
function refuseTwoHistories(own: Repo, found: Repo): never {
  throw new SwarmError(
    'conflict',
    `This clone is the repository ${own.handle}, and ${found.name} is ${found.handle}.`,
    {
      fix: 'To join it: from a fresh clone, or after gitswarm uninit. To bring this one along: --new instead of --repo.',
    },
  );
}
