import { parseHandle } from '../base/handles.ts';
import { isId } from '../base/ids.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { Db } from '../db/database.ts';
import type { AgentRow } from '../db/tables.ts';
import type { AccessResult } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { findRepoRow } from '../domain/repos/repos-store.ts';
import type { Operation, Remote } from './operation.ts';
import { loadSubject, type Subject, type SubjectKind } from './subjects.ts';

interface Asked {
  input: Record<string, unknown>;
  call: { repoId?: string | undefined; remote?: Remote | undefined };
  caller: AgentRow | undefined;
  now: string;
}

export interface Visible {
  subject: Subject;
  /** What the caller may do with it, where that was asked for already. */
  access: AccessResult | undefined;
}

/**
 * What an operation is about. A caller from the network is told the same of what does not exist and of what it may not
 * read, and outside a repository it names things by id or handle only: names, prefixes and candidates would tell of
 * other people's repositories. In a repository that it names and may read it is told of that one as anybody is.
 */
export async function loadVisibleSubject(
  db: Db,
  operation: Pick<Operation, 'on' | 'needs'>,
  { input, call, caller, now }: Asked,
): Promise<Visible> {
  if (!call.remote || operation.on === 'none')
    return { subject: await loadSubject(db, operation.on, input, call.repoId), access: undefined };
  const kind = operation.on;
  const name = String(input[kind === 'repo' ? 'repoId' : kind] ?? call.repoId ?? '');
  const hidden = () => new SwarmError('not_found', `There is no ${kind} "${name}" that you may see.`);
  if (kind !== 'repo' && call.repoId === undefined && !isExact(kind, name)) throw hidden();
  const subject = await load(db, operation, { input, call }).catch(async (error: unknown) => {
    if (!isSwarmError(error, 'not_found') && !isSwarmError(error, 'ambiguous')) throw error;
    const mayBeTold = kind !== 'repo' && (await isReadable(db, { call, caller, now }));
    throw mayBeTold ? error : hidden();
  });
  // A call is about the repository it is made in, whatever else its caller may see.
  if (call.repoId !== undefined && subject.repo?.id !== call.repoId) throw hidden();
  if (!subject.repo || operation.needs === 'nobody') return { subject, access: undefined };
  if (!caller) throw hidden();
  // A suspended agent is told that it is suspended, not that things are gone.
  if (caller.status !== 'active') return { subject, access: undefined };
  const access = await accessOf(db, subject.repo, caller, now);
  if (access.level === null) throw hidden();
  return { subject, access };
}

function load(db: Db, { on }: Pick<Operation, 'on'>, { input, call }: Pick<Asked, 'input' | 'call'>) {
  return loadSubject(db, on, input, call.repoId);
}

/** True where the call is made in a repository that the caller may read. */
async function isReadable(db: Db, { call, caller, now }: Omit<Asked, 'input'>): Promise<boolean> {
  if (call.repoId === undefined || caller?.status !== 'active') return false;
  const repo = await findRepoRow(db, call.repoId);
  return repo !== undefined && (await accessOf(db, repo, caller, now)).level !== null;
}

function isExact(kind: Exclude<SubjectKind, 'none' | 'repo'>, name: string): boolean {
  if (isId(name) || parseHandle(kind, name) !== undefined) return true;
  return kind === 'claim' && parseHandle('task', name) !== undefined;
}
