import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { nearest } from '../base/nearest.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { Session } from './session.ts';

/** The repositories a command is about, each with a session that works there; the first may be our own. */
export async function sessionsFor(
  session: Session,
  wanted: { names: readonly string[]; all: boolean; untouched: boolean },
): Promise<Session[]> {
  if (wanted.all) {
    const places = neighbours(session);
    if (places.length > 0) return places.map((dir) => sessionAt(session, dir));
    throw new SwarmError('not_found', `There is no GitSwarm repository in or below ${session.flags.dir}.`, {
      fix: 'gitswarm init, or name another folder: -C <dir>',
    });
  }
  if (wanted.names.length === 0) return [session];
  const sessions: Session[] = [];
  for (const name of wanted.names)
    sessions.push(await sessionNamed(session, name, { untouched: wanted.untouched }));
  return sessions;
}

/** By path, by the name, handle or id of the repository one stands in, or by the folder of a neighbour. */
async function sessionNamed(
  session: Session,
  name: string,
  options: { untouched: boolean },
): Promise<Session> {
  const path = resolve(session.flags.dir, name);
  if (/[/\\]|^\.+$/.test(name) && isDirectory(path)) return sessionAt(session, path);
  const here = await session.app(options).catch((error: unknown) => {
    if (isSwarmError(error, 'not_a_repository') || isSwarmError(error, 'not_initialised')) return undefined;
    throw error;
  });
  if (here && [here.repo.id, here.repo.handle, here.repo.name].includes(name)) return session;
  const places = new Map(neighbours(session).map((dir) => [basename(dir), dir]));
  const place = places.get(name) ?? (isRepository(path) ? path : undefined);
  if (place !== undefined) return sessionAt(session, place);
  const known = [...(here ? [here.repo.name] : []), ...places.keys()];
  const near = nearest(name, known);
  throw new SwarmError(
    'not_found',
    `There is no repository "${name}" here.${near ? ` Did you mean "${near}"?` : ''}`,
    {
      fix: known.length > 0 ? `One of: ${known.join(', ')}` : 'Name the path of one.',
      details: { known },
    },
  );
}

/** The repository one stands in, where one does, and those in the folders directly below. */
function neighbours({ flags }: Session): string[] {
  const below = readdirSync(flags.dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(flags.dir, entry.name));
  return [flags.dir, ...below.sort()].filter(isRepository);
}

function isRepository(dir: string): boolean {
  return existsSync(join(dir, '.gitswarm', 'federation.db'));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function sessionAt(session: Session, dir: string): Session {
  if (resolve(dir) === resolve(session.flags.dir)) return session;
  const { environment, output, rule, isInteractive, flags } = session;
  const other = new Session({ flags: { ...flags, dir }, environment, output, rule, isInteractive });
  session.signal.addEventListener('abort', () => other.interrupt(), { once: true });
  return other;
}
