import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { SwarmError } from '../contract/errors.ts';
import { ensureAdmin } from '../contract/server-admin.ts';
import { type Database, type DatabasePlace, openDatabase } from '../db/database.ts';
import { hearOfEvents } from '../db/event-signal.ts';
import { migrate } from '../db/migrate.ts';
import { type ServerLocks, serverLocks } from '../db/server-locks.ts';
import { hashApiKey, newApiKey } from '../domain/agents/api-keys.ts';
import { localAuthority } from '../operations/authority.ts';
import type { Kernel } from '../operations/execute.ts';
import type { Environment } from './environment.ts';
import { type FellowServers, signIn } from './fellow-servers.ts';
import { removeHalfMade } from './half-made-clones.ts';
import { HostedRepositories } from './hosted-repositories.ts';
import { linkRedis, type RedisLink } from './redis-link.ts';
import { type ServerSwitches, serverSwitches } from './server-settings.ts';

/** Everything a server works with, apart from the network. */
export interface ServerApp {
  database: Database;
  kernel: Kernel;
  environment: Environment;
  switches: ServerSwitches;
  /** Where clones and everything else on disk is. */
  dataDir: string;
  /** The administrator's key where this start made it: to be shown once. */
  madeToken: string | undefined;
  /** This start made the administrator. */
  isFirstStart: boolean;
  /** The clones that are at this server. */
  hosted: HostedRepositories;
  /** What is shared with other servers apart from the database; undefined where no Redis was named. */
  redis: RedisLink | undefined;
  /** The servers that share the data directory. */
  fellows: FellowServers | undefined;
  /** Locks between all servers of the database; undefined where it is a file. */
  locks: ServerLocks | undefined;
  /** Calls back when other servers have written events. */
  hearOfEvents(heard: () => void): { close(): Promise<void> };
  close(): Promise<void>;
}

export interface OpenServerOptions {
  environment: Environment;
  /** A PostgreSQL URL or a file; by default a file in the data directory. */
  db?: string | undefined;
  data?: string | undefined;
  clock?: Clock;
  /** Instead of what the environment says. */
  switches?: Partial<ServerSwitches>;
}

/** Opens the database and the data directory of a server, brings both up to date, and makes its administrator. */
export async function openServer(options: OpenServerOptions): Promise<ServerApp> {
  const { environment, clock = systemClock } = options;
  const switches = { ...serverSwitches(environment), ...options.switches };
  const dataDir = resolve(options.data ?? defaultDataDir(environment));
  mkdirSync(join(dataDir, 'repos'), { recursive: true, mode: 0o700 });
  removeHalfMade(join(dataDir, 'repos'), Date.now());
  const place = placeOf(options.db, dataDir);
  const database = openDatabase(place, { durable: environment.durable });
  const locks = 'url' in place ? serverLocks(place.url) : undefined;
  let fellows: FellowServers | undefined;
  const close = async () => {
    fellows?.close();
    await locks?.close();
    await database.close();
  };
  try {
    await migrate(database);
    fellows = await signIn(dataDir, locks);
    const kernel: Kernel = { database, clock };
    const { madeToken, isFirstStart } = await makeAdmin(kernel, switches.adminToken);
    const hosted = new HostedRepositories(kernel, { dataDir, switches, environment, fellows, locks });
    const redis = switches.redisUrl === undefined ? undefined : await linkRedis(switches.redisUrl);
    return {
      database,
      kernel,
      environment,
      switches,
      dataDir,
      madeToken,
      isFirstStart,
      hosted,
      redis,
      fellows,
      locks,
      hearOfEvents: (heard) => {
        // Both, always: whichever of them is away, the other still tells.
        const told = 'url' in place ? hearOfEvents(place.url, heard) : undefined;
        const signalled = redis?.hearOfEvents(heard);
        return {
          close: async () => {
            signalled?.close();
            await told?.close();
          },
        };
      },
      close: async () => {
        redis?.close();
        await hosted.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export function defaultDataDir({ variables }: Environment): string {
  const base = variables.XDG_DATA_HOME?.startsWith('/')
    ? variables.XDG_DATA_HOME
    : join(homedir(), '.local', 'share');
  return join(base, 'gitswarm');
}

export function placeOf(db: string | undefined, dataDir: string): DatabasePlace {
  if (db === undefined) return { file: join(dataDir, 'gitswarm.db') };
  if (/^postgres(ql)?:\/\//.test(db)) return { url: db };
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(db)) return { file: resolve(db) };
  throw new SwarmError('usage', `There is no kind of database for "${db.split('://')[0]}://".`, {
    fix: '--db postgres://user:password@host/name, or --db <file>',
  });
}

async function makeAdmin(
  kernel: Kernel,
  given: string | undefined,
): Promise<Pick<ServerApp, 'madeToken' | 'isFirstStart'>> {
  const token = given ?? newApiKey();
  const { created } = await localAuthority(kernel, {}).call(ensureAdmin, {
    apiKeyHash: hashApiKey(token),
    replaceKey: given !== undefined,
  });
  return { madeToken: created && given === undefined ? token : undefined, isFirstStart: created };
}
