import type { Database } from '../db/database.ts';
import { migrations } from '../db/migrations/index.ts';

/** True where the database answers and has the schema of this program. */
export async function isReady(database: Database): Promise<boolean> {
  try {
    const names = await database.read.selectFrom('schema_migration').select('name').execute();
    return migrations.every((migration) => names.some((row) => row.name === migration.name));
  } catch {
    return false;
  }
}
