import type { Db } from '../db/database.ts';
import type { AgentRow, EventRow } from '../db/tables.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { getRepoRow } from '../domain/repos/repos-store.ts';
import { isServerAdmin } from './registration.ts';

type Told = Pick<EventRow, 'repo_id' | 'actor_id' | 'subject_id'>;

/**
 * Answers, event by event, whether an agent may hear of it: of a repository whoever reads it, of an agent that agent,
 * whoever did it, and administrators. What it finds holds for its own life, so a new one is made for every look.
 */
export function eventReader(
  db: Db,
  { reader, now }: { reader: AgentRow; now: string },
): (event: Told) => Promise<boolean> {
  const known = new Map<string, boolean>();
  let isAdmin: boolean | undefined;
  return async ({ repo_id: repoId, actor_id: actorId, subject_id: subjectId }) => {
    if (reader.status !== 'active') return false;
    if (repoId === null) {
      if (actorId === reader.id || subjectId === reader.id) return true;
      isAdmin ??= await isServerAdmin(db, reader.id);
      return isAdmin;
    }
    const answer =
      known.get(repoId) ?? (await accessOf(db, await getRepoRow(db, repoId), reader, now)).level !== null;
    known.set(repoId, answer);
    return answer;
  };
}
