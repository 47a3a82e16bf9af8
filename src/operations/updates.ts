import { isSwarmError, SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/events.ts';
import { accessOf } from '../domain/access/access-store.ts';
import { listEventRows, toEvent } from '../domain/events/events-store.ts';
import { getRepoRow } from '../domain/repos/repos-store.ts';
import { eventReader } from './event-reader.ts';
import { seqOf } from './events.ts';
import { callerOf } from './me.ts';
import { query, type ReadContext } from './operation.ts';

/** So many rows are looked at for one answer: most of them may be of repositories the caller cannot read. */
const LOOKED_AT = 2000;
const PAGE = 200;

/** What is passed over because the caller may not read it is not told later either: the cursor is behind it. */
const list = query(contract.listUpdates, {
  on: 'none',
  needs: 'member',
  async run(context, { since, repoId, limit }) {
    const { db, now } = context;
    if (repoId !== undefined) await requireReadable(context, repoId);
    const mayRead = eventReader(db, { reader: callerOf(context), now });
    const events = [];
    let at = since === undefined ? 0 : seqOf(since);
    let more = true;
    for (let looked = 0; more && looked < LOOKED_AT && events.length < limit; looked += PAGE) {
      const rows = await listEventRows(db, { repoId, after: at, limit: PAGE });
      more = rows.length === PAGE;
      for (const row of rows) {
        if (events.length === limit) {
          more = true;
          break;
        }
        at = Number(row.seq);
        if (await mayRead(row)) events.push(toEvent(row));
      }
    }
    return { events, cursor: String(at), more };
  },
});

async function requireReadable(context: ReadContext, repoId: string): Promise<void> {
  const hidden = () => new SwarmError('not_found', `There is no repo "${repoId}" that you may see.`);
  const repo = await getRepoRow(context.db, repoId).catch((error: unknown) => {
    throw isSwarmError(error, 'not_found') ? hidden() : error;
  });
  if ((await accessOf(context.db, repo, callerOf(context), context.now)).level === null) throw hidden();
}

export const updateOperations = [list];
