import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/events.ts';
import type { Db } from '../db/database.ts';
import { getAgentByRef } from '../domain/agents/agents-store.ts';
import { listEventRows, toEvent } from '../domain/events/events-store.ts';
import { kindOfHandle, resolveReference } from '../domain/references/references-store.ts';
import { query } from './operation.ts';
import { decodeCursor, encodeCursor, nextPage } from './paging.ts';

/**
 * The log of a repository. A reader that follows it keeps the last cursor it was given, and begins with `after` empty
 * for the whole log, or with the `seq` of an event it has; no cursor in the answer means nothing new.
 */
const list = query(contract.listEvents, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const filter = {
      repoId: repo.id,
      type: input.type,
      actorId: input.actor && (await getAgentByRef(db, input.actor)).id,
      subjectId: input.subject && (await subjectIdOf(db, input.subject, repo.id)),
      since: input.since,
    };
    if (input.after !== undefined) {
      const rows = await listEventRows(db, { ...filter, after: seqOf(input.after), limit: input.limit });
      const last = rows.at(-1);
      return { items: rows.map(toEvent), nextCursor: last ? encodeCursor(String(last.seq)) : null };
    }
    const before = input.cursor === undefined ? undefined : seqOf(input.cursor);
    const rows = await listEventRows(db, { ...filter, before, limit: input.limit + 1 });
    const page = nextPage(rows, input.limit, (row) => String(row.seq));
    return { items: page.items.map(toEvent), nextCursor: page.nextCursor };
  },
});

/** A handle means the thing it stands for; everything else is an id as it is. */
async function subjectIdOf(db: Db, ref: string, repoId: string): Promise<string> {
  const kind = kindOfHandle(ref);
  return kind === undefined ? ref : resolveReference(db, kind, ref, repoId);
}

/** Digits alone are a `seq`; no cursor looks so, because base64 of a digit begins with a letter. */
export function seqOf(cursor: string): number {
  if (cursor === '') return 0;
  const text = /^\d+$/.test(cursor) ? cursor : (decodeCursor(cursor) ?? '');
  const seq = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(seq)) return seq;
  throw new SwarmError('invalid', 'The cursor is not one of this list.');
}

export const eventOperations = [list];
