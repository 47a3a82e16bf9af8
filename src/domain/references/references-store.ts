import { sql } from 'kysely';
import {
  HANDLE_LENGTH,
  type HandleKind,
  handleHash,
  parseHandle,
  SHORTEST_HANDLE,
} from '../../base/handles.ts';
import { isId } from '../../base/ids.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Db, Tx } from '../../db/database.ts';
import { type Candidate, handleOf, likePrefix, nearestCandidate, pickReference } from './references.ts';

const NAME_COLUMN = {
  agent: 'name',
  repo: 'name',
  task: 'title',
  stream: 'name',
  proposal: 'title',
} as const;

export type NamedKind = keyof typeof NAME_COLUMN;
export type HandledKind = NamedKind | 'claim' | 'merge' | 'election';

const IN_REPO: HandledKind[] = ['task', 'stream', 'merge', 'proposal', 'election'];
const LOOKED_AT = 20;
const NEIGHBOURS = 500;

/**
 * The id of what a reference means, within a repository where one is given. Throws not_found or ambiguous.
 * Names count only where the kind has them, and only in full.
 */
export async function resolveReference(
  db: Db,
  kind: HandledKind,
  text: string,
  repoId?: string,
): Promise<string> {
  if (isId(text) && (await holdsId(db, kind, text, repoId))) return text;
  const prefix = parseHandle(kind, text);
  const name = kind in NAME_COLUMN ? sql.ref(NAME_COLUMN[kind as NamedKind]) : sql`id`;
  const rows = await sql<Candidate>`
    select id, handle, handle_length, ${name} as name from ${sql.table(kind)}
    where (id = ${text} or ${name} = ${text}
      or handle like ${likePrefix(prefix ?? text.toLowerCase())} escape '\\'
      ${prefix ? sql`` : sql`or id like ${likePrefix(text.toLowerCase())} escape '\\'`})
      ${within(kind, repoId)}
    order by case when id = ${text} or ${name} = ${text} then 0 else 1 end, id limit ${LOOKED_AT}`.execute(
    db,
  );
  const usable = text.length >= SHORTEST_HANDLE ? rows.rows : rows.rows.filter((r) => r.name === text);
  if (usable.length > 0) return pickReference(kind, text, usable).id;
  const near = nearestCandidate(kind, text, await neighbourhood(db, kind, repoId));
  if (!near) return pickReference(kind, text, usable).id;
  const handle = handleOf(kind, near);
  throw new SwarmError('not_found', `There is no ${kind} "${text}". Did you mean ${handle} (${near.name})?`, {
    fix: `gitswarm ${kind} list`,
    details: { candidates: [{ id: near.id, handle, name: near.name }] },
  });
}

/** Programs name things by their full ids: those need no search. */
async function holdsId(db: Db, kind: HandledKind, id: string, repoId: string | undefined): Promise<boolean> {
  const { rows } = await sql`select 1 from ${sql.table(kind)}
    where id = ${id} ${within(kind, repoId)}`.execute(db);
  return rows.length > 0;
}

/** Nothing of another repository is meant, nor shown as a candidate. */
function within(kind: HandledKind, repoId: string | undefined) {
  if (repoId === undefined) return sql``;
  if (kind === 'claim') return sql`and task_id in (select id from task where repo_id = ${repoId})`;
  return IN_REPO.includes(kind) ? sql`and repo_id = ${repoId}` : sql``;
}

/** What a mistyped reference may have meant: agents, and the newest of what the repository at hand holds. */
async function neighbourhood(db: Db, kind: HandledKind, repoId: string | undefined): Promise<Candidate[]> {
  const isPublic = kind === 'agent' || (repoId !== undefined && (kind === 'task' || kind === 'stream'));
  if (!isPublic) return [];
  const rows = await sql<Candidate>`
    select id, handle, handle_length, ${sql.ref(NAME_COLUMN[kind])} as name from ${sql.table(kind)}
    ${kind === 'agent' ? sql`` : sql`where repo_id = ${repoId}`} order by id desc limit ${NEIGHBOURS}`.execute(
    db,
  );
  return rows.rows;
}

/** What a new row stores of its handle; lengthens its neighbours' handles where they would no longer be unique. */
export async function newHandle(
  tx: Tx,
  kind: HandledKind,
  id: string,
): Promise<{ handle: string; handle_length: number }> {
  const handle = handleHash(id);
  const table = sql.table(kind);
  const neighbours = await sql<{ id: string; handle: string; handle_length: number }>`
    select id, handle, handle_length from (select id, handle, handle_length from ${table}
      where handle < ${handle} order by handle desc limit 1) as before
    union all select id, handle, handle_length from (select id, handle, handle_length from ${table}
      where handle > ${handle} order by handle limit 1) as after`.execute(tx);
  let length = SHORTEST_HANDLE;
  for (const other of neighbours.rows) {
    const needed = Math.min(HANDLE_LENGTH, commonPrefix(handle, other.handle) + 1);
    length = Math.max(length, needed);
    if (needed > other.handle_length) {
      await sql`update ${table} set handle_length = ${needed} where id = ${other.id}`.execute(tx);
    }
  }
  return { handle, handle_length: length };
}

function commonPrefix(a: string, b: string): number {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return n;
}

/** The kind of thing whose handle this looks like; undefined for ids and names. */
export function kindOfHandle(text: string): HandleKind | undefined {
  const kinds: HandleKind[] = ['agent', 'task', 'stream', 'claim', 'merge', 'proposal', 'election', 'repo'];
  return kinds.find((kind) => parseHandle(kind, text) !== undefined);
}
