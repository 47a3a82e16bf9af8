import { existsSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openSqliteFile } from '../base/sqlite-file.ts';
import { SwarmError } from '../contract/errors.ts';
import { Forerunner } from '../contract/forerunner.ts';
import { RepoConfig, ServerSettings } from '../contract/repo-files.ts';
import { importedId } from './imported-id.ts';

type Row = Record<string, unknown>;

/** Where an earlier program's database is kept once its contents were taken over. */
export function keptForerunner(database: string): string {
  return `${database}.forerunner`;
}

/**
 * What an earlier program kept here, or undefined where none did. Its database is set aside first, whole and under
 * another name, so that a takeover that was interrupted begins again from it.
 */
export function takeForerunner(database: string): Forerunner | undefined {
  const kept = keptForerunner(database);
  if (existsSync(database) && !existsSync(kept) && isForerunner(database)) {
    // What is in the journal belongs to the file that is moved.
    const db = openSqliteFile(database, { busyMs: 5000 });
    db.exec('pragma wal_checkpoint(truncate)');
    db.close();
    renameSync(database, kept);
    for (const suffix of ['-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true });
  }
  return existsSync(kept) ? readForerunner(kept) : undefined;
}

/** True for a database with the earlier program's tables and none of ours. */
export function isForerunner(file: string): boolean {
  const names = withDatabase(file, (db) =>
    (db.prepare(`select name from sqlite_master where type = 'table'`).all() as { name: string }[]).map(
      ({ name }) => name,
    ),
  );
  return names.includes('agents') && names.includes('repos') && !names.includes('schema_migration');
}

function withDatabase<T>(file: string, read: (db: DatabaseSync) => T): T {
  const db = openSqliteFile(file, { readOnly: true, busyMs: 5000 });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

/** Every version of its tables is read: what a column does not say has its default. Rows that refer to nothing are left out. */
export function readForerunner(file: string): Forerunner | undefined {
  return withDatabase(file, (db) => {
    const [repo] = rows(db, 'repos');
    if (!repo) return undefined;
    const agents = rows(db, 'agents');
    const known = new Set(agents.map((row) => id(row.id)));
    const isKnown = (row: Row, key: string) => known.has(id(row[key]));
    const streams = rows(db, 'streams').filter((row) => isKnown(row, 'agent_id'));
    const tasks = rows(db, 'tasks');
    const [streamIds, taskIds] = [streams, tasks].map((list) => new Set(list.map((row) => id(row.id))));
    const within = (ids: Set<string> | undefined, value: unknown) =>
      value != null && ids?.has(id(value)) ? id(value) : null;
    const parsed = Forerunner.safeParse({
      repo: repoOf(repo, rows(db, 'branch_rules')),
      agents: agents.map((row) => ({
        id: id(row.id),
        name: text(row.name),
        description: text(row.description),
        apiKeyHash: row.api_key_hash ?? null,
        karma: Math.max(0, number(row.karma)),
        status: row.status === 'active' ? 'active' : 'suspended',
        createdAt: time(row.created_at),
      })),
      maintainers: rows(db, 'maintainers')
        .filter((row) => isKnown(row, 'agent_id'))
        .map((row) => ({ agentId: id(row.agent_id), role: row.role, createdAt: time(row.created_at) })),
      grants: rows(db, 'repo_access')
        .filter((row) => isKnown(row, 'agent_id') && row.access_level !== 'none')
        .map((row) => ({
          agentId: id(row.agent_id),
          level: row.access_level,
          expiresAt: maybeTime(row.expires_at),
          createdAt: time(row.created_at),
        })),
      tasks: tasks.map((row) => ({
        id: id(row.id),
        title: text(row.title).slice(0, 500),
        description: text(row.description),
        status: row.status === 'expired' ? 'cancelled' : row.status,
        priority: row.priority,
        labels: list(row.labels),
        difficulty: row.difficulty ?? null,
        createdBy: within(known, row.created_by),
        expiresAt: maybeTime(row.expires_at),
        completedAt: maybeTime(row.completed_at),
        createdAt: time(row.created_at),
      })),
      streams: streams.map((row) => ({
        id: id(row.id),
        agentId: id(row.agent_id),
        name: text(row.name).slice(0, 255),
        branch: text(row.branch) || `stream/${text(row.id)}`,
        baseBranch: text(row.base_branch) || 'main',
        parentId: within(streamIds, row.parent_stream_id),
        taskId: within(taskIds, row.task_id),
        state: row.status === 'merged' || row.status === 'abandoned' ? row.status : stateOf(row.status),
        head: null,
        createdAt: time(row.created_at),
      })),
      claims: rows(db, 'task_claims')
        .filter((row) => isKnown(row, 'agent_id') && within(taskIds, row.task_id) !== null)
        .map((row) => ({
          id: id(row.id),
          taskId: id(row.task_id),
          agentId: id(row.agent_id),
          streamId: within(streamIds, row.stream_id),
          status: row.status,
          notes: text(row.submission_notes),
          reviewNotes: text(row.review_notes),
          reviewedBy: within(known, row.reviewed_by),
          claimedAt: time(row.claimed_at),
          submittedAt: maybeTime(row.submitted_at),
          reviewedAt: maybeTime(row.reviewed_at),
        })),
      reviews: rows(db, 'patch_reviews')
        .filter((row) => isKnown(row, 'reviewer_id') && within(streamIds, row.stream_id) !== null)
        .map((row) => ({
          id: id(row.id),
          streamId: id(row.stream_id),
          reviewerId: id(row.reviewer_id),
          verdict: row.verdict,
          feedback: text(row.feedback),
          tested: number(row.tested) === 1,
          isHuman: number(row.is_human) === 1,
          reviewedAt: time(row.reviewed_at),
        })),
      council: councilOf(
        rows(db, 'repo_councils')[0],
        rows(db, 'council_members').filter((row) => isKnown(row, 'agent_id')),
      ),
    });
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new SwarmError(
      'invalid',
      `${file} cannot be taken over: ${issue?.path.join('.')}: ${issue?.message}.`,
      {
        fix: 'Move the file away to begin anew, or mend that value in it.',
      },
    );
  });
}

/** What was taken back again is open: its work can be gone on with. */
function stateOf(status: unknown): 'active' | 'merged' {
  return status === 'reverted' ? 'merged' : 'active';
}

function repoOf(row: Row, rules: Row[]) {
  const config: Row = {
    merge_mode: row.merge_mode,
    buffer_branch: row.buffer_branch,
    promote_target: row.promote_target,
    auto_promote_on_green: flag(row.auto_promote_on_green),
    auto_revert_on_red: flag(row.auto_revert_on_red),
    stabilize_command: row.stabilize_command,
    consensus_threshold: row.consensus_threshold,
    min_reviews: row.min_reviews,
    human_review_weight: row.human_review_weight,
    branch_rules: rules.map((rule) => ({
      pattern: rule.branch_pattern,
      direct_push: rule.direct_push,
      required_approvals: rule.required_approvals,
      require_tests_pass: flag(rule.require_tests_pass),
      priority: rule.priority,
    })),
  };
  const settings: Row = {
    ownership_model: row.ownership_model,
    agent_access: row.agent_access,
    min_karma: row.min_karma,
    is_private: flag(row.is_private),
  };
  return {
    id: id(row.id),
    name: text(row.name).slice(0, 255) || 'repository',
    description: text(row.description),
    stage: row.stage ?? 'seed',
    config: usable(config, RepoConfig.shape),
    settings: usable(settings, ServerSettings.shape),
    createdAt: time(row.created_at),
  };
}

/** The values that are settings of ours; one that is none (a branch that no branch can be called) is left at its default. */
function usable(
  values: Row,
  shape: Record<string, { safeParse(value: unknown): { success: boolean } }>,
): Row {
  const kept = Object.entries(values).filter(
    ([key, value]) => value != null && shape[key]?.safeParse(value).success,
  );
  return Object.fromEntries(kept);
}

function councilOf(row: Row | undefined, members: Row[]) {
  if (!row || row.status === 'dissolved') return null;
  return {
    id: id(row.id),
    minKarma: number(row.min_karma),
    minContributions: number(row.min_contributions),
    minMembers: Math.max(1, number(row.min_members)),
    maxMembers: Math.max(1, number(row.max_members)),
    standardQuorum: Math.max(1, number(row.standard_quorum)),
    criticalQuorum: Math.max(1, number(row.critical_quorum)),
    termLimitMonths: number(row.term_limit_months) || 6,
    electionIntervalDays: number(row.election_interval_days) || 90,
    createdAt: time(row.created_at),
    members: members.map((member) => ({
      agentId: id(member.agent_id),
      role: member.role === 'chair' ? 'chair' : 'member',
      joinedAt: time(member.joined_at),
      termExpiresAt: maybeTime(member.term_expires_at),
    })),
  };
}

function rows(db: DatabaseSync, table: string): Row[] {
  const found = db.prepare(`select name from sqlite_master where type = 'table' and name = ?`).get(table);
  return found ? (db.prepare(`select * from "${table}" order by rowid`).all() as Row[]) : [];
}

function id(value: unknown): string {
  return importedId(text(value));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : value == null ? '' : String(value);
}

function number(value: unknown): number {
  return typeof value === 'number' ? Math.trunc(value) : 0;
}

function flag(value: unknown): boolean | undefined {
  return value == null ? undefined : value === 1;
}

function list(value: unknown): string[] {
  try {
    const parsed: unknown = JSON.parse(text(value) || '[]');
    return Array.isArray(parsed) ? parsed.map((each) => text(each).slice(0, 100)).filter(Boolean) : [];
  } catch {
    return [];
  }
}

/** SQLite's own `2026-01-31 10:00:00` is UTC. */
function maybeTime(value: unknown): string | null {
  const written = text(value);
  const at = Date.parse(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.test(written) ? `${written.replace(' ', 'T')}Z` : written,
  );
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

function time(value: unknown): string {
  return maybeTime(value) ?? new Date(0).toISOString();
}
