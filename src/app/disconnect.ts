import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SwarmError } from '../contract/errors.ts';
import { openRepository } from '../git/repository.ts';
import { type Connection, deleteConnection, findConnection } from '../machine/connection.ts';
import { withLock } from '../machine/locks.ts';
import { type Machine, openMachine } from '../machine/machine.ts';
import { listOutbox, type OutboxEntry, takeOut } from '../machine/outbox.ts';
import type { Environment } from './environment.ts';
import { openOwn } from './own-repository.ts';
import { placesOf } from './places.ts';

/** What is known of a connection on this machine; the server need not be there for it. */
export interface OpenConnection {
  machine: Machine;
  connection: Connection;
  entries: OutboxEntry[];
}

/** Looks at the connection and its outbox without asking the server, which may be away or not know us any more. */
export async function withConnection<T>(
  { dir, environment }: { dir: string; environment: Environment },
  work: (open: OpenConnection) => T | Promise<T>,
): Promise<T> {
  const git = await openRepository(dir, { inheritedEnv: environment.variables });
  const machine = openMachine(placesOf(git).home);
  try {
    const connection = existsSync(join(machine.localDir, 'machine.db')) ? findConnection(machine) : undefined;
    if (!connection)
      throw new SwarmError('not_configured', `${git.root} is not connected to a server.`, {
        fix: 'gitswarm connect --server <url> --token <token>',
      });
    return await work({ machine, connection, entries: listOutbox(machine) });
  } finally {
    machine.close();
    await git.close();
  }
}

/**
 * Forgets the server and the token on this machine. What has not been sent is kept in a file first, or nothing is done.
 * The repository stays the server's: only that can decide for it.
 */
export async function disconnectApp(
  given: { dir: string; environment: Environment },
  { force }: { force: boolean },
): Promise<{ connection: Connection; keptIn: string | null }> {
  return withConnection(given, async ({ machine, connection }) =>
    // Nobody sends what is being kept in a file.
    withLock(machine.dir, 'outbox', async () => forget(machine, connection, { ...given, force })),
  );
}

async function forget(
  machine: Machine,
  connection: Connection,
  { environment, force }: { environment: Environment; force: boolean },
): Promise<{ connection: Connection; keptIn: string | null }> {
  const entries = listOutbox(machine);
  if (entries.length > 0 && !force)
    throw new SwarmError(
      'unlanded_work',
      `${entries.length} calls have not been taken by ${connection.url} yet.`,
      {
        fix: 'gitswarm sync; or gitswarm disconnect --force, which keeps them in a file.',
      },
    );
  const own = await openOwn(join(machine.dir, 'federation.db'), { durable: environment.durable });
  await own?.handOver(connection.url, null).finally(() => own.close());
  const keptIn = entries.length > 0 ? keep(machine, entries) : null;
  for (const { seq } of entries) takeOut(machine, seq);
  deleteConnection(machine);
  return { connection, keptIn };
}

function keep(machine: Machine, entries: readonly OutboxEntry[]): string {
  const file = join(machine.localDir, `unsent-${new Date().toISOString().replace(/[-:.]/g, '')}.json`);
  writeFileSync(file, `${JSON.stringify(entries, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return file;
}
