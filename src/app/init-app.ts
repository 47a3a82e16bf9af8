import { systemClock } from '../base/clock.ts';
import type { Forerunner } from '../contract/forerunner.ts';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { isRefName } from '../git/ref-name.ts';
import { findRef } from '../git/refs.ts';
import { openRepository, type Repository } from '../git/repository.ts';
import { openMachine } from '../machine/machine.ts';
import { trustCommand } from '../machine/trusted-commands.ts';
import { localAuthority } from '../operations/authority.ts';
import { type InitRequest, type InitResult, initRepository } from '../workflows/init-repository.ts';
import type { Environment } from './environment.ts';
import { placesOf } from './places.ts';
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

/** Git knows where the branches of an earlier program's streams stand. */
async function withHeads(git: Repository, old: Forerunner): Promise<Forerunner> {
  const streams = [];
  for (const stream of old.streams) {
    const ref = `refs/heads/${stream.branch}`;
    streams.push({ ...stream, head: isRefName(ref) ? ((await findRef(git, ref)) ?? null) : null });
  }
  return { ...old, streams };
}
