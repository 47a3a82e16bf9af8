import { nearest } from '../../base/nearest.ts';
import { SwarmError } from '../../contract/errors.ts';
import { type FindingCode, findingCodes, isFindingCode } from '../../domain/workplans/plan-findings.ts';
import { checkPlans } from '../../workflows/plan-check.ts';
import { fixPlans } from '../../workflows/plan-fix.ts';
import type { PlanReport } from '../../workflows/plan-report.ts';
import { remoteOf } from '../../workflows/push.ts';
import { actingWorkflow } from '../acting.ts';
import type { Answer, Command, CommandOption, Options } from '../command.ts';
import { flagOption, listOption, textOption } from '../options.ts';
import { protocol, snippet } from '../plan-protocol.ts';
import { sessionsFor } from '../plan-repositories.ts';
import type { Session } from '../session.ts';
import { type PlanAnswer, planAnswer } from './plan-answer.ts';

const REPOSITORIES: CommandOption[] = [
  { flags: '--repo <repo>', summary: 'this one: a name or a path; may be repeated', repeat: true },
  { flags: '--all', summary: 'every GitSwarm repository here and in the folders directly below' },
];

const check: Command = {
  name: 'plan check',
  summary: 'Compare the workplan files with the tasks. Writes nothing at all.',
  actor: 'reader',
  options: [
    ...REPOSITORIES,
    { flags: '--explain <code>', summary: 'what a code means and what to do about it; all: every code' },
  ],
  examples: ['gitswarm plan check', 'gitswarm plan check --explain C-13'],
  async run(session, _args, options) {
    const code = textOption(options, 'explain');
    if (code !== undefined) return explain(code);
    return inEach(session, options, {
      untouched: true,
      work: async (each) => checkPlans(await each.workflow(), { ask: !each.flags.offline }),
    });
  },
};

const fix: Command = {
  name: 'plan fix',
  summary: 'Bring workplan files and tasks together: new tasks, forward statuses, one commit.',
  // Nobody forces tasks backwards because of the folder they stand in.
  actor: (_args, options) => (flagOption(options, 'force') ? 'named' : 'author'),
  options: [
    ...REPOSITORIES,
    { flags: '--pull', summary: 'fast-forward first; own writebacks that were not pushed are made anew' },
    { flags: '--no-writeback', summary: 'write into no file, and commit nothing' },
    {
      flags: '--force',
      summary: 'the files are right: tasks also go backwards (people with maintain access)',
    },
  ],
  examples: ['gitswarm plan fix --pull', 'gitswarm plan fix --no-writeback'],
  async run(session, _args, options) {
    if (flagOption(options, 'pull') && session.flags.offline) {
      throw new SwarmError('usage', '--pull needs the network, and --offline forbids it.', {
        fix: 'Leave one of the two away.',
      });
    }
    return inEach(session, options, {
      untouched: false,
      work: async (each) => {
        const { workflow } = await actingWorkflow(each);
        return fixPlans(workflow, {
          ask: !each.flags.offline,
          writeback: options.writeback !== false,
          pull: flagOption(options, 'pull'),
          force: flagOption(options, 'force'),
        });
      },
    });
  },
};

const plan: Command = {
  name: 'plan protocol',
  summary: 'What to do at the end of a piece of work, and the snippet for agent instructions.',
  actor: 'nobody',
  options: [{ flags: '--snippet', summary: 'only the snippet' }],
  examples: ['gitswarm plan protocol', 'gitswarm plan protocol --snippet'],
  async run(_session, _args, options) {
    const only = flagOption(options, 'snippet');
    const both = `${protocol}\n\nFor the instructions of agents (gitswarm plan protocol --snippet):\n\n${snippet}`;
    return { data: { protocol, snippet }, text: () => (only ? snippet : both) };
  },
};

async function inEach(
  session: Session,
  options: Options,
  how: { untouched: boolean; work(each: Session): Promise<PlanReport> },
): Promise<Answer> {
  const sessions = await sessionsFor(session, {
    names: listOption(options, 'repo'),
    all: flagOption(options, 'all'),
    untouched: how.untouched,
  });
  const reports: PlanReport[] = [];
  let canPush = false;
  try {
    for (const each of sessions) {
      // In this way from the beginning: whoever asks later gets the same.
      await each.app({ untouched: how.untouched });
      const report = await how.work(each);
      reports.push(report);
      canPush ||= report.committed !== undefined && (await remoteOf(await each.workflow())) !== undefined;
    }
  } finally {
    // Our own is closed by whoever opened it.
    for (const each of sessions) if (each !== session) await each.close();
  }
  const { output } = session;
  const look: PlanAnswer = { style: output.style, width: output.width, isCheck: how.untouched, canPush };
  return planAnswer(reports, look);
}

function explain(code: string): Answer {
  const names = Object.keys(findingCodes) as FindingCode[];
  const wanted = code.toUpperCase();
  if (code === 'all') {
    const all = names.map((name) => ({ code: name, ...findingCodes[name] }));
    return {
      data: all,
      text: () =>
        all.map(({ code: name, severity, title }) => `${name}  ${severity.padEnd(5)}  ${title}`).join('\n'),
      next: 'gitswarm plan check --explain C-13',
    };
  }
  if (!isFindingCode(wanted)) {
    const near = nearest(wanted, names);
    throw new SwarmError('usage', `There is no code "${code}".${near ? ` Did you mean "${near}"?` : ''}`, {
      fix: 'gitswarm plan check --explain all',
    });
  }
  const { severity, title, text, fix: todo } = findingCodes[wanted];
  return {
    data: { code: wanted, severity, title, text, fix: todo },
    text: () => [`${wanted} (${severity}): ${title}`, '', text, '', `fix: ${todo}`].join('\n'),
  };
}

export const commands: Command[] = [check, fix, plan];
