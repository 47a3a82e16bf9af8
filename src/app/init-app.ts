import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Forerunner } from '../contract/forerunner.ts';
import { listMaintainers } from '../contract/repos.ts';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { isRefName } from '../git/ref-name.ts';
import { findRef } from '../git/refs.ts';
import { openRepository, type Repository } from '../git/repository.ts';
import { findConnection, findLastConnection } from '../machine/connection.ts';
import { openMachine } from '../machine/machine.ts';
import { trustCommand } from '../machine/trusted-commands.ts';
import { localAuthority } from '../operations/authority.ts';
import { type InitRequest, type InitResult, initRepository } from '../workflows/init-repository.ts';
import type { Environment } from './environment.ts';
import { notConnected, openApp } from './open-app.ts';
import { type Places, placesOf } from './places.ts';
import { takeForerunner } from './read-forerunner.ts';

/** Makes the repository that `dir` belongs to a GitSwarm repository. What the owner passes as a command is approved. */
export async function initApp(options: {
  dir: string;
  environment: Environment;
  request: InitRequest;
}): Promise<InitResult> {
  const { environment, request } = options;
  const git = await openRepository(options.dir, { inheritedEnv: environment.variables });
  await git.version();
  const places = placesOf(git);
  if (isConnected(git, places)) {
    await git.close();
    return connectedResult(options);
  }
  const old = takeForerunner(places.database);
  const takeOver = old && (await withHeads(git, old));
  const database = openDatabase({ file: places.database }, { durable: environment.durable });
  const machine = openMachine(places.home);
  try {
    const result = await initRepository(git, places, { ...request, takeOver }, async () => {
      await migrate(database);
      return localAuthority({ database, clock: systemClock }, {});
    });
    if (result.approvedStabilize !== null) {
      trustCommand(machine, {
        kind: 'stabilize_command',
        text: result.approvedStabilize,
        approvedBy: result.owner.name,
        at: new Date().toISOString(),
      });
    }
    return result;
  } finally {
    machine.close();
    await Promise.all([database.close(), git.close()]);
  }
}

/** Throws where a server decided here until `disconnect`: that it does not decide any more nobody has said. */
function isConnected(git: Repository, places: Places): boolean {
  const machine = openMachine(places.home);
  try {
    if (existsSync(join(machine.localDir, 'machine.db')) && findConnection(machine)) return true;
    const last = findLastConnection(machine);
    if (last && !existsSync(places.database)) throw notConnected(git.root, last.url);
    return false;
  } finally {
    machine.close();
  }
}

/** A server decides already, and a database of its own would make two that do: nothing is changed. */
async function connectedResult(options: { dir: string; environment: Environment }): Promise<InitResult> {
  const app = await openApp(options);
  try {
    const { authority } = app.workflow();
    const { items } = await authority.call(listMaintainers, { repoId: app.repo.id, limit: 200 });
    const owner = items.find(({ role }) => role === 'owner')?.agent;
    if (!owner) throw new SwarmError('wrong_state', `${app.repo.name} has no owner.`);
    const nothing = { configFile: null, proposedStabilize: null, approvedStabilize: null };
    return { repo: app.repo, owner, created: false, ...nothing };
  } finally {
    await app.close();
  }
}

/** Git knows where the branches of an earlier program's streams stand. */
async function withHeads(git: Repository, old: Forerunner): Promise<Forerunner> {
  const streams = [];
  for (const stream of old.streams) {
    const ref = `refs/heads/${stream.branch}`;
    streams.push({ ...stream, head: isRefName(ref) ? ((await findRef(git, ref)) ?? null) : null });
  }
  return { ...old, streams };
}
