import { SqliteAdapter } from 'kysely';
import type { SqliteConnection } from './sqlite-connection.ts';

/**
 * Kysely's adapter, which also knows the one connection there is: a query that was compiled before can be asked of it
 * at once, without the turns that Kysely takes for a pool of connections.
 */
export class NodeSqliteAdapter extends SqliteAdapter {
  /** Undefined until the first statement opens the file, and after it was closed. */
  connection: SqliteConnection | undefined;
}
