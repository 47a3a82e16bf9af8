import { allPages } from '../../base/all-pages.ts';
import { plainLine } from '../../base/plain-text.ts';
import { listAgents } from '../../contract/agents.ts';
import { listTasks, type Task, TaskStatus } from '../../contract/tasks.ts';
import { actorOf, type Workflow } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';
import { flagOption, textOption } from '../options.ts';
import { relativeTime } from '../output/hints.ts';
import type { Style } from '../output/style-text.ts';
import { table } from '../output/table.ts';

export const list: Command = {
  name: 'task list',
  summary: 'What is ready, what is blocked, and what somebody holds.',
  actor: 'reader',
  options: [
    { flags: '--status <status>', summary: 'only these', choices: TaskStatus.options },
    { flags: '--ready', summary: 'only what can be claimed now' },
    { flags: '--mine', summary: 'only what you hold' },
    { flags: '--label <label>', summary: 'only with this label' },
  ],
  async run(session, _args, options) {
    const workflow = await session.workflow();
    const mine = flagOption(options, 'mine') ? actorOf(workflow).id : undefined;
    const status = textOption(options, 'status') as TaskStatus | undefined;
    const tasks = await allPages((cursor) =>
      workflow.authority.call(listTasks, {
        repoId: workflow.repo.id,
        status,
        ready: flagOption(options, 'ready') ? true : undefined,
        label: textOption(options, 'label'),
        claimedBy: mine,
        limit: 200,
        cursor,
      }),
    );
    const names = await agentNames(workflow);
    const first = tasks.find((task) => task.ready);
    return {
      data: tasks,
      text: () =>
        taskGroups(tasks, {
          names,
          style: session.output.style,
          width: session.output.width,
          now: workflow.clock.now(),
          all: status !== undefined,
        }),
      next: first ? 'gitswarm task next --claim' : undefined,
    };
  },
};

async function agentNames({ authority }: Workflow): Promise<Map<string, string>> {
  const agents = await allPages((cursor) => authority.call(listAgents, { limit: 200, cursor }));
  return new Map(agents.map((agent) => [agent.id, agent.name]));
}

const GROUPS: [string, (task: Task) => boolean][] = [
  ['READY', (task) => task.ready],
  ['BLOCKED', (task) => task.status === 'open' && !task.ready],
  ['CLAIMED', (task) => task.status === 'claimed'],
  ['SUBMITTED', (task) => task.status === 'submitted'],
  ['COMPLETED', (task) => task.status === 'completed'],
  ['CANCELLED', (task) => task.status === 'cancelled'],
];
const OVER = ['COMPLETED', 'CANCELLED'];

interface Look {
  names: Map<string, string>;
  style: Style;
  width: number | undefined;
  now: number;
  /** Finished tasks are listed, not only counted. */
  all: boolean;
}

function taskGroups(tasks: Task[], look: Look): string {
  if (tasks.length === 0) return 'No tasks.';
  const handles = new Map(tasks.map((task) => [task.id, task.handle]));
  const parts = GROUPS.flatMap(([title, belongs]) => {
    const members = tasks.filter(belongs);
    if (members.length === 0) return [];
    const head = look.style.bold(`${title} ${members.length}`);
    if (OVER.includes(title) && !look.all) return [head];
    const rows = table(
      members,
      [
        { title: 'TASK', value: (task) => task.handle },
        { title: 'PRIORITY', value: (task) => task.priority },
        { title: 'TITLE', value: (task) => plainLine(task.title), canShrink: true },
        { title: '', value: (task) => why(task, handles, look) },
      ],
      { width: look.width },
    );
    return [`${head}\n${rows.slice(rows.indexOf('\n') + 1)}`];
  });
  return parts.join('\n\n');
}

function why(task: Task, handles: Map<string, string>, look: Look): string {
  if (task.claim && (task.status === 'claimed' || task.status === 'submitted')) {
    const who = plainLine(look.names.get(task.claim.agentId) ?? '');
    return task.claim.leaseUntil
      ? `${who}, lease ends ${relativeTime(task.claim.leaseUntil, look.now)}`
      : who;
  }
  if (task.blockedReason) return `blocked: ${plainLine(task.blockedReason)}`;
  if (task.waitsFor.length === 0) return '';
  return `waits for ${task.waitsFor.map((id) => handles.get(id) ?? id.slice(-8)).join(', ')}`;
}
