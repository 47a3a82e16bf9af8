/** How machine.db came to be what it is: step n leads from version n-1 to n. A released step is never edited. */
export const schemaSteps: readonly string[] = [
  `
  create table workspace (
    stream_id text primary key, path text not null unique, agent_id text not null, branch text not null,
    synced_oid text, created_at text not null
  ) strict;
  create table workspace_use (
    id text primary key, stream_id text not null references workspace on delete cascade,
    reason text not null, holder text not null, started_at text not null
  ) strict;
  create index workspace_use_stream on workspace_use (stream_id);
  create table intent (
    id text primary key, kind text not null, data text not null, holder text not null, created_at text not null
  ) strict;
  create table run_output (
    id text primary key, kind text not null, subject text not null, path text not null, holder text not null,
    started_at text not null, ended_at text, exit integer, size integer not null, truncated integer not null
  ) strict;
  create index run_output_subject on run_output (subject, started_at);
  create table verdict (
    tree text not null, command_hash text not null, environment_hash text not null, result text not null,
    duration_ms integer not null, output_id text, created_at text not null,
    primary key (tree, command_hash, environment_hash)
  ) strict, without rowid;
  create table flake (
    command_hash text primary key, runs integer not null, flakes integer not null
  ) strict, without rowid;
  create table checkout (
    id text primary key, path text not null unique, holder text, oid text, setup_hash text, used_at text not null
  ) strict;
  create table trusted_command (
    kind text not null, text_hash text not null, text text not null, approved_by text not null, approved_at text not null,
    primary key (kind, text_hash)
  ) strict, without rowid;
  create table seen_head (
    stream_id text not null, agent_id text not null, head text not null, seen_at text not null,
    primary key (stream_id, agent_id)
  ) strict, without rowid;
  create table session (
    token_hash text primary key, agent_id text not null, stream_id text, created_at text not null, ended_at text
  ) strict, without rowid;
  `,
  `
  create table settled_config (
    repo_id text primary key, tip text not null, blob text
  ) strict, without rowid;
  create table usable_git (program text primary key) strict, without rowid;
  create table known_attributes (
    id integer primary key check (id = 1), tree text not null, attributes text not null
  ) strict;
  `,
  `
  create table queue_event (seq integer primary key, data text not null) strict;
  create table prediction (
    ours text not null, theirs text not null, buffer text not null, files text not null,
    primary key (ours, theirs, buffer)
  ) strict, without rowid;
  create table queue_rates (id integer primary key check (id = 1), data text not null) strict;
  `,
  `
  create table connection (
    id integer primary key check (id = 1), url text not null, repo_id text not null, agent_id text not null,
    agent_name text not null, remote text, cursor text, looked_at text, connected_at text not null
  ) strict;
  create table outbox (
    seq integer primary key autoincrement, key text not null unique, operation text not null, actor_id text not null,
    input text not null, state text not null, attempts integer not null, error text, holder text not null,
    created_at text not null
  ) strict;
  create table remembered_answer (
    question text primary key, answer text not null, asked_at text not null
  ) strict, without rowid;
  `,
  `
  alter table connection add column seen_notification text;
  `,
];
