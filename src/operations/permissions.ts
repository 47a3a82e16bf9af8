import { shellWord } from '../base/shell-word.ts';
import { SwarmError } from '../contract/errors.ts';
import type { AccessLevel } from '../contract/repos.ts';
import type { Db } from '../db/database.ts';
import type { AgentRow } from '../db/tables.ts';
import { type AccessResult, includesLevel } from '../domain/access/access.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { isHousework, isServer } from '../domain/agents/server-identity.ts';
import { coversCall } from '../domain/councils/mandates.ts';
import { listMandates } from '../domain/councils/mandates-store.ts';
import { isCleanedUp } from '../domain/plugins/executions-store.ts';
import { isStreamAuthor } from '../domain/streams/streams-store.ts';
import type { Subject, SubjectKind } from './subjects.ts';

/**
 * Who may ask for an operation, as data: the authorisation tests are generated from it.
 * - nobody: no caller is needed (the bootstrap, registration where it is open)
 * - member: any active agent
 * - read, write, maintain, admin: that level on the subject's repository
 * - author: an author of the stream, with write access
 * - author_or_maintain, claimant_or_maintain: that one, or maintain access
 */
export type Need =
  | 'nobody'
  | 'member'
  | AccessLevel
  | 'author'
  | 'author_or_maintain'
  | 'claimant'
  | 'claimant_or_maintain';

/** Throws not_allowed, saying what the caller has and what the operation asks for. */
export async function authorise(
  db: Db,
  need: Need,
  caller: AgentRow | undefined,
  subject: Subject,
  call: { operation: string; now: string; access?: AccessResult | undefined },
): Promise<void> {
  if (need === 'nobody') return;
  if (!caller) {
    throw new SwarmError('not_allowed', `Nobody is named who asks for ${call.operation}.`, {
      fix: 'Say who acts: --as <agent>, or set GITSWARM_AGENT.',
    });
  }
  if (caller.status !== 'active') throw new SwarmError('not_allowed', `${caller.name} is suspended.`);
  if (need === 'member') return;
  if (!subject.repo) {
    throw new SwarmError('not_allowed', `${call.operation} needs a repository to be allowed in.`, {
      details: { needs: need },
    });
  }

  const access = call.access ?? (await accessOf(db, subject.repo, caller, call.now));
  const may = (level: AccessLevel) => includesLevel(access.level, level);
  const refuse = (wants: string): never => {
    throw new SwarmError(
      'not_allowed',
      `${caller.name} may not do this (${call.operation}): it needs ${wants}.`,
      {
        fix: `gitswarm repo access explain ${shellWord(caller.name)}`,
        details: { needs: need, has: access.level, reasons: access.reasons },
      },
    );
  };

  if (need === 'read' || need === 'write' || need === 'maintain' || need === 'admin') {
    if (!may(need)) refuse(`${need} access to ${subject.repo.name}`);
    return;
  }
  if (need === 'claimant' || need === 'claimant_or_maintain') {
    if (subject.claim?.agent_id === caller.id && may('write')) return;
    if (need === 'claimant_or_maintain' && may('maintain')) return;
    return refuse(
      need === 'claimant' ? 'to be the one who claimed the task' : 'to hold the claim, or maintain access',
    );
  }
  const isAuthor = subject.stream !== undefined && (await isStreamAuthor(db, subject.stream, caller.id));
  if (isAuthor && may('write')) return;
  if (need === 'author_or_maintain' && may('maintain')) return;
  refuse(
    need === 'author' ? 'to be an author of the stream' : 'to be an author of the stream, or maintain access',
  );
}

/**
 * Nothing in an archived repository is changed, by whomever and whatever that would take: readers vote and propose. What
 * time or git alone brings about is noted all the same, and agents look after what is their own.
 */
export function requireOpen(
  caller: AgentRow | undefined,
  operation: { endpoint: { name: string }; needs: Need; on: SubjectKind },
  { repo }: Subject,
): void {
  if (repo?.status !== 'archived' || operation.on === 'none' || operation.needs === 'nobody') return;
  if (caller && isServer(caller)) return;
  throw new SwarmError('not_allowed', `${repo.name} is archived: it can only be read.`, {
    details: { needs: 'active', operation: operation.endpoint.name },
  });
}

/** The identity of a council or a server does what that is there for, and nothing else. */
export async function requireCovered(
  db: Db,
  caller: AgentRow,
  call: { name: string; input: unknown; repoId: string | undefined },
): Promise<void> {
  if (isServer(caller)) await requireHousework(db, call);
  else if (caller.council_id !== null) await requireMandate(db, caller.council_id, call);
}

async function requireHousework(db: Db, call: { name: string; input: unknown }): Promise<void> {
  const input = call.input as Record<string, unknown>;
  if (isHousework(call.name, input)) return;
  const { stream } = input;
  if (call.name === 'stream.abandon' && typeof stream === 'string' && (await isCleanedUp(db, stream))) return;
  throw new SwarmError('not_allowed', `A server does not do this by itself (${call.name}).`, {
    details: { needs: 'housekeeping' },
  });
}

/** A council does what it has decided, while that is being carried out, and nothing else. */
async function requireMandate(
  db: Db,
  councilId: string,
  call: { name: string; input: unknown; repoId: string | undefined },
): Promise<void> {
  const input = call.input as Record<string, unknown>;
  const mandates = call.repoId === undefined ? [] : await listMandates(db, councilId, call.repoId);
  if (mandates.some((mandate) => coversCall(mandate, call.name, input))) return;
  throw new SwarmError('not_allowed', `The council has not decided on this (${call.name}).`, {
    fix: 'gitswarm council propose',
    details: { needs: 'mandate' },
  });
}
