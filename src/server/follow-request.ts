import { SwarmError } from '../contract/errors.ts';
import { getRepo } from '../contract/repos.ts';
import type { Authenticated } from '../operations/authenticate.ts';
import { execute } from '../operations/execute.ts';
import { endOfLog } from '../operations/follow-log.ts';
import { findOperation } from '../operations/registry.ts';
import type { Face } from './face.ts';
import { remoteOf } from './remote.ts';

/** The place in the log that a cursor of ours means; without one its end. */
export async function placeInLog(face: Face, cursor: string | number | undefined): Promise<number> {
  if (cursor === undefined) return endOfLog(face.server.kernel);
  const seq = Number(cursor);
  if (/^\d{1,15}$/.test(String(cursor))) return seq;
  throw new SwarmError('invalid', 'The cursor is not one of the log of events.');
}

/** Refuses a repository that the agent may not read, in the words of one that does not exist. */
export async function requireReadable(face: Face, who: Authenticated, repoId: string): Promise<void> {
  const operation = await findOperation(getRepo.name);
  if (!operation) throw new SwarmError('internal', 'There is no operation to read a repository.');
  const call = { callerId: who.agent.id, remote: remoteOf(face, who) };
  await execute(face.server.kernel, operation, { repoId }, call);
}
