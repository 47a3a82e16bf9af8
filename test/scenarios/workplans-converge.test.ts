import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSwarmError } from '../../src/contract/errors.ts';
import { abandonClaim, blockTask, cancelTask, claimTask, unblockTask } from '../../src/contract/tasks.ts';
import { completeTask } from '../../src/contract/workplans.ts';
import {
  isNowhereBack,
  PLAN,
  type PlanMachine,
  type PlanStory,
  planText,
  startPlanStory,
} from '../support/plan-story.ts';

const BLOCKS = ['T1', 'T2', 'T3'] as const;

/** What may happen next, in any order, at either machine. */
type Step =
  | { kind: 'edit' | 'leave'; at: 'far' | 'near'; block: string; status: string }
  | {
      kind: 'claim' | 'claim as coder' | 'block' | 'complete' | 'cancel' | 'abandon' | 'unblock';
      at: 'far' | 'near';
      block: string;
    }
  | {
      kind: 'check' | 'fix' | 'fix --pull' | 'fix --no-writeback' | 'pull' | 'push' | 'away';
      at: 'far' | 'near';
    };

const at = fc.constantFrom('far' as const, 'near' as const);
const block = fc.constantFrom(...BLOCKS);

/** With a database for each, nobody can tell which of two databases is right that differ and are as far. */
function stepsOf(hub: boolean): fc.Arbitrary<Step[]> {
  const statuses = hub
    ? ['todo', 'in_progress', 'blocked', 'done', 'cancelled']
    : ['todo', 'in_progress', 'done'];
  const moves = hub
    ? (['claim', 'claim as coder', 'block', 'complete', 'cancel', 'abandon', 'unblock'] as const)
    : (['claim', 'claim as coder', 'complete'] as const);
  const edit = fc.record({
    kind: fc.constantFrom('edit' as const, 'edit' as const, 'leave' as const),
    at,
    block,
    status: fc.constantFrom(...statuses),
  });
  const move = fc.record({ kind: fc.constantFrom(...moves), at, block });
  const plan = fc.record({
    kind: fc.constantFrom(
      ...([
        'check',
        'fix',
        'fix',
        'fix --pull',
        'fix --no-writeback',
        'pull',
        'push',
        'push',
        'away',
      ] as const),
    ),
    at,
  });
  return fc.array(fc.oneof(edit, move, plan, plan), { minLength: 4, maxLength: 14 });
}

/** One operation on a task as anybody would call it; that policy refuses it is an answer, too. */
async function moveTask(machine: PlanMachine, kind: string, name: string): Promise<void> {
  const task = (await machine.tasks()).get(name)?.taskId;
  if (task === undefined) return;
  const calls: Record<string, () => Promise<unknown>> = {
    claim: () => machine.ask(claimTask, { task }),
    'claim as coder': () => machine.ask(claimTask, { task }, 'coder'),
    block: () => machine.ask(blockTask, { task, reason: 'waits' }),
    unblock: () => machine.ask(unblockTask, { task }),
    complete: () => machine.ask(completeTask, { task }),
    cancel: () => machine.ask(cancelTask, { task }),
    abandon: () => machine.ask(abandonClaim, { claim: task }),
  };
  await calls[kind]?.().catch((error: unknown) => {
    if (!isSwarmError(error)) throw error;
  });
}

/** The file without the lines that are ours to write. */
function bare(text: string): string {
  return text.replace(/^status: \S+$/gm, 'status:').replace(/^state_hub_task_id: "[0-9a-f-]{36}"\n/gm, '');
}

/** Runs a plan command and holds it to its promises, whatever state it meets. */
async function held(machine: PlanMachine, run: () => Promise<unknown>, writes: boolean): Promise<void> {
  const head = machine.git('rev-parse', 'HEAD');
  const before = { text: machine.read(), statuses: await machine.statuses(), a: machine.read('a.txt') };
  await run();
  const after = { text: machine.read(), statuses: await machine.statuses(), a: machine.read('a.txt') };
  expect(isNowhereBack(before.statuses, after.statuses), JSON.stringify([before, after])).toBe(true);
  expect(bare(after.text)).toBe(bare(before.text));
  expect(after.a).toBe(before.a);
  if (writes) return;
  expect([machine.git('rev-parse', 'HEAD'), after]).toEqual([head, before]);
}

async function take(story: PlanStory, step: Step): Promise<void> {
  const machine = story[step.at];
  switch (step.kind) {
    case 'edit':
      machine.edit(step.block, step.status);
      return machine.commit();
    case 'leave':
      return machine.edit(step.block, step.status);
    case 'check':
      return held(machine, () => machine.check(), false);
    case 'fix':
      return held(machine, () => machine.fix(), true);
    case 'fix --pull':
      return held(machine, () => machine.fix({ pull: true }), true);
    case 'fix --no-writeback':
      return held(machine, () => machine.fix({ writeback: false }), true);
    case 'away':
      return story.away(() => held(machine, () => machine.fix(), true));
    case 'pull':
      machine.pull();
      return;
    case 'push':
      machine.push();
      return;
    default:
      return moveTask(machine, step.kind, step.block);
  }
}

/** What a person does in the end: commits, merges where both have committed, fixes and pushes, in turn. */
async function settle({ far, near }: PlanStory): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (const machine of [far, near]) {
      machine.commit();
      machine.git('fetch', '--quiet');
      await held(machine, () => machine.fix({ pull: true }), true);
      if (!machine.tryGit('merge', '--quiet', '--no-edit', '-X', 'ours', 'origin/main'))
        throw new Error('no merge');
      await held(machine, () => machine.fix(), true);
      expect(machine.push() || machine.push()).toBe(true);
    }
  }
}

const runs = process.env.GITSWARM_LONG === '1' ? 60 : 8;

it.each([
  ['one database for both', true],
  ['a database on each', false],
])(
  'whatever is edited, checked, fixed, pulled and pushed in whatever order, no task goes back, and all converge: %s',
  async (_name, hub) => {
    await fc.assert(
      fc.asyncProperty(stepsOf(hub), async (steps) => {
        const story = await startPlanStory({ hub, plan: planText({ T1: 'todo', T2: 'todo', T3: 'todo' }) });
        try {
          for (const step of steps) await take(story, step);
          await settle(story);
          const { far, near } = story;
          expect(near.git('rev-parse', 'HEAD^{tree}')).toBe(far.git('rev-parse', 'HEAD^{tree}'));
          for (const machine of [far, near]) {
            const last = await machine.fix();
            expect(last.changed).toEqual([]);
            // What another holds is not done because a file says so; all else has come together.
            const refused = last.findings.flatMap(({ code, task = '' }) => (code === 'C-15' ? [task] : []));
            const [tasks, written] = [await machine.tasks(), machine.written()];
            for (const [id, task] of tasks) {
              if (!refused.includes(id)) expect([id, task.status]).toEqual([id, written[id]]);
              else expect(task.holderId).not.toBeNull();
            }
            const { findings } = await machine.check();
            expect(
              findings.filter(({ code, task = '' }) => code !== 'C-09' && !refused.includes(task)),
            ).toEqual([]);
            expect(machine.git('status', '--porcelain', '--', PLAN, 'a.txt')).toBe('');
            // But for statuses and ids, the plan is the one we began with.
            expect(bare(machine.read())).toBe(bare(planText({ T1: 'todo', T2: 'todo', T3: 'todo' })));
          }
        } finally {
          await story.git.remove();
        }
      }),
      { numRuns: runs, endOnFailure: true },
    );
  },
  600_000,
);
