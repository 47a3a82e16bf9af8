import { isoTime } from '../../base/clock.ts';
import { Priority } from '../../contract/common.ts';
import { SwarmError } from '../../contract/errors.ts';
import { createTask, showTask, updateTask } from '../../contract/tasks.ts';
import { actingWorkflow } from '../acting.ts';
import type { Command, CommandOption, Options } from '../command.ts';
import { durationOption, listOption, numberOption, textOption } from '../options.ts';
import { taskAnswer } from './task-answer.ts';
import { claimCommands } from './task-claim.ts';
import { importTasks } from './task-import.ts';
import { list } from './task-list.ts';

const fields: CommandOption[] = [
  { flags: '--desc <text>', summary: 'what is to be done, at length' },
  { flags: '--priority <level>', summary: 'how urgent it is', choices: Priority.options },
  { flags: '--label <label>', summary: 'a label; may be repeated', repeat: true },
  { flags: '--path <path>', summary: 'a file or folder it will touch; may be repeated', repeat: true },
  { flags: '--accept <text>', summary: 'what must be true in the end; may be repeated', repeat: true },
  { flags: '--depends-on <task>', summary: 'a task that must be done first; may be repeated', repeat: true },
];

const create: Command = {
  name: 'task create',
  summary: 'Write down something that is to be done.',
  args: '<title>',
  actor: 'author',
  options: [
    ...fields,
    { flags: '--amount <n>', summary: 'what it pays' },
    { flags: '--difficulty <word>', summary: 'how hard it is' },
    { flags: '--expires <when>', summary: 'when it is cancelled: 2h, 7d, or a date such as 2030-01-31' },
  ],
  examples: ['gitswarm task create "Add login" --priority high --path src/auth'],
  async run(session, [title = ''], options) {
    const { workflow } = await actingWorkflow(session);
    const task = await workflow.authority.call(createTask, {
      repoId: workflow.repo.id,
      title,
      description: textOption(options, 'desc') ?? '',
      priority: textOption(options, 'priority') as Priority | undefined,
      amount: numberOption(options, 'amount') ?? 0,
      labels: listOption(options, 'label'),
      paths: listOption(options, 'path'),
      acceptance: listOption(options, 'accept'),
      difficulty: textOption(options, 'difficulty'),
      dependsOn: listOption(options, 'dependsOn'),
      expiresAt: expiry(options, workflow.clock.now()),
    });
    return {
      ...taskAnswer(task),
      next: task.ready ? `gitswarm task claim ${task.handle}` : `gitswarm task show ${task.handle}`,
    };
  },
};

const update: Command = {
  name: 'task update',
  summary: 'Change a task; a list that is given replaces the one before.',
  args: '<task>',
  actor: 'author',
  options: [{ flags: '--title <text>', summary: 'its title' }, ...fields],
  async run(session, [task = ''], options) {
    const { workflow } = await actingWorkflow(session);
    const changes = {
      title: textOption(options, 'title'),
      description: textOption(options, 'desc'),
      priority: textOption(options, 'priority') as Priority | undefined,
      labels: given(options, 'label'),
      paths: given(options, 'path'),
      acceptance: given(options, 'accept'),
      dependsOn: given(options, 'dependsOn'),
    };
    if (Object.values(changes).every((value) => value === undefined)) {
      throw new SwarmError('usage', 'Nothing is said that should change.', {
        fix: 'gitswarm task update --help',
      });
    }
    return {
      ...taskAnswer(await workflow.authority.call(updateTask, { task, ...changes })),
      undo: 'gitswarm undo',
    };
  },
};

const show: Command = {
  name: 'task show',
  summary: 'One task.',
  args: '<task>',
  actor: 'reader',
  async run(session, [task = '']) {
    const { authority } = await session.workflow();
    return taskAnswer(await authority.call(showTask, { task }));
  },
};

/** One empty text empties the list: `--label ""`. */
function given(options: Options, name: string): string[] | undefined {
  return options[name] === undefined ? undefined : listOption(options, name).filter((value) => value !== '');
}

function expiry(options: Options, now: number): string | null {
  const text = textOption(options, 'expires');
  if (text === undefined) return null;
  const date = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(date)) return isoTime(date);
  return isoTime(now + (durationOption(options, 'expires') ?? 0));
}

export const commands: Command[] = [create, list, show, update, ...claimCommands, importTasks];
