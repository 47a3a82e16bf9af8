import type { Generated } from 'kysely';

/**
 * One row type per table, the same on both databases: ids, times (ISO 8601 UTC), words and JSON are text, numbers and
 * flags (0 or 1) are integers. What a word may be is said by src/contract and checked where it is written.
 */
export interface Tables {
  agent: AgentRow;
  repo: RepoRow;
  maintainer: MaintainerRow;
  access_grant: AccessGrantRow;
  task: TaskRow;
  task_dependency: TaskDependencyRow;
  workplan_task: WorkplanTaskRow;
  claim: ClaimRow;
  stream: StreamRow;
  stream_author: StreamAuthorRow;
  stream_commit: StreamCommitRow;
  review: ReviewRow;
  merge: MergeRow;
  stabilization: StabilizationRow;
  promotion: PromotionRow;
  karma_entry: KarmaEntryRow;
  undo_record: UndoRecordRow;
  event: EventRow;
  receipt: ReceiptRow;
  reactor_cursor: ReactorCursorRow;
  budget: BudgetRow;
  budget_entry: BudgetEntryRow;
  council: CouncilRow;
  council_member: CouncilMemberRow;
  proposal: ProposalRow;
  proposal_vote: ProposalVoteRow;
  election: ElectionRow;
  election_candidate: ElectionCandidateRow;
  election_vote: ElectionVoteRow;
  approval_pair: ApprovalPairRow;
  review_outcome: ReviewOutcomeRow;
  agent_trust: AgentTrustRow;
  block_join: BlockJoinRow;
  notification: NotificationRow;
  notification_preference: NotificationPreferenceRow;
  delivery: DeliveryRow;
  plugin_execution: PluginExecutionRow;
  stage_change: StageChangeRow;
  org: OrgRow;
  schema_migration: SchemaMigrationRow;
  server_agent: ServerAgentRow;
  api_key: ApiKeyRow;
  invite: InviteRow;
  repo_clone: RepoCloneRow;
  unpushed_ref: UnpushedRefRow;
  login_link: LoginLinkRow;
  dashboard_session: DashboardSessionRow;
}

export interface AgentRow {
  id: string;
  /** The full hash; `handle_length` characters of it are enough to tell it from all others. */
  handle: string;
  handle_length: number;
  name: string;
  slug: string;
  kind: string;
  description: string;
  api_key_hash: string | null;
  status: string;
  karma: number;
  role: string | null;
  operator: string | null;
  /**
   * Set on the identity under which a council's decisions are carried out, and to `server` on that under which a server
   * does its housekeeping; nobody acts as one of them of their own will.
   */
  council_id: string | null;
  created_at: string;
  updated_at: string;
}

export interface RepoRow {
  id: string;
  handle: string;
  handle_length: number;
  org_id: string | null;
  name: string;
  description: string;
  status: string;
  authority: string;
  stage: string;
  /** JSON of RepoConfig: the copy that init and `config set` keep, in force until a file is committed. */
  config_copy: string;
  /** JSON of RepoConfig as read from the buffer's tip, or null where no file is there. */
  config_file: string | null;
  config_blob: string | null;
  /** JSON of ServerSettings. */
  settings: string;
  queue_paused: number;
  frozen_reason: string | null;
  created_at: string;
  updated_at: string;
}

export interface MaintainerRow {
  repo_id: string;
  agent_id: string;
  role: string;
  added_by: string | null;
  reason: string | null;
  created_at: string;
}

export interface AccessGrantRow {
  repo_id: string;
  agent_id: string;
  level: string;
  granted_by: string | null;
  expires_at: string | null;
  created_at: string;
}

export interface TaskRow {
  id: string;
  handle: string;
  handle_length: number;
  repo_id: string;
  title: string;
  description: string;
  status: string;
  priority: string;
  amount: number;
  /** JSON arrays of text. */
  labels: string;
  paths: string;
  acceptance: string;
  difficulty: string | null;
  blocked_reason: string | null;
  revert_of_stream_id: string | null;
  created_by: string;
  expires_at: string | null;
  completed_at: string | null;
  created_at: string;
  updated_at: string;
}

export interface TaskDependencyRow {
  task_id: string;
  depends_on_id: string;
}

export interface WorkplanTaskRow {
  task_id: string;
  repo_id: string;
  /** The id that the block has in its file. */
  block_id: string;
  file: string;
  /** The furthest status at which files and database have met. */
  reached: string;
  created_at: string;
  updated_at: string;
}

export interface ClaimRow {
  id: string;
  handle: string;
  handle_length: number;
  task_id: string;
  agent_id: string;
  stream_id: string | null;
  status: string;
  notes: string;
  lease_ms: number;
  lease_until: string | null;
  /** JSON array of agent ids. */
  reviewed_by: string;
  review_notes: string;
  payout_amount: number;
  claimed_at: string;
  submitted_at: string | null;
  reviewed_at: string | null;
}

export interface StreamRow {
  id: string;
  handle: string;
  handle_length: number;
  repo_id: string;
  agent_id: string;
  name: string;
  branch: string;
  source: string;
  state: string;
  /** The state to go back to from paused or abandoned. */
  state_before: string | null;
  state_reason: string | null;
  /** JSON of StreamConflict. */
  conflict: string | null;
  task_id: string | null;
  parent_stream_id: string | null;
  revert_of_stream_id: string | null;
  base_branch: string;
  base_commit: string;
  head: string;
  patch_id: string;
  /** JSON array of touched paths. */
  paths: string;
  commit_count: number;
  merged_commit: string | null;
  created_at: string;
  updated_at: string;
}

export interface StreamAuthorRow {
  stream_id: string;
  agent_id: string;
  created_at: string;
}

export interface StreamCommitRow {
  stream_id: string;
  position: number;
  commit_hash: string;
  change_id: string;
  patch_id: string;
  message: string;
  author: string;
}

export interface ReviewRow {
  id: string;
  stream_id: string;
  reviewer_id: string;
  review_block_id: string | null;
  verdict: string;
  feedback: string;
  is_human: number;
  tested: number;
  head: string;
  patch_id: string;
  /** Of the whole stream, where the verdict is on a block of it. */
  stream_patch_id: string | null;
  standing: number;
  reviewed_at: string;
}

export interface MergeRow {
  id: string;
  handle: string;
  handle_length: number;
  repo_id: string;
  kind: string;
  state: string;
  stream_id: string | null;
  reverts_merge_id: string | null;
  requested_by: string;
  head: string;
  patch_id: string;
  priority: string;
  /** Smaller comes first among equals; set by `queue move --first`. */
  rank: number;
  is_fix: number;
  forced: number;
  reason: string | null;
  commit_hash: string | null;
  buffer_before: string | null;
  holder: string | null;
  tested_tree: string | null;
  /** JSON array of the reviewers whose verdicts decided. */
  decided_by: string;
  requested_at: string;
  prepared_at: string | null;
  landed_at: string | null;
  ended_at: string | null;
}

export interface StabilizationRow {
  id: string;
  repo_id: string;
  actor_id: string;
  result: string;
  commit_hash: string;
  tag: string | null;
  culprit_merge_id: string | null;
  revert_merge_id: string | null;
  task_id: string | null;
  duration_ms: number;
  runs: number;
  details: string;
  stabilized_at: string;
}

export interface PromotionRow {
  id: string;
  repo_id: string;
  actor_id: string;
  from_branch: string;
  to_branch: string;
  from_commit: string | null;
  to_commit: string;
  untested: number;
  triggered_by: string;
  promoted_at: string;
}

export interface KarmaEntryRow {
  id: string;
  agent_id: string;
  repo_id: string | null;
  amount: number;
  reason: string;
  subject_id: string | null;
  created_at: string;
}

export interface UndoRecordRow {
  id: string;
  repo_id: string;
  agent_id: string;
  operation: string;
  summary: string;
  data: string;
  created_at: string;
  undone_at: string | null;
}

export interface EventRow {
  /** Given last in the transaction, so that its order is the order of commits. */
  seq: Generated<number>;
  id: string;
  repo_id: string | null;
  type: string;
  actor_id: string | null;
  subject_type: string;
  subject_id: string;
  data: string;
  created_at: string;
}

export interface ReceiptRow {
  actor_id: string;
  key: string;
  operation: string;
  body_hash: string;
  answer: string;
  created_at: string;
}

export interface ReactorCursorRow {
  name: string;
  cursor: string;
  updated_at: string;
}

export interface BudgetRow {
  repo_id: string;
  available: number;
  reserved: number;
  paid: number;
  /** How many lines the ledger has. */
  entries: number;
  created_at: string;
  updated_at: string;
}

export interface BudgetEntryRow {
  id: string;
  repo_id: string;
  /** 1, 2, 3 … in the order of booking. */
  position: number;
  type: string;
  amount: number;
  available_after: number;
  reserved_after: number;
  description: string;
  agent_id: string | null;
  recipient_id: string | null;
  task_id: string | null;
  created_at: string;
}

export interface CouncilRow {
  id: string;
  repo_id: string;
  /** The identity under which what it decides is carried out. */
  agent_id: string;
  status: string;
  min_karma: number;
  min_contributions: number;
  min_members: number;
  max_members: number;
  standard_quorum: number;
  critical_quorum: number;
  term_limit_months: number;
  election_interval_days: number;
  created_by: string;
  created_at: string;
  updated_at: string;
}

export interface CouncilMemberRow {
  council_id: string;
  agent_id: string;
  role: string;
  seated_by: string | null;
  reason: string;
  term_expires_at: string;
  joined_at: string;
}

export interface ProposalRow {
  id: string;
  handle: string;
  handle_length: number;
  repo_id: string;
  council_id: string;
  type: string;
  title: string;
  description: string;
  /** JSON of the type's data, with every reference as a full id. */
  data: string;
  proposed_by: string;
  quorum_required: number;
  status: string;
  /** JSON of what carrying it out was fixed to when it was begun. */
  plan: string | null;
  begun_at: string | null;
  executed_at: string | null;
  execution_result: string | null;
  expires_at: string;
  resolved_at: string | null;
  proposed_at: string;
}

export interface ProposalVoteRow {
  proposal_id: string;
  agent_id: string;
  vote: string;
  comment: string;
  voted_at: string;
}

export interface ElectionRow {
  id: string;
  handle: string;
  handle_length: number;
  repo_id: string;
  council_id: string;
  seats: number;
  status: string;
  nominations_end_at: string | null;
  voting_end_at: string | null;
  created_by: string;
  created_at: string;
  ended_at: string | null;
}

export interface ElectionCandidateRow {
  election_id: string;
  agent_id: string;
  nominated_by: string;
  statement: string;
  status: string;
  votes: number;
  accepted_at: string | null;
  nominated_at: string;
}

export interface ElectionVoteRow {
  election_id: string;
  voter_id: string;
  candidate_id: string;
  voted_at: string;
}

/** Somebody nobody vouches for has approved work of somebody, and it landed. */
export interface ApprovalPairRow {
  reviewer_id: string;
  author_id: string;
  first_at: string;
}

export interface ReviewOutcomeRow {
  review_id: string;
  repo_id: string;
  agent_id: string;
  merge_id: string;
  outcome: string;
  reason: string;
  decided_at: string;
}

export interface AgentTrustRow {
  repo_id: string;
  agent_id: string;
  /** 100 is what everybody has. */
  hundredths: number;
  reason: string;
  set_by: string;
  set_at: string;
}

/** This commit goes on with the review block of the commit before it. */
export interface BlockJoinRow {
  stream_id: string;
  commit_key: string;
}

export interface NotificationRow {
  id: string;
  agent_id: string;
  repo_id: string | null;
  event_id: string;
  event_seq: number;
  type: string;
  /** JSON of the event as it was. */
  payload: string;
  read_at: string | null;
  created_at: string;
}

export interface NotificationPreferenceRow {
  agent_id: string;
  /** JSON array of event types; a trailing star stands for all of a noun. */
  events: string;
  enabled: number;
  webhook_url: string | null;
  webhook_secret: string | null;
  updated_at: string;
}

export interface DeliveryRow {
  id: string;
  notification_id: string;
  repo_id: string | null;
  url: string;
  status: string;
  attempts: number;
  next_at: string | null;
  last_error: string | null;
  updated_at: string;
  created_at: string;
}

export interface PluginExecutionRow {
  id: string;
  repo_id: string;
  plugin: string;
  /** What it was run for; a plugin runs once for each. */
  trigger_key: string;
  status: string;
  result: string;
  agent_id: string | null;
  started_at: string;
  finished_at: string | null;
}

export interface StageChangeRow {
  id: string;
  repo_id: string;
  from_stage: string;
  to_stage: string;
  forced: number;
  /** JSON of what was counted at the time. */
  metrics: string;
  agent_id: string;
  changed_at: string;
}

export interface OrgRow {
  id: string;
  name: string;
  description: string;
  owner_id: string;
  /** Made for one agent, of which it has one. */
  personal: number;
  default_agent_access: string;
  default_min_karma: number;
  created_at: string;
  updated_at: string;
}

export interface SchemaMigrationRow {
  name: string;
  checksum: string;
  applied_at: string;
}

/** What a server knows of an agent besides the agent itself. */
export interface ServerAgentRow {
  agent_id: string;
  is_admin: number;
  registered_by: string | null;
  created_at: string;
}

/** A further key of an agent; the first one is in the agent's own row. */
export interface ApiKeyRow {
  id: string;
  agent_id: string;
  key_hash: string;
  name: string;
  may_register: number;
  created_by: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface InviteRow {
  id: string;
  token_hash: string;
  note: string;
  uses_left: number;
  created_by: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

/** Where the clone of a repository is: here at the server, or with its clients. */
export interface RepoCloneRow {
  repo_id: string;
  clone: string;
  clone_url: string | null;
  created_at: string;
}

/** A branch or tag that the remote does not have yet. */
export interface UnpushedRefRow {
  repo_id: string;
  ref: string;
  commit_hash: string;
  attempts: number;
  last_error: string | null;
  next_attempt_at: string;
  created_at: string;
}

/** Lets an agent sign in at the dashboard, once. */
export interface LoginLinkRow {
  id: string;
  agent_id: string;
  token_hash: string;
  created_at: string;
  expires_at: string;
  used_at: string | null;
}

export interface DashboardSessionRow {
  id: string;
  agent_id: string;
  token_hash: string;
  /** The key it was opened with: whoever takes that back ends it too. Null where it was a link. */
  key_hash: string | null;
  created_at: string;
  expires_at: string;
  ended_at: string | null;
}
