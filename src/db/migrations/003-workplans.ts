import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Which block of a workplan file a task belongs to, and how far files and database have come together. */
export const workplans: Migration = {
  name: '003-workplans',
  async up(db) {
    await sql
      .raw(`create table workplan_task (
    task_id text primary key references task (id),
    repo_id text not null references repo (id),
    block_id text not null,
    file text not null,
    reached text not null check (reached in ('todo', 'in_progress', 'blocked', 'done', 'cancelled')),
    created_at text not null,
    updated_at text not null,
    unique (repo_id, block_id))`)
      .execute(db);
  },
};
