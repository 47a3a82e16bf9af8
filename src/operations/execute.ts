import type * as z from 'zod';
import { type Clock, isoTime } from '../base/clock.ts';
import { sha256 } from '../base/digest.ts';
import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Database, Db, Tx } from '../db/database.ts';
import { announceEvents, lockEvents } from '../db/dialect-sql.ts';
import type { AgentRow } from '../db/tables.ts';
import type { AccessResult } from '../domain/access/access.ts';
import { findAgent } from '../domain/agents/agents-store.ts';
import { insertEvents, type NewEvent } from '../domain/events/events-store.ts';
import { requireClientClone } from './client-clone.ts';
import type { Operation, Remote } from './operation.ts';
import { authorise, type Need, requireCovered, requireOpen } from './permissions.ts';
import { findReceipt, insertReceipt } from './receipts.ts';
import type { Subject } from './subjects.ts';
import { loadVisibleSubject } from './visible-subject.ts';

export interface Kernel {
  database: Database;
  clock: Clock;
}

/** Who calls, in which repository, and under which idempotency key. */
export interface Call {
  callerId?: string | undefined;
  repoId?: string | undefined;
  key?: string | undefined;
  /** Reading needs no name: whoever has the database on the own disk can read it anyway. */
  anonymousRead?: boolean;
  /** The caller's row where it was read for this very call; writes read it again in their transaction. */
  caller?: AgentRow | undefined;
  /** Nobody has looked at git or at a lock before this call: what it reads may be read together. */
  isAlone?: boolean | undefined;
  /** The call came over the network. */
  remote?: Remote | undefined;
  /** The caller measured it in a clone of its own: taken from those who may write, where the clients have the clone. */
  restsOnClientClone?: boolean | undefined;
  /** The call is the last write of a route: what is remembered under the key is the route's answer, and so is told. */
  ends?: RouteEnd | undefined;
}

/** A route that one write ends: the words and the hash its receipt bears, and what it answers. */
export interface RouteEnd {
  operation: string;
  bodyHash: string;
  answerOf(answer: unknown): unknown;
}

const OPEN_READS = new Set<Need>(['read', 'member']);

/**
 * The only door to policy: parse, find the caller, open the transaction, answer from the receipt if this key was
 * used before, load the subject, authorise, run, write events and receipt, commit.
 */
export async function execute(
  kernel: Kernel,
  operation: Operation,
  input: unknown,
  call: Call,
): Promise<unknown> {
  const parsed = parseInput(operation, input);
  if (operation.kind === 'write') {
    return kernel.database.write((tx) => runWrite(kernel, tx, operation, parsed, call));
  }
  const db = call.isAlone ? kernel.database.view : kernel.database.read;
  const caller = call.caller ?? (await findCaller(db, call));
  const now = isoTime(kernel.clock.now());
  const { subject, access } = await loadVisibleSubject(db, operation, {
    input: parsed as Record<string, unknown>,
    call,
    caller,
    now,
  });
  const isOpen = call.anonymousRead && call.callerId === undefined && OPEN_READS.has(operation.needs);
  if (!isOpen) {
    const asked = { operation: operation.endpoint.name, now, access };
    await authorise(db, operation.needs, caller, subject, asked);
    if (call.restsOnClientClone) await checkClientClone(db, caller, subject, asked);
  }
  const context = {
    db,
    caller,
    clock: kernel.clock,
    now,
    repoId: subject.repo?.id ?? call.repoId,
    remote: call.remote,
    restsOnClientClone: call.restsOnClientClone ?? false,
    ...subject,
  };
  return operation.run(context as never, parsed as never);
}

async function runWrite(
  kernel: Kernel,
  tx: Tx,
  operation: Operation,
  input: unknown,
  call: Call,
): Promise<unknown> {
  const now = isoTime(kernel.clock.now());
  const name = operation.endpoint.name;
  const caller = await findCaller(tx, call);
  const receiptKey = call.key && caller ? { actorId: caller.id, key: call.key } : undefined;
  const { ends } = call;
  const remembered = ends?.operation ?? name;
  const bodyHash = receiptKey ? (ends?.bodyHash ?? hashBody(name, input)) : '';
  if (receiptKey) {
    const receipt = await findReceipt(tx, receiptKey);
    if (receipt && (receipt.operation !== remembered || receipt.bodyHash !== bodyHash)) {
      throw new SwarmError('conflict', `The idempotency key "${call.key}" was used for another request.`);
    }
    if (receipt) {
      const { subject, access } = await loadVisibleSubject(tx, operation, {
        input: input as Record<string, unknown>,
        call,
        caller,
        now,
      });
      if (subject.repo) await authorise(tx, 'read', caller, subject, { operation: name, now, access });
      return receipt.answer;
    }
  }
  const { subject, access } = await loadVisibleSubject(tx, operation, {
    input: input as Record<string, unknown>,
    call,
    caller,
    now,
  });
  const asked = { operation: name, now, access };
  await authorise(tx, operation.needs, caller, subject, asked);
  requireOpen(caller, operation, subject);
  if (call.restsOnClientClone) await checkClientClone(tx, caller, subject, asked);
  if (caller) await requireCovered(tx, caller, { name, input, repoId: subject.repo?.id });

  const events: (NewEvent & { repoId?: string | null })[] = [];
  const repoId = subject.repo?.id ?? call.repoId;
  const context = {
    db: tx,
    caller,
    actor: caller,
    clock: kernel.clock,
    now,
    repoId,
    remote: call.remote,
    restsOnClientClone: call.restsOnClientClone ?? false,
    emit: (event: NewEvent & { repoId?: string | null }) => events.push(event),
    ...subject,
  };
  const made = await operation.run(context as never, input as never);
  const answer = ends ? ends.answerOf(made) : made;
  if (receiptKey) {
    const kept = operation.remember ? operation.remember(answer as never) : answer;
    await insertReceipt(tx, { ...receiptKey, operation: remembered, bodyHash, answer: kept, now });
  }
  await writeEvents(tx, kernel, caller, repoId, now, events);
  return answer;
}

/** Where nobody can check what is said, whoever may only read says nothing, whatever else the operation needs. */
async function checkClientClone(
  db: Db,
  caller: AgentRow | undefined,
  subject: Subject,
  asked: { operation: string; now: string; access: AccessResult | undefined },
): Promise<void> {
  await authorise(db, 'write', caller, subject, asked);
  await requireClientClone(db, subject.repo, asked.operation);
}

async function findCaller(db: Db, call: Call): Promise<AgentRow | undefined> {
  if (!call.callerId) return undefined;
  const caller = await findAgent(db, call.callerId);
  if (caller) return caller;
  throw new SwarmError('not_found', `There is no agent ${call.callerId}.`, {
    fix: 'gitswarm agent register <name>',
  });
}

async function writeEvents(
  tx: Tx,
  kernel: Kernel,
  caller: AgentRow | undefined,
  repoId: string | undefined,
  now: string,
  events: (NewEvent & { repoId?: string | null })[],
): Promise<void> {
  if (events.length === 0) return;
  await lockEvents(tx);
  const rows = events.map((event) => ({
    id: newId(kernel.clock.now()),
    repo_id: event.repoId === undefined ? (repoId ?? null) : event.repoId,
    type: event.type,
    actor_id: caller?.id ?? null,
    subject_type: event.subject.type,
    subject_id: event.subject.id,
    data: JSON.stringify(event.data ?? {}),
    created_at: now,
  }));
  await insertEvents(tx, rows);
  await announceEvents(tx);
}

export function parseInput(operation: Pick<Operation, 'endpoint'>, input: unknown): unknown {
  const result = operation.endpoint.input.safeParse(input);
  if (result.success) return result.data;
  throw new SwarmError('invalid', `${operation.endpoint.name}: ${issuesText(result.error)}`, {
    details: { issues: result.error.issues.map((issue) => ({ path: issue.path, message: issue.message })) },
  });
}

/** `name is missing or empty; paths.0: too long`, for people. */
function issuesText({ issues }: z.ZodError): string {
  const texts = issues.map((issue) => {
    const isEmpty = issue.code === 'too_small' && issue.origin === 'string' && issue.minimum === 1;
    const path = issue.path.join('.');
    return isEmpty ? `${path} is empty` : path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  return `${texts.join('; ')}.`;
}

/** What tells two requests under one key apart. */
export function hashBody(name: string, input: unknown): string {
  return sha256(`${name}\n${JSON.stringify(input)}`);
}
