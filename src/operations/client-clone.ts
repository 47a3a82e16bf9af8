import { SwarmError } from '../contract/errors.ts';
import type { Db } from '../db/database.ts';
import type { RepoRow } from '../db/tables.ts';
import { findClone } from '../domain/repos/clones-store.ts';

/** True where the clone in which streams land is with the clients, as that of every repository nobody gave a server. */
export async function isWithClients(db: Db, repoId: string): Promise<boolean> {
  return (await findClone(db, repoId))?.clone !== 'server';
}

/** What a client measured counts only where nobody but the clients can look. Throws wrong_state. */
export async function requireClientClone(db: Db, repo: RepoRow | undefined, name: string): Promise<void> {
  if (repo && (await isWithClients(db, repo.id))) return;
  throw new SwarmError(
    'wrong_state',
    `The clone of this repository is at the server, which measures this itself (${name}).`,
    { fix: 'Ask for the whole instead: POST /streams/<id>/commits, /submit, /merge or /repos/<id>/promote.' },
  );
}
