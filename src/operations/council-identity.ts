import { isoTime } from '../base/clock.ts';
import type { AgentRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { isServer } from '../domain/agents/server-identity.ts';
import { getCouncilById } from '../domain/councils/councils-store.ts';
import { getRepoRow } from '../domain/repos/repos-store.ts';
import { isWithClients } from './client-clone.ts';
import type { Kernel } from './execute.ts';

/**
 * True where this agent may act as that identity of a council, to carry out what it decided: a writer may, where the
 * clone is with the clients, as any writer with the clone at hand may locally. The door lets through what was decided
 * and nothing else.
 */
export async function mayCarryOut(
  { database, clock }: Kernel,
  agent: AgentRow,
  identity: AgentRow,
): Promise<boolean> {
  if (identity.council_id === null || isServer(identity)) return false;
  const db = database.read;
  const { repo_id: repoId } = await getCouncilById(db, identity.council_id);
  if (!(await isWithClients(db, repoId))) return false;
  const access = await accessOf(db, await getRepoRow(db, repoId), agent, isoTime(clock.now()));
  return includesLevel(access.level, 'write');
}
