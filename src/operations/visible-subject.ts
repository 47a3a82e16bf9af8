import { parseHandle } from '../base/handles.ts';
import { isId } from '../base/ids.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { Db } from '../db/database.ts';
import type { AgentRow } from '../db/tables.ts';
import { accessOf } from '../domain/access/access-store.ts';
import type { Operation, Remote } from './operation.ts';
import { loadSubject, type Subject, type SubjectKind } from './subjects.ts';

interface Asked {
  input: Record<string, unknown>;
  call: { repoId?: string | undefined; remote?: Remote | undefined };
  caller: AgentRow | undefined;
  now: string;
}

/**
 * What an operation is about. A caller from the network is told the same of what does not exist and of what it may not
 * read, and outside a repository it names things by id or handle only: names, prefixes and candidates would tell of
 * other people's repositories.
 */
export async function loadVisibleSubject(
  db: Db,
  operation: Pick<Operation, 'on' | 'needs'>,
  { input, call, caller, now }: Asked,
): Promise<Subject> {
  if (!call.remote || operation.on === 'none') return loadSubject(db, operation.on, input, call.repoId);
  const kind = operation.on;
  const name = String(input[kind === 'repo' ? 'repoId' : kind] ?? call.repoId ?? '');
  const hidden = () => new SwarmError('not_found', `There is no ${kind} "${name}" that you may see.`);
  if (kind !== 'repo' && call.repoId === undefined && !isExact(kind, name)) throw hidden();
  const subject = await load(db, operation, { input, call }).catch((error: unknown) => {
    if (isSwarmError(error, 'not_found') || isSwarmError(error, 'ambiguous')) throw hidden();
    throw error;
  });
  if (subject.repo && operation.needs !== 'nobody') {
    const isSeen = caller && (await maySee(db, { subject, caller, now }));
    if (!isSeen) throw hidden();
  }
  return subject;
}

function load(db: Db, { on }: Pick<Operation, 'on'>, { input, call }: Pick<Asked, 'input' | 'call'>) {
  return loadSubject(db, on, input, call.repoId);
}

/** A suspended agent is told that it is suspended, not that things are gone. */
async function maySee(
  db: Db,
  { subject, caller, now }: { subject: Subject; caller: AgentRow; now: string },
): Promise<boolean> {
  if (!subject.repo || caller.status !== 'active') return true;
  return (await accessOf(db, subject.repo, caller, now)).level !== null;
}

function isExact(kind: Exclude<SubjectKind, 'none' | 'repo'>, name: string): boolean {
  if (isId(name) || parseHandle(kind, name) !== undefined) return true;
  return kind === 'claim' && parseHandle('task', name) !== undefined;
}
