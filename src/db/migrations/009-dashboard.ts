import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Who is signed in at the dashboard, and the links by which one may sign in once. Of both only hashes are kept. */
export const dashboard: Migration = {
  name: '009-dashboard',
  async up(db) {
    for (const [table, definition] of TABLES)
      await sql.raw(`create table ${table} (${definition})`).execute(db);
    await sql.raw('create index dashboard_session_agent on dashboard_session (agent_id)').execute(db);
  },
};

const TABLES: [name: string, definition: string][] = [
  [
    'login_link',
    `id text not null primary key,
    agent_id text not null references agent (id),
    token_hash text not null unique,
    created_at text not null,
    expires_at text not null,
    used_at text`,
  ],
  [
    'dashboard_session',
    `id text not null primary key,
    agent_id text not null references agent (id),
    token_hash text not null unique,
    key_hash text,
    created_at text not null,
    expires_at text not null,
    ended_at text`,
  ],
];
