import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TaskStatus } from '../../contract/tasks.ts';
import { PlanStatus } from '../../contract/workplans.ts';
import { compareStatus, further, planRank, planStatusOf, stepsBetween } from './plan-status.ts';

const status = fc.constantFrom(...PlanStatus.options);

describe('a task in the words of workplans', () => {
  const TABLE = {
    open: 'todo blocked',
    claimed: 'in_progress blocked',
    submitted: 'in_progress in_progress',
    completed: 'done done',
    cancelled: 'cancelled cancelled',
  };
  it.each(TaskStatus.options)('%s', (word) => {
    const both = [false, true].map((isBlocked) => planStatusOf({ status: word, isBlocked }));
    expect(both.join(' ')).toBe(TABLE[word]);
  });
});

describe('what holds where file and database differ', () => {
  /** Rows: what the file says; columns: what the database says; nothing was reached before. */
  const TABLE: Record<PlanStatus, string> = {
    //           todo            in_progress     blocked         done            cancelled
    todo: '       same            database_ahead  database_ahead  database_ahead  database_ahead',
    in_progress: 'file_ahead      same            database_ahead  database_ahead  database_ahead',
    blocked: '    file_ahead      database_ahead  same            database_ahead  database_ahead',
    done: '       file_ahead      file_ahead      file_ahead      same            database_ahead',
    cancelled: '  file_ahead      file_ahead      file_ahead      database_ahead  same',
  };
  it.each(PlanStatus.options)('a file that says %s', (file) => {
    const row = PlanStatus.options.map((database) => compareStatus({ file, database, reached: 'todo' }).kind);
    expect(row).toEqual(TABLE[file].trim().split(/ +/));
  });

  it('a file says nothing new up to where the database has been', () => {
    fc.assert(
      fc.property(status, status, status, (file, database, reached) => {
        const { kind } = compareStatus({ file, database, reached });
        const isNews = planRank(file) > planRank(database) && planRank(file) > planRank(reached);
        expect(kind === 'file_ahead').toBe(isNews);
        expect(kind === 'set_back').toBe(!isNews && planRank(file) > planRank(database));
        expect(kind === 'same').toBe(file === database);
      }),
    );
  });
});

it('the further of two never goes back', () => {
  fc.assert(
    fc.property(status, status, (a, b) => {
      expect(planRank(further(a, b))).toBe(Math.max(planRank(a), planRank(b)));
    }),
  );
  expect(further('done', 'cancelled')).toBe('done');
});

describe('the operations from one status to another', () => {
  it.each([
    ['todo', 'in_progress', 'claim'],
    ['todo', 'blocked', 'block'],
    ['in_progress', 'done', 'complete'],
    ['blocked', 'cancelled', 'cancel'],
    ['done', 'todo', 'reopen'],
    ['cancelled', 'done', 'reopen complete'],
    ['done', 'in_progress', 'reopen claim'],
    ['blocked', 'in_progress', 'unblock claim'],
    ['blocked', 'todo', 'unblock abandon'],
    ['in_progress', 'todo', 'abandon'],
    ['in_progress', 'blocked', 'block'],
  ] as const)('%s -> %s', (from, to, steps) => {
    expect(stepsBetween(from, to).join(' ')).toBe(steps);
  });

  it('forward needs one, and never one that takes something back', () => {
    fc.assert(
      fc.property(status, status, (from, to) => {
        fc.pre(planRank(from) < planRank(to));
        const steps = stepsBetween(from, to);
        expect(steps).toHaveLength(1);
        expect(['claim', 'block', 'complete', 'cancel']).toContain(steps[0]);
      }),
    );
  });
});
