import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { copySqliteFile, type SqliteCopy } from '../base/sqlite-copy.ts';
import type { Agent } from '../contract/agents.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { Repo } from '../contract/repos.ts';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { listRepoRows, toRepo } from '../domain/repos/repos-store.ts';
import { identity } from '../git/config.ts';
import type { Person } from '../git/person.ts';
import { openRepository, type Repository } from '../git/repository.ts';
import { type Connection, findConnection, findLastConnection } from '../machine/connection.ts';
import { findKnownAttributes, recordKnownAttributes } from '../machine/known-attributes.ts';
import { type Machine, openMachine } from '../machine/machine.ts';
import { findGitProgram, isUsableGit, recordUsableGit } from '../machine/usable-git.ts';
import { type Authority, localAuthority } from '../operations/authority.ts';
import { refreshConfig } from '../workflows/config-in-force.ts';
import type { Workflow } from '../workflows/workflow.ts';
import { crashAt } from './crash-at.ts';
import type { Decided, OpenOptions, ServerSide } from './decided.ts';
import type { Environment } from './environment.ts';
import { type Places, placesOf } from './places.ts';
import { isForerunner } from './read-forerunner.ts';

/** An open repository: git, this machine's store, and whoever decides for it: its own database or a server. */
export interface App {
  git: Repository;
  places: Places;
  /** Asked by nobody in particular. */
  authority: Authority;
  clock: Clock;
  machine: Machine;
  repo: Repo;
  /** The server that decides; undefined where the database here does. */
  connection: Connection | undefined;
  server: ServerSide | undefined;
  /** The disk cannot be written: only looking works. */
  isReadOnly: boolean;
  /** Problems that do not keep anything from working: an unusable settings file, a read-only disk. */
  warnings: string[];
  workflow(options?: WorkflowOptions): Workflow;
  identity(): Promise<Person | undefined>;
  close(): Promise<void>;
}

export interface WorkflowOptions {
  actor?: Agent | undefined;
  notify?: (text: string) => void;
  signal?: AbortSignal;
}

/** Opens the repository that a directory belongs to. Throws not_a_repository or not_initialised with the fix. */
export async function openApp(options: OpenOptions): Promise<App> {
  if (options.untouched) return openCopy(options);
  try {
    return await openWith(options, false);
  } catch (error) {
    if (!isSwarmError(error, 'read_only')) throw error;
    return openWith(options, true);
  }
}

/** The databases are copied and the copies opened; whatever is written to them is gone in the end. */
async function openCopy(options: OpenOptions): Promise<App> {
  const copies: SqliteCopy[] = [];
  const copy = (file: string) => {
    const made = copySqliteFile(file);
    if (made) copies.push(made);
    else
      throw new SwarmError('busy', `${file} is written to without a pause.`, {
        fix: 'Try again in a moment.',
      });
    return made.file;
  };
  const remove = () => {
    for (const each of copies) each.remove();
  };
  try {
    const app = await openWith(options, false, copy);
    const { close } = app;
    return Object.assign(app, { isReadOnly: true, close: () => close().finally(remove) });
  } catch (error) {
    remove();
    throw error;
  }
}

async function openWith(
  options: OpenOptions,
  isReadOnly: boolean,
  copy?: (file: string) => string,
): Promise<App> {
  const { environment, clock = systemClock } = options;
  // The machine's store is found through git, and git is told what the machine knows when it first asks.
  let machine: Machine | undefined;
  const git = await openRepository(options.dir, {
    inheritedEnv: environment.variables,
    longLived: options.longLived ?? false,
    durable: environment.durable,
    attributeMemory: {
      read: () => (machine ? findKnownAttributes(machine) : undefined),
      write: (known) => {
        if (machine && !isReadOnly) recordKnownAttributes(machine, known);
      },
    },
  });
  const places = placesOf(git);
  const store = openMachine(places.home, { untouched: copy !== undefined });
  try {
    // Asked only where it is there: looking must not make a repository one of ours.
    const connection = existsSync(join(store.localDir, 'machine.db')) ? findConnection(store) : undefined;
    if (!connection) requireInitialised(git, places, findLastConnection(store));
    machine = store;
    await requireUsableGit(git, store, { path: environment.variables.PATH, isReadOnly });
    const decided = connection
      ? await (await import('./open-connected.ts')).openConnected({ machine: store, connection, options })
      : await openLocal({ places, clock, durable: environment.durable, isReadOnly, copy });
    const app: App = {
      git,
      places,
      clock,
      machine: store,
      connection: undefined,
      server: undefined,
      isReadOnly,
      warnings: isReadOnly ? ['the disk cannot be written; nothing is taken in or mended'] : [],
      identity: once(() => identity(git)),
      workflow: (wanted) => workflowOf(app, environment, wanted ?? {}),
      ...decided,
      close: async () => {
        store.close();
        await Promise.all([decided.close(), git.close()]);
      },
    };
    // What a server decides by, its clients tell it when they land and sync, not whenever one with an older buffer looks.
    if (connection) return app;
    const refreshed = await refreshConfig(app.workflow(), { readOnly: isReadOnly }).catch(async (error) => {
      await decided.close();
      throw error;
    });
    app.repo = refreshed.repo;
    app.warnings.push(...refreshed.warnings);
    return app;
  } catch (error) {
    store.close();
    await git.close();
    throw error;
  }
}

function requireInitialised(git: Repository, places: Places, last: { url: string } | undefined): void {
  if (!existsSync(places.database)) {
    if (last) throw notConnected(git.root, last.url);
    throw new SwarmError('not_initialised', `${git.root} is not a GitSwarm repository yet.`, {
      fix: 'gitswarm init, or gitswarm connect where a server decides',
    });
  }
  // What init makes on this machine is missing where another program made the database.
  if (existsSync(join(places.home, 'local')) || !isForerunner(places.database)) return;
  throw new SwarmError('not_initialised', 'An earlier program kept its database here; init takes it over.', {
    fix: 'gitswarm init',
    details: { database: places.database },
  });
}

/** Whatever a server decides for, nothing else decides for. */
export function notConnected(what: string, url = '<url>'): SwarmError {
  return new SwarmError('not_configured', `A server decides for ${what}, and this clone is not connected.`, {
    fix: `gitswarm connect --server ${url} --token <token>`,
  });
}

async function openLocal(given: {
  places: Places;
  clock: Clock;
  durable: boolean;
  isReadOnly: boolean;
  copy: ((file: string) => string) | undefined;
}): Promise<Decided> {
  const { places, clock, durable, isReadOnly, copy } = given;
  const file = copy ? copy(places.database) : places.database;
  const database = openDatabase({ file }, { durable, readOnly: isReadOnly });
  try {
    if (!isReadOnly) await migrate(database);
    const [row] = await listRepoRows(database.read, 1);
    if (!row)
      throw new SwarmError('not_initialised', `${places.database} was not initialised to the end.`, {
        fix: 'gitswarm init',
      });
    // It has spoken to a server: that decides, and what is here is how things stood then.
    if (row.authority === 'server') throw notConnected(row.name);
    const authority = localAuthority({ database, clock }, { repoId: row.id });
    return { authority, repo: toRepo(row), close: () => database.close() };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function workflowOf(app: App, environment: Environment, wanted: WorkflowOptions): Workflow {
  return {
    git: app.git,
    authority: app.authority.as(wanted.actor?.id),
    machine: app.machine,
    identity: () => app.identity(),
    repo: app.repo,
    actor: wanted.actor,
    clock: app.clock,
    home: app.places.home,
    worktrees: app.places.worktrees,
    variables: environment.variables,
    holder: app.machine.holder,
    shared: app.connection?.remote ? { remote: app.connection.remote } : undefined,
    notify: wanted.notify ?? (() => undefined),
    reach: (step) => crashAt(environment.crashAt, step),
    ...(wanted.signal ? { signal: wanted.signal } : {}),
  };
}

/** Asks git for its version once for each program that is called so; throws git_too_old. */
async function requireUsableGit(
  git: Repository,
  machine: Machine,
  { path, isReadOnly }: { path: string | undefined; isReadOnly: boolean },
): Promise<void> {
  const program = findGitProgram(path);
  if (program !== undefined && isUsableGit(machine, program)) return;
  await git.version();
  if (program !== undefined && !isReadOnly) recordUsableGit(machine, program);
}

/** The answer of the first call, for all. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
