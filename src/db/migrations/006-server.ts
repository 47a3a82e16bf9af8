import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** What a server keeps beyond the repository's own policy: who vouched for whom, keys, invites, and where clones are. */
export const server: Migration = {
  name: '006-server',
  async up(db) {
    for (const [table, definition] of TABLES)
      await sql.raw(`create table ${table} (${definition})`).execute(db);
    await sql.raw('create index api_key_agent on api_key (agent_id, id)').execute(db);
  },
};

const TABLES: [name: string, definition: string][] = [
  [
    'server_agent',
    `agent_id text not null primary key references agent (id),
    is_admin integer not null check (is_admin in (0, 1)),
    registered_by text references agent (id),
    created_at text not null`,
  ],
  [
    'api_key',
    `id text not null primary key,
    agent_id text not null references agent (id),
    key_hash text not null unique,
    name text not null,
    may_register integer not null check (may_register in (0, 1)),
    created_by text not null references agent (id),
    created_at text not null,
    expires_at text,
    revoked_at text`,
  ],
  [
    'invite',
    `id text not null primary key,
    token_hash text not null unique,
    note text not null,
    uses_left integer not null check (uses_left >= 0),
    created_by text not null references agent (id),
    created_at text not null,
    expires_at text,
    revoked_at text`,
  ],
  [
    'repo_clone',
    `repo_id text not null primary key references repo (id),
    clone text not null check (clone in ('server', 'client')),
    clone_url text,
    created_at text not null`,
  ],
  [
    'unpushed_ref',
    `repo_id text not null references repo (id),
    ref text not null,
    commit_hash text not null,
    attempts integer not null,
    last_error text,
    next_attempt_at text not null,
    created_at text not null,
    primary key (repo_id, ref)`,
  ],
];
