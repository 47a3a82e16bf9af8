import { onTestFinished } from 'vitest';
import type { Decided } from '../../src/app/decided.ts';
import { readEnvironment } from '../../src/app/environment.ts';
import { openConnected } from '../../src/app/open-connected.ts';
import { isoTime, systemClock } from '../../src/base/clock.ts';
import { newId } from '../../src/base/ids.ts';
import type { InputOf } from '../../src/contract/endpoint.ts';
import type { createStream, recordHead } from '../../src/contract/streams.ts';
import { type Connection, saveConnection } from '../../src/machine/connection.ts';
import { type Machine, type MachineOptions, openMachine } from '../../src/machine/machine.ts';
import { listOutbox } from '../../src/machine/outbox.ts';
import type { Flushed } from '../../src/sync/flush-outbox.ts';
import type { DatabasePlaceForTests } from './databases.ts';
import { type FaultyProxy, makeFaultyProxy } from './faulty-proxy.ts';
import { makeServer, type ServerForTests } from './server.ts';
import { factsOf, oid } from './stream-story.ts';
import { tempDir } from './temp-dir.ts';

/** One process of a connected clone, as a command is one. */
export interface Client {
  machine: Machine;
  authority: Decided['authority'];
  /** What it said to whoever sits before it. */
  told: string[];
  flush(): Promise<Flushed>;
}

export interface ClientOptions extends MachineOptions {
  /** Instead of the token that was given with `connect`. */
  token?: string;
  offline?: boolean;
  /** Instead of the process that runs the test. */
  holder?: string;
}

type Agent = { id: string; name: string; key: string };

/** A clone without git that a server decides for, over a way that can be bad. */
export interface ConnectedClone {
  server: ServerForTests;
  proxy: FaultyProxy;
  owner: Agent;
  coder: Agent;
  repoId: string;
  connection: Connection;
  dir: string;
  /** A new process; the one before it may still be there. */
  open(options?: ClientOptions): Promise<Client>;
  /** A new process for the length of `work`. */
  run<T>(work: (client: Client) => Promise<T>, options?: ClientOptions): Promise<T>;
  /** What is not done yet: the states of the outbox with its operations. */
  outbox(): string[];
  /** What has happened at the server, oldest first: types of events with the names of who did it. */
  log(): Promise<{ type: string; actorName: string | null; subject: { id: string }; data: object }[]>;
}

export const noneAlive = { isAlive: () => false };

/** The token is the coder's, who may write in a private repository of the owner's. */
export async function connectClone(place?: DatabasePlaceForTests): Promise<ConnectedClone> {
  const server = await makeServer(place ? { place } : {});
  const proxy = await makeFaultyProxy(server.url);
  const owner = await server.agent('owner');
  const coder = await server.agent('coder');
  const wish = { name: 'demo', ownershipModel: 'guild', isPrivate: true, agentAccess: 'allowlist' };
  const { id: repoId } = await server.ask('POST /repos/register', { as: owner.key, body: wish });
  const access = { agent: 'coder', level: 'write' };
  await server.ask(`POST /repos/${repoId}/access`, { as: owner.key, body: access });
  const dir = tempDir('clone');
  const connection: Connection = {
    url: proxy.url,
    repoId,
    agentId: coder.id,
    agentName: coder.name,
    remote: null,
    cursor: null,
    lookedAt: null,
    connectedAt: isoTime(systemClock.now()),
  };
  withMachine(dir, (machine) => saveConnection(machine, connection, coder.key));
  const open = async ({ token, offline = false, holder, ...more }: ClientOptions = {}): Promise<Client> => {
    const machine = openMachine(dir, more);
    if (holder !== undefined) Object.assign(machine, { holder });
    onTestFinished(() => machine.close());
    const told: string[] = [];
    const environment = readEnvironment(token === undefined ? {} : { GITSWARM_TOKEN: token });
    const clientOptions = { dir, environment, offline, tell: (text: string) => void told.push(text) };
    const { authority, server: side } = await openConnected({ machine, connection, options: clientOptions });
    if (!side) throw new Error('It is not connected.');
    return { machine, authority, told, flush: () => side.flush() };
  };
  const run = async <T>(work: (client: Client) => Promise<T>, more: ClientOptions = {}) => {
    const client = await open(more);
    try {
      return await work(client);
    } finally {
      client.machine.close();
    }
  };
  // The first look is what is remembered while the server is away.
  await run(async () => undefined);
  return {
    ...{ server, proxy, owner, coder, repoId, connection, dir, open, run },
    outbox: () =>
      withMachine(dir, (machine) => listOutbox(machine).map((each) => `${each.state} ${each.operation}`)),
    log: async () => {
      const { items } = await server.ask(`GET /repos/${repoId}/activity?limit=200&after=0`, {
        as: owner.key,
      });
      return items;
    },
  };
}

/** The files of a clone, looked at by nobody in particular. */
export function withMachine<T>(dir: string, look: (machine: Machine) => T): T {
  const machine = openMachine(dir);
  try {
    return look(machine);
  } finally {
    machine.close();
  }
}

/** A stream as the workflow asks for it, with an id of its own. */
export function streamWish(
  repoId: string,
  name: string,
): InputOf<typeof createStream> & { id: string; name: string } {
  return { repoId, id: newId(systemClock.now()), name, baseBranch: 'buffer', baseCommit: oid('buffer') };
}

export function headWish(stream: string, name: string): InputOf<typeof recordHead> {
  return { stream, facts: factsOf(name), cause: 'commit' };
}
