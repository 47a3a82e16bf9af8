import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import type { Agent } from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import { offerLoginLink } from '../contract/sessions.ts';
import { openDatabase } from '../db/database.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { newLinkToken } from '../domain/agents/session-tokens.ts';
import { localAuthority } from '../operations/authority.ts';
import type { Kernel } from '../operations/execute.ts';
import { isReady } from '../operations/is-ready.ts';
import { defaultDataDir, type OpenServerOptions, placeOf } from './open-server.ts';

/** Where a browser signs in, once; to be shown once. */
export interface LoginLink {
  /** Below the address of the server: `/login?token=gsl_…`. */
  path: string;
  agent: Agent;
  expiresAt: string;
}

/** Makes a link by which an agent, or the first administrator, signs in at the dashboard. */
export async function makeLoginLink(kernel: Kernel, agent?: string): Promise<LoginLink> {
  const token = newLinkToken();
  const offered = await localAuthority(kernel, {}).call(offerLoginLink, {
    linkHash: hashApiKey(token),
    ...(agent === undefined ? {} : { agent }),
  });
  return { path: `/login?token=${token}`, ...offered };
}

/** The same for a server that may be running: whoever can write to its database may sign in as anybody anyway. */
export async function makeLoginLinkAt(
  options: Pick<OpenServerOptions, 'environment' | 'db' | 'data'>,
  agent?: string,
): Promise<LoginLink> {
  const place = placeOf(options.db, resolve(options.data ?? defaultDataDir(options.environment)));
  if ('file' in place && !existsSync(place.file)) {
    throw new SwarmError('not_found', `There is no server's database at ${place.file}.`, {
      fix: 'Name the place as the server was given it: --data <dir> or --db <place>.',
    });
  }
  const database = openDatabase(place);
  try {
    // Bringing a database up to date is for the server that serves it.
    if (!(await isReady(database))) {
      throw new SwarmError('unavailable', `${database.place} is away, or of another version of gitswarm.`, {
        fix: 'Start the server with this version first: gitswarm server',
      });
    }
    return await makeLoginLink({ database, clock: systemClock }, agent);
  } finally {
    await database.close();
  }
}
