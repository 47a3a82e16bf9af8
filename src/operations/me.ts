import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/me.ts';
import type { AgentRow } from '../db/tables.ts';
import { toAgent } from '../domain/agents/agents-store.ts';
import { listEventRows, toEvent } from '../domain/events/events-store.ts';
import { listClaims, toClaim } from '../domain/tasks/claims-store.ts';
import { eventReader } from './event-reader.ts';
import { seqOf } from './events.ts';
import { query, type ReadContext } from './operation.ts';
import { decodeCursor, encodeCursor, nextPage } from './paging.ts';
import { isServerAdmin } from './registration.ts';

const show = query(contract.showMe, {
  on: 'none',
  needs: 'member',
  async run(context) {
    const caller = callerOf(context);
    return { agent: toAgent(caller), isServerAdmin: await isServerAdmin(context.db, caller.id) };
  },
});

const claims = query(contract.listMyClaims, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    const rows = await listClaims(context.db, {
      agentId: callerOf(context).id,
      statuses: input.status && [input.status],
      beforeId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: page.items.map(toClaim), nextCursor: page.nextCursor };
  },
});

/** So many rows are looked at for one page: most of them may be of repositories the caller cannot read. */
const LOOKED_AT = 2000;

const activity = query(contract.listActivity, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    const { db, now } = context;
    const mayRead = eventReader(db, { reader: callerOf(context), now });
    const items = [];
    const follows = input.after !== undefined;
    const given = input.after ?? input.cursor;
    let at = given === undefined ? undefined : seqOf(given);
    for (let looked = 0; looked < LOOKED_AT && items.length < input.limit; ) {
      const limit = Math.min(200, LOOKED_AT - looked);
      const rows = await listEventRows(db, {
        type: input.type,
        ...(follows ? { after: at ?? 0 } : { before: at }),
        limit,
      });
      looked += limit;
      for (const row of rows) {
        at = Number(row.seq);
        if (await mayRead(row)) items.push(toEvent(row));
        if (items.length === input.limit) break;
      }
      if (items.length < input.limit && rows.length < limit) {
        if (!follows || items.length === 0) return { items, nextCursor: null };
        break;
      }
    }
    return { items, nextCursor: at === undefined ? null : encodeCursor(String(at)) };
  },
});

/** Whoever asks; a server always knows. */
export function callerOf({ caller }: ReadContext): AgentRow {
  if (caller) return caller;
  throw new SwarmError('unauthenticated', 'Nobody is named who asks.', { fix: 'Add --as <agent>.' });
}

export const meOperations = [show, claims, activity];
