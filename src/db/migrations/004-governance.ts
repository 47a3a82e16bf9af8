import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** What decides beyond reviews: budgets. */
export const governance: Migration = {
  name: '004-governance',
  async up(db) {
    for (const [table, body] of TABLES) await sql.raw(`create table ${table} (${body})`).execute(db);
    for (const [name, columns] of INDEXES) await sql.raw(`create index ${name} on ${columns}`).execute(db);
    for (const [name, columns] of UNIQUE)
      await sql.raw(`create unique index ${name} on ${columns}`).execute(db);
  },
};

type Definition = [name: string, definition: string];

const TABLES: Definition[] = [
  [
    'budget',
    `repo_id text primary key references repo (id),
    available bigint not null check (available >= 0),
    reserved bigint not null check (reserved >= 0),
    paid bigint not null check (paid >= 0),
    entries bigint not null,
    created_at text not null,
    updated_at text not null`,
  ],
  [
    'budget_entry',
    `id text primary key,
    repo_id text not null references repo (id),
    position bigint not null,
    type text not null check (type in ('deposit', 'withdrawal', 'bounty_reserve', 'bounty_release', 'payout')),
    amount bigint not null check (amount > 0),
    available_after bigint not null,
    reserved_after bigint not null,
    description text not null,
    agent_id text references agent (id),
    recipient_id text references agent (id),
    task_id text references task (id),
    created_at text not null,
    unique (repo_id, position)`,
  ],
];

const INDEXES: Definition[] = [['budget_entry_task', 'budget_entry (task_id)']];

/** What may exist only once; a second one is refused by the database whoever asks. */
const UNIQUE: Definition[] = [
  ['budget_entry_reserve', `budget_entry (task_id) where type = 'bounty_reserve'`],
  ['budget_entry_settled', `budget_entry (task_id) where type in ('bounty_release', 'payout')`],
];
