import { adapterFor, agentAdapters, agentEnvironment, agentRunner } from '../../app/agents.ts';
import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { chooseTasks } from '../../workflows/swarm/choose-tasks.ts';
import { gatherPlan } from '../../workflows/swarm/gather-plan.ts';
import { planSwarm } from '../../workflows/swarm/plan-swarm.ts';
import { runSwarm } from '../../workflows/swarm/run-swarm.ts';
import type { SwarmRequest } from '../../workflows/swarm/swarm-run.ts';
import { actorOf, type Workflow } from '../../workflows/workflow.ts';
import type { Answer, Command, Options } from '../command.ts';
import { durationOption, flagOption, listOption, numberOption, textOption } from '../options.ts';
import { count } from '../output/hints.ts';
import type { Session } from '../session.ts';
import { swarmAnswer } from '../swarm-answer.ts';
import { swarmView } from '../swarm-view.ts';
import { logs } from './swarm-logs.ts';

const TIMEOUT_MS = 60 * 60_000;
const IDLE_TIMEOUT_MS = 20 * 60_000;
const MOST_AGENTS = 64;

const swarm: Command = {
  name: 'swarm',
  summary: 'Drive agents over the ready tasks to merged, tested, promoted work.',
  actor: 'named',
  options: [
    { flags: '--agents <n>', summary: 'how many work at once (default 2)' },
    { flags: '--agent <command>', summary: 'what starts an agent; it reads the prompt on stdin' },
    { flags: '--adapter <name>', summary: 'how an agent is started', choices: agentAdapters },
    { flags: '--tasks <tasks...>', summary: 'only these (default: all that can become ready)' },
    { flags: '--reviewers <n>', summary: 'how many agents review (default: people do)' },
    { flags: '--reviewer <command>', summary: 'what starts a reviewer (default: as --agent)' },
    {
      flags: '--trust-reviewers',
      summary: 'make them maintainers for the length of the run (owners; recorded)',
    },
    { flags: '--timeout <time>', summary: 'end an agent after this time (default 60m)' },
    { flags: '--idle-timeout <time>', summary: 'end an agent that writes nothing for so long (default 20m)' },
    { flags: '--max-minutes <m>', summary: 'stop after so many minutes' },
    { flags: '--plan', summary: 'say what would happen and what is missing; start nothing' },
  ],
  examples: [
    'gitswarm swarm --agents 3 --agent "claude -p --dangerously-skip-permissions"',
    'gitswarm swarm --agent ./coder.sh --reviewers 1 --reviewer ./critic.sh --trust-reviewers',
  ],
  async run(session, _args, options) {
    const app = await session.app({ longLived: true });
    const workflow = await session.workflow();
    actorOf(workflow);
    const wish = {
      agents: counted(options, 'agents', { least: 1, otherwise: 2 }),
      reviewers: counted(options, 'reviewers', {
        least: 0,
        otherwise: textOption(options, 'reviewer') === undefined ? 0 : 1,
      }),
      trustReviewers: flagOption(options, 'trustReviewers'),
    };
    const tasks = options.tasks === undefined ? undefined : listOption(options, 'tasks');
    if (flagOption(options, 'plan')) return plan(workflow, { ...wish, tasks });
    const run = agentRunner(app);
    const name = textOption(options, 'adapter') ?? 'command';
    const author = adapterFor(run, { name, command: textOption(options, 'agent') });
    const reviewer = adapterFor(run, {
      name,
      command: textOption(options, 'reviewer') ?? textOption(options, 'agent'),
    });
    const environment = agentEnvironment(workflow.variables);
    return drive(session, workflow, { ...wish, ...limits(options), author, reviewer, tasks, environment });
  },
};

async function drive(session: Session, workflow: Workflow, request: SwarmRequest): Promise<Answer> {
  const view = swarmView(session.output, () => workflow.clock.now());
  const notify = (text: string) => view.tell({ kind: 'note', text });
  try {
    const report = await runSwarm({ ...workflow, notify }, request, view.tell);
    return swarmAnswer(report, session.output.style);
  } finally {
    view.end();
  }
}

function limits(options: Options): Pick<SwarmRequest, 'timeoutMs' | 'idleTimeoutMs' | 'maxMs'> {
  const text = textOption(options, 'maxMinutes');
  const minutes = text === undefined ? undefined : Number(text);
  if (minutes !== undefined && !(minutes > 0)) {
    throw new SwarmError('usage', `--max-minutes wants a number of minutes, not "${text}".`);
  }
  return {
    timeoutMs: durationOption(options, 'timeout') ?? TIMEOUT_MS,
    idleTimeoutMs: durationOption(options, 'idleTimeout') ?? IDLE_TIMEOUT_MS,
    maxMs: minutes === undefined ? undefined : minutes * 60_000,
  };
}

function counted(
  options: Options,
  name: string,
  { least, otherwise }: { least: number; otherwise: number },
): number {
  const value = numberOption(options, name) ?? otherwise;
  if (value >= least && value <= MOST_AGENTS) return value;
  throw new SwarmError('usage', `--${name} wants ${least} to ${MOST_AGENTS}, not ${value}.`);
}

async function plan(
  workflow: Workflow,
  wish: { agents: number; reviewers: number; trustReviewers: boolean; tasks: string[] | undefined },
): Promise<Answer> {
  const facts = await gatherPlan(workflow, wish);
  const made = planSwarm(facts);
  const tasks = await chooseTasks(workflow, { tasks: wish.tasks, workers: [] });
  return {
    data: { ...made, tasks: tasks.map(({ id, handle, title, ready }) => ({ id, handle, title, ready })) },
    exit: made.possible ? 0 : 6,
    text: () =>
      [
        `${count(tasks.length, 'task')} to work on`,
        ...tasks
          .slice(0, 20)
          .map((task) => `  ${task.handle}  ${plainLine(task.title)}${task.ready ? '' : '  (after others)'}`),
        ...made.way.map((step, i) => `${i + 1}. ${plainLine(step)}`),
        ...made.missing.flatMap((each) => [`missing: ${plainLine(each.what)}`, `    fix: ${each.fix}`]),
      ].join('\n'),
    next: made.possible ? undefined : made.missing[0]?.fix,
  };
}

export const commands = [swarm, logs];
