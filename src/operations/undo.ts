import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/undo.ts';
import type { RepoRow, UndoRecordRow } from '../db/tables.ts';
import { listUndoRows, markUndone, recordUndoRow, toUndoRecord } from '../domain/undo/undo-store.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { neverUndone, undoActions } from './undo-actions.ts';
import { requireRightToStream } from './undo-streams.ts';

/** The caller's own records, the last one first; nobody takes back what another did. */
const list = query(contract.listUndo, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo, caller }, input) {
    if (!caller) return { items: [] };
    const rows = await listUndoRows(db, { repoId: repo.id, agentId: caller.id, limit: input.limit });
    return { items: rows.map(toUndoRecord) };
  },
});

/** Only for what lives in git: a record that the database acts on comes from the operation that made it. */
const record = operation(contract.recordUndo, {
  on: 'repo',
  needs: 'write',
  async run(context, { operation: name, summary, data }) {
    if (Object.hasOwn(undoActions, name)) {
      throw new SwarmError('invalid', `What ${name} did is remembered by ${name} itself.`);
    }
    return toUndoRecord(await recordUndoRow(context, { operation: name, summary, data }));
  },
});

/** What lives in git is left to the workflow, which finds in the answer what to do. */
const run = operation(contract.undo, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const row = await chooseRecord(context, input.record);
    refuseIfNever(row.operation);
    await (undoActions[row.operation] ?? requireRightToStream)(context, toUndoRecord(row));
    context.emit({
      type: 'operation.undone',
      subject: { type: 'undo', id: row.id },
      data: { operation: row.operation, summary: row.summary },
    });
    return toUndoRecord(await markUndone(context.db, row.id, context.now));
  },
});

/** The last record that stands, or the one meant by an id, the beginning of one, or the name of an operation. */
async function chooseRecord(
  context: ActingContext & { repo: RepoRow },
  ref: string | undefined,
): Promise<UndoRecordRow> {
  const mine = { repoId: context.repo.id, agentId: context.actor.id, standing: true, limit: 2 };
  if (ref === undefined) return first(await listUndoRows(context.db, mine), 'There is nothing to undo.');
  refuseIfNever(ref);
  const [named] = await listUndoRows(context.db, { ...mine, operation: ref });
  if (named) return named;
  const usable = /^[0-9a-f-]{4,36}$/.test(ref)
    ? await listUndoRows(context.db, { ...mine, idPrefix: ref })
    : [];
  const row = first(usable, `There is nothing to undo called "${ref}".`);
  if (usable.length === 1) return row;
  throw new SwarmError('ambiguous', `"${ref}" may mean several records.`, { fix: 'gitswarm undo --list' });
}

function refuseIfNever(operation: string): void {
  const never = Object.hasOwn(neverUndone, operation) ? neverUndone[operation] : undefined;
  if (never) throw new SwarmError('wrong_state', never.why, { fix: never.fix });
}

function first(rows: UndoRecordRow[], otherwise: string): UndoRecordRow {
  const [row] = rows;
  if (row) return row;
  throw new SwarmError('not_found', otherwise, { fix: 'gitswarm log' });
}

export const undoOperations = [list, record, run];
