import { SwarmError } from '../contract/errors.ts';

/** The five characters PostgreSQL names an error with, or undefined where it did not come from the server. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('severity' in error && 'code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? undefined : sqlState(error.cause);
}

/** True where the server ended the connection, or the network did: whatever `pg` throws without an SQLSTATE. */
export function isLostConnection(error: unknown): boolean {
  const state = sqlState(error);
  if (state === undefined) return error instanceof Error && !(error instanceof TypeError);
  return state.startsWith('08') || state.startsWith('57P');
}

/** The same error in our words where it is about the server, or the error itself where it is about the statement. */
export function postgresFault(error: unknown, url: string): unknown {
  const state = sqlState(error);
  const server = serverName(url);
  const failure = (
    code: 'unavailable' | 'busy' | 'read_only' | 'not_configured',
    message: string,
    fix: string,
  ) => new SwarmError(code, message, { fix, cause: error });
  if (isLostConnection(error)) {
    return failure(
      'unavailable',
      `PostgreSQL at ${server} cannot be reached`,
      'start it, or check the address',
    );
  }
  switch (state) {
    case '53300':
      return failure(
        'unavailable',
        `PostgreSQL at ${server} has no connection left`,
        'raise max_connections there',
      );
    case '55P03':
      return failure('busy', `another writer keeps ${server} locked`, 'try again in a moment');
    case '25006':
      return failure(
        'read_only',
        `PostgreSQL at ${server} is read-only`,
        'give the address of the primary server',
      );
    case '28000':
    case '28P01':
      return failure(
        'not_configured',
        `PostgreSQL at ${server} refused the login`,
        'check user and password',
      );
    case '3D000':
      return failure('not_configured', `there is no database at ${server}`, 'create it with createdb');
    default:
      return error;
  }
}

/** Host and database of an address, without its user and password. */
export function serverName(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'the given address';
  }
}
