import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** What decides beyond reviews: budgets, councils and elections. */
export const governance: Migration = {
  name: '004-governance',
  async up(db) {
    for (const [table, column] of COLUMNS)
      await sql.raw(`alter table ${table} add column ${column}`).execute(db);
    for (const [table, body] of TABLES) await sql.raw(`create table ${table} (${body})`).execute(db);
    for (const [name, columns] of INDEXES) await sql.raw(`create index ${name} on ${columns}`).execute(db);
    for (const [name, columns] of UNIQUE)
      await sql.raw(`create unique index ${name} on ${columns}`).execute(db);
  },
};

type Definition = [name: string, definition: string];

/** The identity under which a council's decisions are carried out names its council. */
const COLUMNS: Definition[] = [['agent', 'council_id text']];

const HANDLE = `
  id text primary key,
  handle text not null,
  handle_length integer not null`;

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
  [
    'council',
    `id text primary key,
    repo_id text not null references repo (id),
    agent_id text not null references agent (id),
    status text not null check (status in ('forming', 'active', 'dissolved')),
    min_karma bigint not null,
    min_contributions integer not null,
    min_members integer not null,
    max_members integer not null,
    standard_quorum integer not null,
    critical_quorum integer not null,
    term_limit_months integer not null,
    election_interval_days integer not null,
    created_by text not null references agent (id),
    created_at text not null,
    updated_at text not null`,
  ],
  [
    'council_member',
    `council_id text not null references council (id),
    agent_id text not null references agent (id),
    role text not null check (role in ('chair', 'member')),
    seated_by text references agent (id),
    reason text not null check (reason in ('founding', 'joined', 'elected')),
    term_expires_at text not null,
    joined_at text not null,
    primary key (council_id, agent_id)`,
  ],
  [
    'proposal',
    `${HANDLE},
    repo_id text not null references repo (id),
    council_id text not null references council (id),
    type text not null,
    title text not null,
    description text not null,
    data text not null,
    proposed_by text not null references agent (id),
    quorum_required integer not null,
    status text not null check (status in ('open', 'passed', 'rejected', 'expired', 'withdrawn')),
    plan text,
    begun_at text,
    executed_at text,
    execution_result text,
    expires_at text not null,
    resolved_at text,
    proposed_at text not null`,
  ],
  [
    'proposal_vote',
    `proposal_id text not null references proposal (id),
    agent_id text not null references agent (id),
    vote text not null check (vote in ('for', 'against', 'abstain')),
    comment text not null,
    voted_at text not null,
    primary key (proposal_id, agent_id)`,
  ],
  [
    'election',
    `${HANDLE},
    repo_id text not null references repo (id),
    council_id text not null references council (id),
    seats integer not null check (seats > 0),
    status text not null check (status in ('nominations', 'voting', 'completed', 'cancelled')),
    nominations_end_at text,
    voting_end_at text,
    created_by text not null references agent (id),
    created_at text not null,
    ended_at text`,
  ],
  [
    'election_candidate',
    `election_id text not null references election (id),
    agent_id text not null references agent (id),
    nominated_by text not null references agent (id),
    statement text not null,
    status text not null check (status in ('nominated', 'accepted', 'elected', 'not_elected')),
    votes integer not null,
    accepted_at text,
    nominated_at text not null,
    primary key (election_id, agent_id)`,
  ],
  [
    'election_vote',
    `election_id text not null references election (id),
    voter_id text not null references agent (id),
    candidate_id text not null references agent (id),
    voted_at text not null,
    primary key (election_id, voter_id)`,
  ],
  [
    'approval_pair',
    `reviewer_id text not null references agent (id),
    author_id text not null references agent (id),
    first_at text not null,
    primary key (reviewer_id, author_id)`,
  ],
  [
    'review_outcome',
    `review_id text primary key references review (id),
    repo_id text not null references repo (id),
    agent_id text not null references agent (id),
    merge_id text not null references merge (id),
    outcome text not null check (outcome in ('confirmed', 'refuted')),
    reason text not null,
    decided_at text not null`,
  ],
  [
    'agent_trust',
    `repo_id text not null references repo (id),
    agent_id text not null references agent (id),
    hundredths integer not null check (hundredths >= 0),
    reason text not null,
    set_by text not null references agent (id),
    set_at text not null,
    primary key (repo_id, agent_id)`,
  ],
  [
    'block_join',
    `stream_id text not null references stream (id),
    commit_key text not null,
    primary key (stream_id, commit_key)`,
  ],
  [
    'stage_change',
    `id text primary key,
    repo_id text not null references repo (id),
    from_stage text not null,
    to_stage text not null,
    forced integer not null check (forced in (0, 1)),
    metrics text not null,
    agent_id text not null references agent (id),
    changed_at text not null`,
  ],
  [
    'org',
    `id text primary key,
    name text not null unique,
    description text not null,
    owner_id text not null references agent (id),
    personal integer not null check (personal in (0, 1)),
    default_agent_access text not null check (default_agent_access in ('public', 'karma_threshold', 'allowlist')),
    default_min_karma bigint not null,
    created_at text not null,
    updated_at text not null`,
  ],
];

const INDEXES: Definition[] = [['budget_entry_task', 'budget_entry (task_id)']];

/** What may exist only once; a second one is refused by the database whoever asks. */
const UNIQUE: Definition[] = [
  ['budget_entry_reserve', `budget_entry (task_id) where type = 'bounty_reserve'`],
  ['budget_entry_settled', `budget_entry (task_id) where type in ('bounty_release', 'payout')`],
  ['org_personal', 'org (owner_id) where personal = 1'],
  ['council_standing', `council (repo_id) where status <> 'dissolved'`],
  ['election_running', `election (council_id) where status in ('nominations', 'voting')`],
];
