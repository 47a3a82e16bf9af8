import { plainLine } from '../../base/plain-text.ts';
import { advanceStage, type StageReport, showStage } from '../../contract/stages.ts';
import type { Answer, Command } from '../command.ts';
import { flagOption, textOption } from '../options.ts';

const show: Command = {
  name: 'stage show',
  summary: 'How mature the repository is, and what the next stage asks for.',
  actor: 'reader',
  async run(session) {
    const { authority, repo } = await session.workflow();
    return stageAnswer(await authority.call(showStage, { repoId: repo.id }));
  },
};

const advance: Command = {
  name: 'stage advance',
  summary: 'Go on to the next stage (maintainers).',
  actor: 'named',
  options: [
    { flags: '--force', summary: 'whatever it asks for (owners)' },
    { flags: '--reason <text>', summary: 'why' },
  ],
  async run(session, _args, options) {
    const { authority, repo } = await session.workflow();
    const report = await authority.call(advanceStage, {
      repoId: repo.id,
      force: flagOption(options, 'force'),
      reason: textOption(options, 'reason'),
    });
    return stageAnswer(report);
  },
};

function stageAnswer(report: StageReport): Answer {
  return {
    data: report,
    text: () =>
      [
        `stage ${report.stage}${report.next ? `, next ${report.next}` : ''}`,
        ...report.requirements.map(
          ({ what, current, required, met }) =>
            `  ${met ? 'met    ' : 'missing'} ${what.replace('_', ' ')}: ${current} of ${required}`,
        ),
        ...report.history.map(
          (each) =>
            `  ${each.changedAt.slice(0, 10)} ${each.from} -> ${each.to}${each.forced ? ' (forced)' : ''}`,
        ),
      ]
        .map(plainLine)
        .join('\n'),
    next: report.eligible ? 'gitswarm stage advance' : undefined,
  };
}

export const commands: Command[] = [show, advance];
