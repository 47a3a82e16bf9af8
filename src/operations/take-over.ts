import { newId } from '../base/ids.ts';
import type { Forerunner } from '../contract/forerunner.ts';
import type { AgentRow, RepoRow } from '../db/tables.ts';
import { upsertGrant, upsertMaintainer } from '../domain/access/access-store.ts';
import { findAgentByName } from '../domain/agents/agents-store.ts';
import { makeAgent } from '../domain/agents/new-agent.ts';
import { refreshCouncil } from '../domain/councils/council-effects.ts';
import { termEnd } from '../domain/councils/council-rules.ts';
import { insertCouncil, settingColumns, upsertSeat } from '../domain/councils/councils-store.ts';
import { addKarma } from '../domain/karma/karma-store.ts';
import { handleOf } from '../domain/references/references.ts';
import { insertReview } from '../domain/reviews/reviews-store.ts';
import { insertStream } from '../domain/streams/streams-store.ts';
import { insertClaim } from '../domain/tasks/claims-store.ts';
import { isReservedLabel } from '../domain/tasks/task-labels.ts';
import { DEFAULT_LEASE_MS } from '../domain/tasks/task-rules.ts';
import { insertTask } from '../domain/tasks/tasks-store.ts';
import type { WriteContext } from './operation.ts';

const NO_COMMIT = '0'.repeat(40);

/** The agents of an earlier program, under the ids they had; one whose name is taken by now keeps its id and gets another. */
export async function takeOverAgents(context: WriteContext, old: Forerunner): Promise<void> {
  for (const agent of old.agents) {
    const taken = await findAgentByName(context.db, agent.name);
    await makeAgent(context, {
      id: agent.id,
      name: taken ? `${agent.name} ${agent.id.slice(0, 8)}` : agent.name,
      kind: 'agent',
      description: agent.description,
      status: agent.status,
      ...(agent.apiKeyHash ? { apiKeyHash: agent.apiKeyHash } : {}),
      repoId: old.repo.id,
    });
  }
}

/** Everything else that an earlier program kept of the repository; the old file stays for what is not. */
export async function takeOverRest(
  context: WriteContext,
  { repo, owner, old }: { repo: RepoRow; owner: AgentRow; old: Forerunner },
): Promise<void> {
  const { db, now, emit } = context;
  for (const { id, karma } of old.agents) {
    const change = { agentId: id, repoId: repo.id, amount: karma, reason: 'taken over', subjectId: null };
    await addKarma(context, change);
  }
  for (const { agentId, role, createdAt } of old.maintainers) {
    if (agentId === owner.id) continue;
    const row = { repo_id: repo.id, agent_id: agentId, role, added_by: null, reason: 'taken over' };
    await upsertMaintainer(db, { ...row, created_at: createdAt });
  }
  for (const { agentId, level, expiresAt, createdAt } of old.grants) {
    const row = { repo_id: repo.id, agent_id: agentId, level, granted_by: null, expires_at: expiresAt };
    await upsertGrant(db, { ...row, created_at: createdAt });
  }
  await takeOverTasks(context, { repo, owner, old });
  await takeOverStreams(context, { repo, old });
  await takeOverClaims(context, old);
  if (old.council) await takeOverCouncil(context, { repo, owner, council: old.council });
  emit({
    type: 'repo.taken_over',
    subject: { type: 'repo', id: repo.id },
    data: { agents: old.agents.length, tasks: old.tasks.length, streams: old.streams.length, at: now },
    repoId: repo.id,
  });
}

/** Amounts were never put aside anywhere: the tasks come without them. */
async function takeOverTasks(
  { db }: WriteContext,
  { repo, owner, old }: { repo: RepoRow; owner: AgentRow; old: Forerunner },
): Promise<void> {
  for (const task of old.tasks) {
    await insertTask(db, {
      id: task.id,
      repo_id: repo.id,
      title: task.title,
      description: task.description,
      status: task.status,
      priority: task.priority,
      amount: 0,
      labels: JSON.stringify(task.labels.filter((label) => !isReservedLabel(label))),
      paths: '[]',
      acceptance: '[]',
      difficulty: task.difficulty,
      blocked_reason: null,
      revert_of_stream_id: null,
      created_by: task.createdBy ?? owner.id,
      expires_at: task.expiresAt,
      completed_at: task.completedAt,
      created_at: task.createdAt,
      updated_at: task.createdAt,
    });
  }
}

/** Parents before children. A verdict stays on record, and counts no more: nobody knows which commit it was about. */
async function takeOverStreams(
  { db }: WriteContext,
  { repo, old }: { repo: RepoRow; old: Forerunner },
): Promise<void> {
  const placed = new Set<string>();
  const branches = new Set<string>();
  const place = async (stream: Forerunner['streams'][number]): Promise<void> => {
    if (placed.has(stream.id)) return;
    placed.add(stream.id);
    const parent = old.streams.find((each) => each.id === stream.parentId);
    if (parent) await place(parent);
    const head = stream.head ?? NO_COMMIT;
    const branch = branches.has(stream.branch) ? `stream/${stream.id}` : stream.branch;
    branches.add(branch);
    await insertStream(db, {
      id: stream.id,
      repo_id: repo.id,
      agent_id: stream.agentId,
      name: stream.name,
      branch,
      source: 'tracked',
      state: stream.state === 'active' && stream.head === null ? 'abandoned' : stream.state,
      state_before: null,
      state_reason: stream.state === 'active' && stream.head === null ? 'its branch was gone' : null,
      conflict: null,
      task_id: stream.taskId,
      parent_stream_id: parent ? stream.parentId : null,
      revert_of_stream_id: null,
      base_branch: stream.baseBranch,
      base_commit: head,
      head,
      patch_id: '',
      paths: '[]',
      commit_count: 0,
      merged_commit: null,
      created_at: stream.createdAt,
      updated_at: stream.createdAt,
    });
  };
  for (const stream of old.streams) await place(stream);
  for (const review of old.reviews) {
    await insertReview(db, {
      id: review.id,
      stream_id: review.streamId,
      reviewer_id: review.reviewerId,
      review_block_id: null,
      verdict: review.verdict,
      feedback: review.feedback,
      is_human: review.isHuman ? 1 : 0,
      tested: review.tested ? 1 : 0,
      head: NO_COMMIT,
      patch_id: 'taken over',
      stream_patch_id: null,
      standing: review.verdict === 'comment' ? 0 : 1,
      reviewed_at: review.reviewedAt,
    });
  }
}

/** Of several live claims on one task the first holds it. A hold begins its lease anew. */
async function takeOverClaims({ db, clock }: WriteContext, old: Forerunner): Promise<void> {
  const held = new Set<string>();
  for (const claim of old.claims) {
    const isLive = claim.status === 'active' || claim.status === 'submitted';
    const status = isLive && held.has(claim.taskId) ? 'abandoned' : claim.status;
    if (isLive) held.add(claim.taskId);
    await insertClaim(db, {
      id: claim.id,
      task_id: claim.taskId,
      agent_id: claim.agentId,
      stream_id: claim.streamId,
      status,
      notes: claim.notes,
      lease_ms: DEFAULT_LEASE_MS,
      lease_until: status === 'active' ? new Date(clock.now() + DEFAULT_LEASE_MS).toISOString() : null,
      reviewed_by: JSON.stringify(claim.reviewedBy ? [claim.reviewedBy] : []),
      review_notes: claim.reviewNotes,
      payout_amount: 0,
      claimed_at: claim.claimedAt,
      submitted_at: claim.submittedAt,
      reviewed_at: claim.reviewedAt,
    });
  }
}

async function takeOverCouncil(
  context: WriteContext,
  { repo, owner, council }: { repo: RepoRow; owner: AgentRow; council: NonNullable<Forerunner['council']> },
): Promise<void> {
  const { db, now } = context;
  const identity = await makeAgent(context, {
    id: newId(context.clock.now()),
    name: `council of ${handleOf('repo', repo)}`,
    kind: 'agent',
    description: 'Carries out what the council has decided.',
    councilId: council.id,
  });
  const row = {
    id: council.id,
    repo_id: repo.id,
    agent_id: identity.id,
    status: 'forming',
    ...settingColumns(council),
    created_by: owner.id,
    created_at: council.createdAt,
    updated_at: now,
  };
  await insertCouncil(db, row);
  for (const member of council.members) {
    await upsertSeat(db, {
      council_id: council.id,
      agent_id: member.agentId,
      role: member.role,
      seated_by: null,
      reason: 'founding',
      term_expires_at: member.termExpiresAt ?? termEnd(now, council.termLimitMonths),
      joined_at: member.joinedAt,
    });
  }
  await refreshCouncil(context, row);
}
