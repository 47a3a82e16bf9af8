import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlanStatus, type PlanTask } from '../../contract/workplans.ts';
import { comparisonFindings, dependencyFindings, pairUp } from './compare-plans.ts';
import { findCircles } from './dependency-circles.ts';
import { parseWorkplan } from './parse-workplan.ts';
import { type PlanEntry, type PlanFile, readEntries, taskTextsOf } from './plan-entries.ts';
import { dependenciesFirst } from './plan-order.ts';

function fileOf(blocks: string, path = 'workplans/a.md'): PlanFile {
  const bytes = Buffer.from(`---\nid: ${path}\ntype: workplan\n---\n${blocks}`);
  return { path, bytes, parsed: parseWorkplan(bytes) };
}

function entriesOf(...blocks: string[]): PlanEntry[] {
  return readEntries([fileOf(blocks.map((lines) => `\`\`\`task\n${lines}\n\`\`\`\n`).join('\n'))]).entries;
}

function taskOf(n: number, more: Partial<PlanTask> = {}): PlanTask {
  return {
    taskId: `019a9c1e-0000-7000-8000-00000000000${n}`,
    handle: `t-000${n}`,
    title: `Task ${n}`,
    blockId: `T${n}`,
    file: 'workplans/a.md',
    status: 'todo',
    reached: 'todo',
    amount: 0,
    holderId: null,
    ...more,
  };
}

describe('blocks and tasks find each other', () => {
  it('by the id of the block, as long as the file has none', () => {
    const { pairs, unlinked, lost } = pairUp(entriesOf('id: T1\nstatus: todo'), [taskOf(1), taskOf(2)]);
    expect(pairs.map(({ task }) => task.handle)).toEqual(['t-0001']);
    expect([unlinked, lost.map((task) => task.handle)]).toEqual([[], ['t-0002']]);
  });

  it('by the id in the file; one that differs from the database is for a person', () => {
    const id = (n: number) => `state_hub_task_id: ${taskOf(n).taskId.toUpperCase()}`;
    const tasks = [taskOf(1), taskOf(2), taskOf(3, { blockId: 'OLD' })];
    const entries = entriesOf(
      `id: T1\nstatus: todo\n${id(1)}`,
      `id: T2\nstatus: todo\n${id(4)}`,
      `id: NEW\nstatus: todo\n${id(3)}`,
    );
    const { pairs, unlinked, lost } = pairUp(entries, tasks);
    expect(pairs.map(({ entry }) => entry.blockId)).toEqual(['T1']);
    expect(unlinked.map(({ entry, other }) => [entry.blockId, other?.handle])).toEqual([
      ['T2', 't-0002'],
      ['NEW', undefined],
    ]);
    expect(lost).toEqual([]);
  });

  it('a task that is over may lose its block; in a checkout that is behind any may', () => {
    const over = [taskOf(1, { status: 'done' }), taskOf(2, { status: 'cancelled' }), taskOf(3)];
    const comparison = pairUp([], over);
    const codes = (isBehind: boolean) =>
      comparisonFindings(comparison, { isBehind }).map(({ code, severity, taskId }) => [
        code,
        severity,
        taskId,
      ]);
    expect(codes(false)).toEqual([['C-16', 'WARN', taskOf(3).taskId]]);
    expect(codes(true)).toEqual([['C-16', 'INFO', taskOf(3).taskId]]);
  });

  it('says what differs in the words that people know', () => {
    const entries = entriesOf('id: T1\nstatus: todo', 'id: T2\nstatus: done', 'id: T3\nstatus: in_progress');
    const tasks = [
      taskOf(1, { status: 'done' }),
      taskOf(2),
      taskOf(3, { reached: 'done', title: 'a\u001b[31mb\nc' }),
    ];
    expect(
      comparisonFindings(pairUp(entries, tasks), { isBehind: false }).map(({ message }) => message),
    ).toEqual([
      "DB task 'Task 1' is ahead of file (db=done, file=todo) — skipped to prevent regression",
      "Task 'Task 2' differs (db=todo, file=done): the file is ahead of the database",
      "DB task 'ab c' had been done and was set back since (db=todo, file=in_progress): the file tells no news",
    ]);
  });

  it('every block is in one pair or none, and every task is met, lost or over', () => {
    const ids = fc.constantFrom('T1', 'T2', 'T3', 'T4');
    const status = fc.constantFrom(...PlanStatus.options);
    const entry = fc.record({ id: ids, status, task: fc.option(fc.constantFrom(1, 2, 3, 4)) });
    const task = fc.record({
      n: fc.constantFrom(1, 2, 3, 4),
      block: fc.option(ids),
      status,
      reached: status,
    });
    fc.assert(
      fc.property(fc.array(entry), fc.array(task), (blocks, rows) => {
        const entries = entriesOf(
          ...blocks.map(({ id, status: word, task: n }) => {
            const line = n === null ? '' : `\nstate_hub_task_id: ${taskOf(n).taskId}`;
            return `id: ${id}\nstatus: ${word}${line}`;
          }),
        );
        const once = new Map(rows.map((row) => [row.n, row]));
        const blocksTaken = new Set<string>();
        const tasks = [...once.values()].map(({ n, block, ...rest }) => {
          const blockId = block === null || blocksTaken.has(block) ? null : block;
          if (blockId !== null) blocksTaken.add(blockId);
          return taskOf(n, { blockId, ...rest });
        });
        const { pairs, unlinked, lost } = pairUp(entries, tasks);
        expect(pairs.length + unlinked.length).toBe(entries.length);
        expect(new Set(pairs.map(({ task: one }) => one)).size).toBe(pairs.length);
        for (const { entry: one, task: other } of pairs) {
          expect(other.blockId).toBe(one.blockId);
          if (one.taskId !== undefined) expect(one.taskId).toBe(other.taskId);
        }
        for (const one of lost) expect(entries.map(({ blockId }) => blockId)).not.toContain(one.blockId);
      }),
    );
  });
});

describe('dependencies', () => {
  const names = fc.constantFrom('A', 'B', 'C', 'D', 'E');
  const graph = fc.dictionary(names, fc.uniqueArray(names));

  it('a circle is found exactly where one can walk back to where one was', () => {
    fc.assert(
      fc.property(graph, (given) => {
        const edges = new Map(Object.entries(given));
        const circles = findCircles(edges, 1000);
        for (const circle of circles) {
          expect(circle[0]).toBe(circle.at(-1));
          for (const [i, name] of circle.slice(1).entries())
            expect(edges.get(circle[i] ?? '')).toContain(name);
        }
        const reaches = (from: string, to: string, seen: string[]): boolean =>
          (edges.get(from) ?? []).some(
            (next) => next === to || (!seen.includes(next) && reaches(next, to, [...seen, next])),
          );
        const isCircular = [...edges.keys()].some((name) => reaches(name, name, []));
        expect(circles.length > 0).toBe(isCircular);
      }),
    );
  });

  it('what is depended on comes first, and all come once', () => {
    fc.assert(
      fc.property(graph, (given) => {
        const blocks = Object.entries(given).map(
          ([id, on]) => `id: ${id}\nstatus: todo\ndepends_on: [${on}]`,
        );
        const entries = entriesOf(...blocks);
        const ordered = dependenciesFirst(entries);
        const ids = (list: PlanEntry[]) => list.map((each) => each.blockId).sort();
        expect(ids(ordered)).toEqual(ids(entries));
        if (dependencyFindings(entries).some(({ message }) => message.includes('->'))) return;
        const place = new Map(ordered.map((entry, i) => [entry.blockId, i]));
        for (const entry of ordered) {
          for (const name of entry.dependsOn) {
            expect(place.get(name) ?? -1).toBeLessThan(place.get(entry.blockId) ?? 0);
          }
        }
      }),
    );
  });

  it('a long chain and many circles take no longer than they are', () => {
    const chain = Array.from({ length: 50_000 }, (_, i): [string, string[]] => [`${i}`, [`${i + 1}`, '0']]);
    expect(findCircles(new Map(chain), 3)).toHaveLength(3);
  });
});

describe('what a new task is told', () => {
  const of = (blocks: string) => taskTextsOf(readEntries([fileOf(blocks)]).entries[0] as PlanEntry);

  it('heading, text and priority', () => {
    expect(
      of(
        '## T1 — Größe\n```task\nid: T1\nstatus: todo\npriority: low\n```\n\nDo it.\n\n- so\n\n---\n\n## T2\n',
      ),
    ).toEqual({
      title: 'T1 — Größe',
      description: 'Do it.\n\n- so\n\nFrom workplans/a.md, block T1.',
      priority: 'low',
    });
  });

  it('a title of its own first, the id where there is nothing else, and the usual priority', () => {
    expect(of('```task\nid: T1\nstatus: todo\ntitle: Own\npriority: urgent\n```')).toEqual({
      title: 'Own',
      description: 'From workplans/a.md, block T1.',
      priority: 'medium',
    });
    expect(of('```task\nid: T1\nstatus: todo\n```')).toMatchObject({ title: 'T1' });
  });

  it('nothing that steers a terminal, and no more than can be kept', () => {
    const { title, description } = of(
      `# \u001b]0;x\u0007Ti\u202etle${'x'.repeat(900)}\n\`\`\`task\nid: T1\nstatus: todo\n\`\`\`\n\u001b[2J${'y'.repeat(90_000)}`,
    );
    expect(title).toMatch(/^Titlex+$/);
    expect([title.length, description.length < 50_000]).toEqual([500, true]);
    expect(description).toMatch(/^y+\n\nFrom/);
  });
});
