import type { Kysely } from 'kysely';
import type { DatabaseKind } from './dialect-sql.ts';

/** Tables as a migration sees them: whatever they were at its time, so today's row types do not apply. */
export type AnyTables = Record<string, Record<string, unknown>>;

export interface Migration {
  /** `001-init`: the number gives the order. A merged migration is never changed. */
  name: string;
  up(db: Kysely<AnyTables>, kind: DatabaseKind): Promise<void>;
}
