import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addMaintainer } from '../../src/contract/repos.ts';
import { abandonClaim, blockTask, cancelTask, claimTask, showTask } from '../../src/contract/tasks.ts';
import { completeTask } from '../../src/contract/workplans.ts';
import { createWorkspace } from '../../src/workflows/create-workspace.ts';
import { fixPlans } from '../../src/workflows/plan-fix.ts';
import { codesOf, PLAN, type PlanMachine, planText, startPlanStory } from '../support/plan-story.ts';
import { refusal } from '../support/story.ts';

/** Files and database of a machine say the same, and nothing is left to do. */
async function expectAgreed(machine: PlanMachine, expected: Record<string, string>): Promise<void> {
  expect({ written: machine.written(), tasks: await machine.statuses() }).toEqual({
    written: expected,
    tasks: expected,
  });
  expect(await machine.check()).toMatchObject({ findings: [] });
  expect(machine.git('status', '--porcelain', '--', 'workplans', 'a.txt')).toBe('');
}

/** Everybody makes their tasks and has the ids. */
async function settle(...machines: PlanMachine[]): Promise<void> {
  for (const machine of machines) {
    await machine.fix({ pull: true });
    machine.push();
  }
  for (const machine of machines) machine.pull();
}

const FINISHED = { T1: 'done', T2: 'in_progress', T3: 'todo' };

describe('work goes on at a far machine while the checkout of a workstation grows stale', () => {
  describe.each([
    ['one database for both', true],
    ['a database on each', false],
  ])('%s', (_name, hub) => {
    async function begin() {
      const story = await startPlanStory({ hub });
      await settle(story.far, story.near);
      const { far } = story;
      // The far machine finishes one task and begins another, in its database.
      await far.ask(completeTask, { task: await far.taskId('T1') });
      await far.ask(claimTask, { task: await far.taskId('T2') }, 'coder');
      return story;
    }

    it('the workstation first, then the far machine', async () => {
      const { far, near } = await begin();
      const before = await near.statuses();
      const report = await near.fix();
      expect(codesOf(report)).toEqual(hub ? ['C-13'] : []);
      expect(await near.statuses()).toEqual(before);
      expect(near.written()).toEqual(hub ? FINISHED : { T1: 'todo', T2: 'todo', T3: 'todo' });
      near.push();
      await far.fix({ pull: true });
      far.push();
      await near.fix({ pull: true });
      await expectAgreed(far, FINISHED);
      await expectAgreed(near, FINISHED);
      expect(near.git('rev-parse', 'HEAD')).toBe(far.git('rev-parse', 'HEAD'));
    });

    it('the far machine first, then the workstation: it is behind, so it writes nothing until it has pulled', async () => {
      const { far, near } = await begin();
      await far.fix();
      expect(far.push()).toBe(true);
      const head = near.git('rev-parse', 'HEAD');
      const before = [await near.statuses(), near.read(), near.git('for-each-ref')];
      const report = await near.fix();
      expect(report.findings.find(({ code }) => code === 'C-14')).toMatchObject({
        severity: 'WARN',
        message: expect.stringContaining('is behind remote — pull before fixing'),
      });
      expect(report.changed).toEqual([]);
      expect(near.git('rev-parse', 'HEAD')).toBe(head);
      expect([await near.statuses(), near.read(), near.git('for-each-ref')]).toEqual(before);
      expect((await near.check()).findings.find(({ code }) => code === 'C-14')).toMatchObject({
        severity: 'INFO',
      });
      await near.fix({ pull: true });
      await expectAgreed(near, FINISHED);
      await expectAgreed(far, FINISHED);
    });

    it('with the remote away: nobody waits, nothing is lost, and later all come together', async () => {
      const story = await begin();
      const { far, near } = story;
      await far.fix();
      far.push();
      await story.away(async () => {
        const before = await near.statuses();
        const report = await near.fix();
        expect(codesOf(report)).toEqual(hub ? ['C-13'] : []);
        expect(await near.statuses()).toEqual(before);
        // Asked to pull all the same, it says that it could not, and goes on.
        expect(codesOf(await near.fix({ pull: true }))).toEqual(['C-14']);
      });
      // Both have written back on their own: what is only here and only ours is made anew on top of the others'.
      const left = near.git('rev-parse', 'HEAD');
      await near.fix({ pull: true });
      await expectAgreed(near, FINISHED);
      await expectAgreed(far, FINISHED);
      expect(near.git('rev-parse', 'HEAD')).toBe(far.git('rev-parse', 'HEAD'));
      if (hub) expect(near.git('rev-parse', `refs/gitswarm/snapshots/plan/${left}`)).toBe(left);
    });

    it('new blocks met by both at once get one task and one id', async () => {
      const { far, near } = await begin();
      await settle(far, near, far);
      const text = `${far.read()}\n### New\n\n\`\`\`task\nid: T4\nstatus: todo\n\`\`\`\n`;
      far.story.git.write({ [PLAN]: text }, far.dir);
      far.commit('a new task');
      far.push();
      near.pull();
      await far.fix();
      await near.fix();
      expect(near.read()).toBe(far.read());
      far.push();
      await near.fix({ pull: true });
      near.push();
      far.pull();
      expect(await near.taskId('T4')).toBe(await far.taskId('T4'));
      await expectAgreed(near, { ...FINISHED, T4: 'todo' });
      await expectAgreed(far, { ...FINISHED, T4: 'todo' });
    });
  });
});

async function single(plan?: string) {
  const { near, git } = await startPlanStory({ hub: false, ...(plan === undefined ? {} : { plan }) });
  await near.fix();
  return { near, git };
}

describe('fix', () => {
  it('carries what files have further into the database, by operations, as whoever runs it', async () => {
    const { near } = await single();
    for (const [block, status] of [
      ['T1', 'in_progress'],
      ['T2', 'blocked'],
      ['T3', 'cancelled'],
    ] as const) {
      near.edit(block, status);
    }
    near.commit();
    const report = await near.fix();
    expect(codesOf(report)).toEqual(['C-11']);
    expect(report.changed).toMatchObject([
      { kind: 'database', task: 'T1', from: 'todo', to: 'in_progress' },
      { kind: 'database', task: 'T2', from: 'todo', to: 'blocked' },
      { kind: 'database', task: 'T3', from: 'todo', to: 'cancelled' },
    ]);
    const owner = await near.run(async ({ actor }) => actor?.id);
    expect(await near.ask(showTask, { task: await near.taskId('T1') })).toMatchObject({
      status: 'claimed',
      claim: { agentId: owner },
    });
    near.edit('T1', 'done');
    near.commit();
    await near.fix();
    await expectAgreed(near, { T1: 'done', T2: 'blocked', T3: 'cancelled' });
  });

  it('changes nothing the second time, whatever the first time met', async () => {
    const odd = planText({ T1: 'done', T2: 'in_progress', T3: 'todo' }, '\r\n').replace(
      'A plan"',
      'Plän\tx"',
    );
    for (const plan of [planText({ T1: 'todo' }), `\ufeff${odd}`, odd.trimEnd()]) {
      const { near } = await startPlanStory({ hub: false, plan });
      await near.fix();
      const state = async () => [near.git('rev-parse', 'HEAD'), near.read(), await near.tasks()];
      const before = await state();
      expect(await near.fix()).toMatchObject({ findings: [], changed: [] });
      expect(await state()).toEqual(before);
      // But for the ids, every byte is the one it was.
      const withoutIds = near.read().replace(/^state_hub_task_id: "[0-9a-f-]{36}"\r?\n/gm, '');
      expect(withoutIds).toBe(plan);
    }
  });

  it('makes one commit in the form that people know, of status lines alone', async () => {
    const { near } = await single();
    await near.ask(completeTask, { task: await near.taskId('T1') });
    await near.ask(blockTask, { task: await near.taskId('T3'), reason: 'waits' });
    near.story.git.write({ 'a.txt': 'edited\n', 'new.txt': 'n\n', 'staged.txt': 's\n' }, near.dir);
    near.git('add', 'staged.txt');
    const status = near.git('status', '--porcelain');
    const head = near.git('rev-parse', 'HEAD');
    const { committed } = await near.fix();
    expect(near.git('rev-parse', 'HEAD')).toBe(committed);
    expect(near.git('rev-parse', 'HEAD^')).toBe(head);
    expect(near.git('status', '--porcelain')).toBe(status);
    expect(
      near
        .git('show', '--format=', '-U0', 'HEAD')
        .split('\n')
        .filter((line) => /^[+-][^+-]/.test(line)),
    ).toEqual(['-status: todo', '+status: done', '-status: todo', '+status: blocked']);
    const [subject, ...lines] = near.git('log', '-1', '--format=%B').split('\n');
    expect(subject).toBe('chore(consistency): sync task status from DB [auto]');
    expect(lines).toEqual([
      '',
      expect.stringMatching(/^Updated by fix-consistency on \d{4}-\d\d-\d\d:$/),
      '- T1: todo → done',
      '- T3: todo → blocked',
      '',
      'GitSwarm-Writeback: 2',
    ]);
  });

  it('leaves a workplan alone that somebody is at work on, and goes on with the others', async () => {
    const { near } = await single();
    near.story.git.write({ 'workplans/b.md': planText({ B1: 'todo' }).replace('WP-1', 'WP-2') }, near.dir);
    near.commit();
    await near.fix();
    for (const block of ['T1', 'B1']) await near.ask(completeTask, { task: await near.taskId(block) });
    const edited = `${near.read()}\nmy note\n`;
    near.story.git.write({ [PLAN]: edited }, near.dir);
    const report = await near.fix();
    expect(report.findings.find(({ code }) => code === 'C-14')).toMatchObject({
      severity: 'WARN',
      file: PLAN,
    });
    expect(near.read()).toBe(edited);
    expect(near.written('workplans/b.md')).toEqual({ B1: 'done' });
    expect((await near.check()).findings.find(({ code }) => code === 'C-14')).toMatchObject({
      severity: 'INFO',
    });
    near.commit();
    await near.fix();
    expect(near.written()).toMatchObject({ T1: 'done' });
    expect(near.read()).toContain('my note');
  });

  it('writes no file without writeback, and still never regresses', async () => {
    const { near } = await startPlanStory({ hub: false });
    const [head, text] = [near.git('rev-parse', 'HEAD'), near.read()];
    expect((await near.fix({ writeback: false })).changed.map(({ kind }) => kind)).toEqual([
      'task_created',
      'task_created',
      'task_created',
    ]);
    await near.ask(completeTask, { task: await near.taskId('T1') });
    near.edit('T2', 'in_progress');
    near.commit();
    expect(codesOf(await near.fix({ writeback: false }))).toEqual(['C-11', 'C-13']);
    expect(await near.statuses()).toEqual({ T1: 'done', T2: 'in_progress', T3: 'todo' });
    near.git('reset', '--quiet', '--hard', head);
    expect(near.read()).toBe(text);
    // The tasks are found again by the ids of their blocks.
    await near.fix();
    await expectAgreed(near, { T1: 'done', T2: 'in_progress', T3: 'todo' });
  });

  it('is refused what its actor may not do, keeps the file, and says so (C-15)', async () => {
    const { near } = await single();
    await near.ask(claimTask, { task: await near.taskId('T2') }, 'coder');
    await near.fix();
    near.edit('T1', 'done');
    near.edit('T2', 'done');
    near.commit();
    const text = near.read();
    // An agent without maintain access completes nothing; a maintainer not what another holds.
    expect((await near.fix({}, 'coder')).findings.filter(({ code }) => code === 'C-15')).toHaveLength(2);
    const report = await near.fix();
    expect(report.findings.filter(({ code }) => code === 'C-15')).toMatchObject([
      { task: 'T2', severity: 'WARN', message: expect.stringContaining('held by somebody else') },
    ]);
    expect(await near.statuses()).toMatchObject({ T1: 'done', T2: 'in_progress' });
    expect(near.read()).toBe(text);
  });

  it('a task that waits for another is begun only when that is done, and both at once in their order', async () => {
    const waiting = planText({ T1: 'todo', T2: 'in_progress' }).replace(
      'id: T2\nstatus: in_progress',
      'id: T2\nstatus: in_progress\ndepends_on: [T1]',
    );
    const { near } = await startPlanStory({ hub: false, plan: waiting });
    expect((await near.fix()).findings.find(({ code }) => code === 'C-15')).toMatchObject({ task: 'T2' });
    expect(await near.ask(showTask, { task: await near.taskId('T2') })).toMatchObject({
      dependsOn: [await near.taskId('T1')],
      title: 'T2 — what it is about',
      priority: 'high',
      description: expect.stringContaining('Text about T2'),
    });
    near.edit('T1', 'done');
    near.commit();
    expect(codesOf(await near.fix())).toEqual(['C-11']);
    expect(await near.statuses()).toEqual({ T1: 'done', T2: 'in_progress' });
  });

  it('what was set back in the database on purpose is not done again because a file says so (C-17)', async () => {
    const { near } = await single();
    await near.ask(claimTask, { task: await near.taskId('T1') }, 'coder');
    await near.fix();
    expect(near.written()).toMatchObject({ T1: 'in_progress' });
    await near.ask(abandonClaim, { claim: await near.taskId('T1') }, 'coder');
    expect(codesOf(await near.fix())).toEqual(['C-17']);
    await expectAgreed(near, { T1: 'todo', T2: 'todo', T3: 'todo' });
    // What is further than ever is news again.
    near.edit('T1', 'done');
    near.commit();
    await near.fix();
    await expectAgreed(near, { T1: 'done', T2: 'todo', T3: 'todo' });
  });

  it('only a person moves tasks backwards, and only by force', async () => {
    const { near } = await single();
    await near.run(({ authority, repo }) =>
      authority.call(addMaintainer, { repoId: repo.id, agent: 'coder' }),
    );
    for (const block of ['T1', 'T2']) await near.ask(completeTask, { task: await near.taskId(block) });
    await near.ask(cancelTask, { task: await near.taskId('T3') });
    await near.fix();
    near.edit('T1', 'todo');
    near.edit('T2', 'in_progress');
    near.edit('T3', 'done');
    near.commit();
    const wanted = near.written();
    expect(await refusal(near.fix({ force: true }, 'coder'))).toMatchObject({ code: 'not_allowed' });
    const report = await near.fix({ force: true });
    expect(report.changed.every(({ kind }) => kind === 'database')).toBe(true);
    await expectAgreed(near, wanted);
    // From here on files may tell news again.
    near.edit('T1', 'done');
    near.commit();
    await near.fix();
    await expectAgreed(near, { ...wanted, T1: 'done' });
  });

  it('a commit that cannot be made is told and is not fatal; the next run makes it', async () => {
    const { near, git } = await single();
    await near.ask(completeTask, { task: await near.taskId('T1') });
    const head = near.git('rev-parse', 'HEAD');
    const expectTold = async () => {
      const before = near.git('rev-parse', 'HEAD');
      expect(codesOf(await near.fix())).toEqual(['C-13', 'C-18']);
      expect(near.git('rev-parse', 'HEAD')).toBe(before);
    };
    git.write({ '.git/index.lock': '' }, near.dir);
    await expectTold();
    git.write({ '.git/index.lock': undefined, '.git/MERGE_HEAD': `${head}\n` }, near.dir);
    await expectTold();
    git.write({ '.git/MERGE_HEAD': undefined }, near.dir);
    near.git('switch', '--quiet', '--detach');
    await expectTold();
    near.git('switch', '--quiet', 'buffer');
    await expectTold();
    near.git('switch', '--quiet', 'main');
    await near.fix();
    await expectAgreed(near, { T1: 'done', T2: 'todo', T3: 'todo' });
  });

  it('in a workspace only its author writes back, and the commit becomes part of the stream', async () => {
    const { near } = await single();
    near.git('push', '--quiet');
    near.git('branch', '--force', 'buffer', 'main');
    const { path, stream } = await near.story.run('coder', (workflow) => createWorkspace(workflow, {}));
    await near.ask(completeTask, { task: await near.taskId('T1') });
    const there = (as: string) =>
      near.story.run(
        as,
        (workflow) => fixPlans(workflow, { ask: true, writeback: true, pull: false, force: false }),
        { dir: path },
      );
    expect(codesOf(await there('Olga'))).toEqual(['C-13', 'C-18']);
    expect((await there('coder')).committed).toBe(near.git('rev-parse', stream.branch));
    expect(readFileSync(join(path, PLAN), 'utf8')).toContain('id: T1\nstatus: done');
    expect(near.written()).toMatchObject({ T1: 'todo' });
  });

  it('does not drop what people have committed, and says why it did not pull', async () => {
    const { near, far } = await startPlanStory({ hub: true });
    await settle(far, near);
    far.story.git.commit('theirs', { 'b.txt': 'b\n' }, far.dir);
    far.push();
    const mine = near.story.git.commit('mine', { 'c.txt': 'c\n' }, near.dir);
    const report = await near.fix({ pull: true });
    expect(report.findings.map(({ message }) => message)).toEqual(
      expect.arrayContaining([expect.stringContaining('"mine" is only here')]),
    );
    expect(near.git('rev-parse', 'HEAD')).toBe(mine);
    // Nor one that only says it is ours.
    near.git('reset', '--quiet', '--hard', 'HEAD^');
    const forged = near.story.git.commit(
      'x\n\nGitSwarm-Writeback: 1',
      { [PLAN]: `${near.read()}\nmore\n` },
      near.dir,
    );
    expect(codesOf(await near.fix({ pull: true }))).toContain('C-14');
    expect(near.git('rev-parse', 'HEAD')).toBe(forged);
  });
});
