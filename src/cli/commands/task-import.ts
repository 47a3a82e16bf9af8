import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import * as z from 'zod';
import { plainLine } from '../../base/plain-text.ts';
import { SwarmError } from '../../contract/errors.ts';
import { createTask, type Task } from '../../contract/tasks.ts';
import { refuseReservedLabels } from '../../domain/tasks/task-labels.ts';
import { actingWorkflow } from '../acting.ts';
import type { Command } from '../command.ts';
import { flagOption } from '../options.ts';
import { count } from '../output/hints.ts';
import { table } from '../output/table.ts';

/** A task as a file names it. What it depends on is another task of the file by its title, or one that exists. */
const Wish = createTask.input.omit({ repoId: true }).strict();
type Wish = z.infer<typeof Wish>;
const Wishes = z.array(Wish).max(10_000);

const LARGEST = 4 * 1024 ** 2;

export const importTasks: Command = {
  name: 'task import',
  summary: 'Make tasks of the open items of a Markdown checklist, or of a JSON list.',
  args: '<file>',
  actor: 'author',
  options: [{ flags: '--plan', summary: 'say what would be made, and make nothing' }],
  examples: ['gitswarm task import TODO.md --plan', 'gitswarm task import tasks.json'],
  async run(session, [file = ''], options) {
    const wishes = order(readWishes(resolve(session.flags.dir, file)));
    if (flagOption(options, 'plan')) {
      return {
        data: { planned: wishes, created: [] },
        text: () =>
          [
            `would make ${count(wishes.length, 'task')}`,
            ...wishes.map((wish) => `  ${plainLine(wish.title)}`),
          ].join('\n'),
        next: wishes.length > 0 ? `gitswarm task import ${plainLine(file)}` : undefined,
      };
    }
    const { workflow } = await actingWorkflow(session);
    const made = new Map<string, Task>();
    for (const wish of wishes) {
      const dependsOn = wish.dependsOn.map((ref) => made.get(ref)?.id ?? ref);
      made.set(
        wish.title,
        await workflow.authority.call(createTask, { repoId: workflow.repo.id, ...wish, dependsOn }),
      );
    }
    const created = [...made.values()];
    return {
      data: { planned: [], created },
      text: () =>
        created.length === 0
          ? 'There is no open item in it.'
          : table(created, [
              { title: 'TASK', value: (task) => task.handle },
              { title: 'TITLE', value: (task) => plainLine(task.title), canShrink: true },
            ]),
      next: 'gitswarm task list',
    };
  },
};

function readWishes(path: string): Wish[] {
  const text = read(path);
  const wishes = parse(
    path.toLowerCase().endsWith('.json') ? fromJson(text, path) : fromMarkdown(text),
    path,
  );
  for (const wish of wishes) refuseReservedLabels(wish.labels);
  const titles = wishes.map((wish) => wish.title);
  const twice = titles.find((title, i) => titles.indexOf(title) !== i);
  if (twice === undefined) return wishes;
  throw new SwarmError('invalid', `${basename(path)} names "${plainLine(twice)}" twice.`, {
    fix: 'Give each task a title of its own.',
  });
}

function read(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SwarmError('not_found', `${path} cannot be read.`, { cause });
  }
  if (text.length > LARGEST) throw new SwarmError('too_large', `${path} is larger than ${LARGEST} bytes.`);
  return text.replace(/^\ufeff/, '');
}

function fromJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SwarmError('invalid', `${path} is not valid JSON.`, { cause });
  }
}

/** Every task is checked before the first is made. */
function parse(value: unknown, path: string): Wish[] {
  const parsed = Wishes.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SwarmError('invalid', `${path} is no list of tasks: ${z.prettifyError(parsed.error)}`);
}

/** Open items of checklists, outside of code blocks; ticked ones are done already. */
function fromMarkdown(text: string): { title: string }[] {
  const wishes: { title: string }[] = [];
  let fence: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence)) fence = undefined;
      continue;
    }
    const title =
      fence === undefined ? /^\s*(?:[-*+]|\d+[.)])\s+\[ \]\s+(\S.*?)\s*$/.exec(line)?.[1] : undefined;
    if (title !== undefined) wishes.push({ title });
  }
  return wishes;
}

/** Dependencies before what depends on them. */
function order(wishes: Wish[]): Wish[] {
  const byTitle = new Map(wishes.map((wish) => [wish.title, wish]));
  const done = new Set<Wish>();
  const visit = (wish: Wish, above: Wish[]) => {
    if (done.has(wish)) return;
    if (above.includes(wish)) {
      throw new SwarmError('conflict', `The task "${plainLine(wish.title)}" would wait for itself.`);
    }
    for (const ref of wish.dependsOn) {
      const needed = byTitle.get(ref);
      if (needed) visit(needed, [...above, wish]);
    }
    done.add(wish);
  };
  for (const wish of wishes) visit(wish, []);
  return [...done];
}
