import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/stages.ts';
import { updateRepoRow } from '../domain/repos/repos-store.ts';
import { insertStageChange, stageReport } from '../domain/stages/stages-store.ts';
import { hasAdmin } from './councils.ts';
import { operation, query } from './operation.ts';

const show = query(contract.showStage, {
  on: 'repo',
  needs: 'read',
  run: ({ db, repo, now }) => stageReport(db, repo, now),
});

const advance = operation(contract.advanceStage, {
  on: 'repo',
  needs: 'maintain',
  async run(context, input) {
    const { db, actor, repo, now, emit } = context;
    const report = await stageReport(db, repo, now);
    if (report.next === null) {
      throw new SwarmError('wrong_state', `${repo.name} is ${report.stage}: there is no later stage.`);
    }
    if (input.force && !(await hasAdmin(context))) {
      throw new SwarmError('not_allowed', `Only an owner forces a stage; ${actor.name} is none.`);
    }
    if (!report.eligible && !input.force) {
      const lacks = report.requirements
        .filter((each) => !each.met)
        .map((each) => `${each.required} ${each.what.replace('_', ' ')} (has ${each.current})`);
      throw new SwarmError('gate_not_met', `The stage ${report.next} asks for ${lacks.join(', ')}.`, {
        fix: 'gitswarm stage show; owners: gitswarm stage advance --force',
        details: { requirements: report.requirements },
      });
    }
    const metrics = Object.fromEntries(report.requirements.map((each) => [each.what, each.current]));
    await insertStageChange(db, {
      id: newId(context.clock.now()),
      repo_id: repo.id,
      from_stage: report.stage,
      to_stage: report.next,
      forced: report.eligible ? 0 : 1,
      metrics: JSON.stringify(metrics),
      agent_id: actor.id,
      changed_at: now,
    });
    emit({
      type: 'stage.advanced',
      subject: { type: 'repo', id: repo.id },
      data: {
        from: report.stage,
        to: report.next,
        forced: !report.eligible,
        reason: input.reason ?? null,
        metrics,
      },
    });
    return stageReport(db, await updateRepoRow(db, repo.id, { stage: report.next, updated_at: now }), now);
  },
});

export const stageOperations = [show, advance];
