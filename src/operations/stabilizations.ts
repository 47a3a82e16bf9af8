import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/stabilizations.ts';
import type { MergeRow, RepoRow, StabilizationRow, TaskRow } from '../db/tables.ts';
import { getMergeRow } from '../domain/merges/merges-store.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { branchPolicy } from '../domain/repos/branch-rules.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import {
  findLastStabilization,
  insertPromotion,
  insertStabilization,
  listPromotionRows,
  listStabilizationRows,
  toPromotion,
  toStabilization,
  updateStabilization,
} from '../domain/stabilizations/stabilizations-store.ts';
import { getStreamRow, handleOfStream } from '../domain/streams/streams-store.ts';
import { addDependency } from '../domain/tasks/dependencies-store.ts';
import { openCriticalTask } from '../domain/tasks/task-effects.ts';
import { culpritLabel } from '../domain/tasks/task-labels.ts';
import { toTask } from '../domain/tasks/tasks-store.ts';
import { isMaintainer } from './is-maintainer.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

const record = operation(contract.recordStabilization, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    const idOf = async (ref: string | null) => (ref ? resolveReference(db, 'merge', ref, repo.id) : null);
    const culprit = await idOf(input.culpritMerge);
    const task = culprit ? await openFixTask(context, await getMergeRow(db, culprit), input.details) : null;
    const earlier = input.completes === null ? undefined : await getOpenRed(context, input.completes);
    const row: StabilizationRow = {
      id: earlier?.id ?? newId(context.clock.now()),
      repo_id: repo.id,
      actor_id: actor.id,
      result: input.result,
      commit_hash: input.commit,
      tag: input.tag,
      culprit_merge_id: culprit,
      revert_merge_id: await idOf(input.revertMerge),
      task_id: task?.id ?? null,
      duration_ms: input.durationMs,
      runs: input.runs,
      details: input.details,
      stabilized_at: now,
    };
    if (earlier) await updateStabilization(db, row);
    else await insertStabilization(db, row);
    emit({
      type: 'stabilization.recorded',
      subject: { type: 'stabilization', id: row.id },
      data: {
        result: row.result,
        commit: row.commit_hash,
        tag: row.tag,
        culpritMergeId: culprit,
        taskId: row.task_id,
      },
    });
    const last = await findLastStabilization(db, repo.id);
    if (!last) throw new SwarmError('internal', 'The result could not be read back.');
    return {
      stabilization: toStabilization(last),
      task: task ? await toTask(db, task, now) : null,
      mayPromote: row.result === 'green' && promotesItself(repo),
    };
  },
});

/** A red result of this repository for which nobody was blamed yet. */
async function getOpenRed(
  { db, repo }: ActingContext & { repo: RepoRow },
  id: string,
): Promise<StabilizationRow> {
  const last = await findLastStabilization(db, repo.id);
  if (last?.id === id && last.result === 'red' && last.culprit_merge_id === null) return last;
  throw new SwarmError(
    'conflict',
    'This is not the last red result, or somebody was blamed for it already.',
    {
      fix: 'gitswarm stabilize',
    },
  );
}

/** Exactly one critical task for the author of the landing that turned the buffer red. */
async function openFixTask(
  context: ActingContext & { repo: RepoRow },
  culprit: MergeRow,
  details: string,
): Promise<TaskRow | null> {
  if (!culprit.stream_id) return null;
  const stream = await getStreamRow(context.db, culprit.stream_id);
  const fix = await openCriticalTask(context, {
    repoId: context.repo.id,
    title: `Fix ${stream.name}: it turned the buffer red`,
    description: `The tests of the buffer fail with stream ${handleOfStream(stream)}.\n\n${details.slice(-8000)}`,
    paths: JSON.parse(stream.paths) as string[],
    createdBy: context.actor.id,
    revertOfStreamId: stream.id,
    assigneeId: stream.agent_id,
    labels: ['fix', culpritLabel(culprit)],
  });
  // The reopened task is done with the fix; until then nobody should begin it a second time.
  if (stream.task_id) await addDependency(context.db, stream.task_id, fix.id);
  return fix;
}

const list = query(contract.listStabilizations, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const rows = await listStabilizationRows(db, {
      repoId: repo.id,
      result: input.result,
      beforeId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: page.items.map(toStabilization), nextCursor: page.nextCursor };
  },
});

/** May the target move there now, and by this actor? Maintainers promote; stabilize may where auto-promotion is on. */
const requestPromotion = operation(contract.requestPromotion, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    await checkPromotion(context, input);
    const config = configInForce(context.repo);
    const mustBe = branchPolicy(config.promote_target, config).requireTests;
    const isTested = config.stabilize_command !== null || mustBe;
    if (isTested && !(await isGreen(context, input.toCommit))) {
      throw new SwarmError('gate_not_met', `No green run of ${input.toCommit.slice(0, 10)} is recorded.`, {
        fix: 'gitswarm stabilize',
      });
    }
    return { allowed: true as const };
  },
});

/** Automatically only where the settings say so, nobody else is asked for, and the commit is known to be green. */
async function checkPromotion(
  context: ActingContext & { repo: RepoRow },
  move: { automatic: boolean; toCommit: string },
): Promise<void> {
  if (move.automatic && promotesItself(context.repo) && (await isGreen(context, move.toCommit))) return;
  if (await isMaintainer(context, context.actor)) return;
  throw new SwarmError('not_allowed', `${context.actor.name} may not promote: it needs maintain access.`, {
    fix: 'gitswarm promote --as <maintainer>',
  });
}

/** In gated mode, or where a rule of the target says so, a maintainer promotes. */
function promotesItself(repo: RepoRow): boolean {
  const config = configInForce(repo);
  return config.auto_promote_on_green && !branchPolicy(config.promote_target, config).maintainersOnly;
}

async function isGreen({ db, repo }: ActingContext & { repo: RepoRow }, commit: string): Promise<boolean> {
  return (await listStabilizationRows(db, { repoId: repo.id, result: 'green', commit, limit: 1 })).length > 0;
}

const promote = operation(contract.recordPromotion, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    await checkPromotion(context, { automatic: input.triggeredBy === 'auto', toCommit: input.toCommit });
    const config = configInForce(repo);
    const row = {
      id: newId(context.clock.now()),
      repo_id: repo.id,
      actor_id: actor.id,
      from_branch: config.buffer_branch,
      to_branch: config.promote_target,
      from_commit: input.fromCommit,
      to_commit: input.toCommit,
      untested: input.untested ? 1 : 0,
      triggered_by:
        actor.council_id === null && input.triggeredBy === 'council' ? 'manual' : input.triggeredBy,
      promoted_at: now,
    };
    await insertPromotion(db, row);
    emit({
      type: 'promotion.recorded',
      subject: { type: 'promotion', id: row.id },
      data: {
        from: row.from_commit,
        to: row.to_commit,
        untested: input.untested,
        triggeredBy: row.triggered_by,
      },
    });
    return toPromotion(row);
  },
});

const listPromotions = query(contract.listPromotions, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const rows = await listPromotionRows(db, {
      repoId: repo.id,
      beforeId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: page.items.map(toPromotion), nextCursor: page.nextCursor };
  },
});

const intakeConflict = operation(contract.reportIntakeConflict, {
  on: 'repo',
  needs: 'write',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    const task = await openCriticalTask(context, {
      repoId: repo.id,
      title: `Resolve the conflict between ${configInForce(repo).promote_target} and the buffer`,
      description: `Commits reached the target by another way and clash with the buffer in:\n${input.paths.join('\n')}`,
      paths: input.paths,
      createdBy: actor.id,
      labels: ['fix', 'intake'],
    });
    emit({
      type: 'intake.conflicted',
      subject: { type: 'repo', id: repo.id },
      data: { target: input.target, buffer: input.buffer, paths: input.paths },
    });
    return toTask(db, task, now);
  },
});

export const stabilizationOperations = [
  record,
  list,
  requestPromotion,
  promote,
  listPromotions,
  intakeConflict,
];
