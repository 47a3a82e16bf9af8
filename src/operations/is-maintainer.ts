import type { AgentRow, RepoRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import type { ReadContext } from './operation.ts';

/** True where this agent holds at least maintain access now. */
export async function isMaintainer(
  context: ReadContext & { repo: RepoRow },
  agent: AgentRow,
): Promise<boolean> {
  return includesLevel((await accessOf(context.db, context.repo, agent, context.now)).level, 'maintain');
}
