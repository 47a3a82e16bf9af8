import type { Db, Tx } from '../../db/database.ts';
import type { RepoCloneRow, UnpushedRefRow } from '../../db/tables.ts';

export async function findClone(db: Db, repoId: string): Promise<RepoCloneRow | undefined> {
  return db.selectFrom('repo_clone').selectAll().where('repo_id', '=', repoId).executeTakeFirst();
}

export async function insertClone(tx: Tx, row: RepoCloneRow): Promise<void> {
  await tx.insertInto('repo_clone').values(row).execute();
}

/** What the remote of a repository does not have yet, in the order of the names. */
export async function listUnpushed(db: Db, repoId: string): Promise<UnpushedRefRow[]> {
  return db.selectFrom('unpushed_ref').selectAll().where('repo_id', '=', repoId).orderBy('ref').execute();
}

/** Notes that a ref has to be pushed; a newer commit takes the place of an older one. */
export async function upsertUnpushed(tx: Tx, row: UnpushedRefRow): Promise<void> {
  const { commit_hash, attempts, last_error, next_attempt_at } = row;
  await tx
    .insertInto('unpushed_ref')
    .values(row)
    .onConflict((c) =>
      c.columns(['repo_id', 'ref']).doUpdateSet({ commit_hash, attempts, last_error, next_attempt_at }),
    )
    .execute();
}

/** Forgets a ref that was pushed, unless it has moved on meanwhile. */
export async function deletePushed(
  tx: Tx,
  { repoId, ref, commit }: { repoId: string; ref: string; commit: string },
): Promise<void> {
  await tx
    .deleteFrom('unpushed_ref')
    .where('repo_id', '=', repoId)
    .where('ref', '=', ref)
    .where('commit_hash', '=', commit)
    .execute();
}
