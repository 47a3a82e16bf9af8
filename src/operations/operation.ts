import type * as z from 'zod';
import type { Clock } from '../base/clock.ts';
import type { Endpoint, OutputOf } from '../contract/endpoint.ts';
import type { Db, Tx } from '../db/database.ts';
import type { AgentRow } from '../db/tables.ts';
import type { NewEvent } from '../domain/events/events-store.ts';
import type { Need } from './permissions.ts';
import type { SubjectKind, SubjectOf } from './subjects.ts';

/** What every operation is given. `now` is the one time of the call, in ISO 8601. */
export interface ReadContext {
  db: Db;
  /** Who asks, where the call says so. */
  caller: AgentRow | undefined;
  clock: Clock;
  now: string;
  /** The repository in which names and handles are looked up. */
  repoId: string | undefined;
  /** Present where the call came over the network. */
  remote: Remote | undefined;
  /** What it says of the clone was measured by its caller, and nobody else here can look. */
  restsOnClientClone: boolean;
}

/** What a call that came over the network brings along. Such a caller is never told of what it may not read. */
export interface Remote {
  /** Agents may register without an invite. */
  openRegistration: boolean;
  /** The caller's key lets it register agents of its own. */
  mayRegister: boolean;
}

export interface WriteContext extends ReadContext {
  db: Tx;
  /** Adds an event to the transaction; on the subject's repository unless `repoId` says otherwise. */
  emit(event: NewEvent & { repoId?: string | null }): void;
}

/** A writing context in which somebody is known to act. */
export type ActingContext = WriteContext & { actor: AgentRow };

export interface Operation {
  endpoint: Endpoint;
  kind: 'read' | 'write';
  on: SubjectKind;
  needs: Need;
  /** What a receipt keeps of an answer that holds a secret. */
  remember: ((answer: never) => unknown) | undefined;
  run(context: never, input: never): Promise<unknown>;
}

type Input<E extends Endpoint> = z.output<E['input']>;

/** A writing operation: one transaction, its events and, under the caller's key, a receipt. */
export function operation<E extends Endpoint, K extends SubjectKind>(
  endpoint: E,
  definition: {
    on: K;
    needs: Exclude<Need, 'nobody'>;
    remember?: (answer: OutputOf<E>) => OutputOf<E>;
    run(context: ActingContext & SubjectOf[K], input: Input<E>): Promise<OutputOf<E>>;
  },
): Operation {
  return { remember: undefined, ...definition, endpoint, kind: 'write' };
}

/** A writing operation that may come from nobody in particular; it looks at `caller` itself. */
export function openOperation<E extends Endpoint, K extends SubjectKind>(
  endpoint: E,
  definition: {
    on: K;
    remember?: (answer: OutputOf<E>) => OutputOf<E>;
    run(context: WriteContext & SubjectOf[K], input: Input<E>): Promise<OutputOf<E>>;
  },
): Operation {
  return { remember: undefined, ...definition, endpoint, kind: 'write', needs: 'nobody' };
}

/** A reading operation: no transaction, no receipt. Without a caller it reads what is open to all. */
export function query<E extends Endpoint, K extends SubjectKind>(
  endpoint: E,
  definition: {
    on: K;
    needs: Need;
    run(context: ReadContext & SubjectOf[K], input: Input<E>): Promise<OutputOf<E>>;
  },
): Operation {
  return { remember: undefined, ...definition, endpoint, kind: 'read' };
}
