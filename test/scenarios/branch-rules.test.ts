import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BranchRule } from '../../src/contract/repo-files.ts';
import { examine } from '../../src/workflows/doctor/doctor.ts';
import { editBranchRules } from '../../src/workflows/edit-branch-rules.ts';
import { reportStatus } from '../../src/workflows/status-report.ts';
import { refusal, type Story, startStory } from '../support/story.ts';

function add(story: Story, pattern: string, more: object, as = 'Olga') {
  const rule = BranchRule.parse({ pattern, ...more });
  return story.run(as, (workflow) => editBranchRules(workflow, { kind: 'add', rule }));
}

it('a rule that requires tests lets nothing land untested, in any mode, and nothing be promoted', async () => {
  const story = await startStory({ mode: 'swarm' });
  await add(story, 'buf*', { require_tests_pass: true });
  await add(story, 'main', { require_tests_pass: true });
  const work = await story.workspace('coder');
  const untested = await story.commit('coder', work, { 'ok.txt': 'ok\n' });
  expect(untested).toMatchObject({
    merged: false,
    merge: { kind: 'refused', error: { code: 'gate_not_met' } },
  });
  expect(story.oid('buffer')).toBe(story.oid('main'));

  await story.set('stabilize_command', 'test -f ok.txt');
  expect((await story.merge('coder', work)).kind).toBe('merged');
  const bad = await story.workspace('bob');
  story.git.gitIn(bad.path, 'rm', '--quiet', 'ok.txt');
  expect(await story.commit('bob', bad, { 'bad.txt': 'bad\n' })).toMatchObject({ merged: false });
  expect(story.file('buffer', 'bad.txt')).toBeUndefined();
  expect(await refusal(story.promote())).toMatchObject({ code: 'gate_not_met' });
});

it('maintainers keep the rules, in the file with its comments and in the database', async () => {
  const story = await startStory({
    mode: 'review',
    model: 'guild',
    agents: ['coder', 'ann'],
    maintainers: ['ann'],
  });
  const file = join(story.dir, '.gitswarm/config.yml');
  const before = readFileSync(file, 'utf8');
  expect(await refusal(add(story, 'buffer', {}, 'coder'))).toMatchObject({ code: 'not_allowed' });
  expect(readFileSync(file, 'utf8')).toBe(before);
  const { rules } = await add(story, 'buffer', { required_approvals: 2, priority: 5 }, 'ann');
  expect(rules.governs).toMatchObject([
    { branch: 'buffer', rules: ['buffer'], minReviews: 2 },
    { branch: 'main', rules: [], minReviews: null, threshold: null },
  ]);
  const after = readFileSync(file, 'utf8');
  expect(after).toContain('pattern: buffer');
  for (const comment of before.split('\n').filter((line) => line.startsWith('#')))
    expect(after).toContain(comment);
});

it('what moved buffer or target by another hand is told with what the rules say of it', async () => {
  const story = await startStory({ mode: 'review', model: 'solo', agents: ['coder'] });
  await story.land(await story.stream('coder', { 'a.txt': 'a\n' }), { author: 'coder', judge: 'Olga' });
  await story.promote();
  const told = async () => {
    const { moved } = await story.run('Olga', (workflow) => reportStatus(workflow));
    const { findings } = await story.run('Olga', (workflow) => examine(workflow, { fix: false }));
    return [...moved, findings.find(({ check }) => check === 'buffer')?.text];
  };
  expect(await told()).toEqual(['buffer holds every landing']);
  story.git.commit('Hotfix', { 'b.txt': 'b\n' });
  expect(await told()).toEqual([
    expect.stringMatching(/main holds 1 commits .* \(direct_push of main is none where no rule says/),
    'buffer holds every landing',
  ]);
  await add(story, 'm*', { direct_push: 'maintainers' });
  await add(story, 'main', { direct_push: 'all' });
  expect((await told())[0]).toContain('direct_push of main is maintainers by the rule for m*, main');

  story.git.git('update-ref', 'refs/heads/buffer', 'main');
  expect(await told()).toEqual([
    expect.stringMatching(
      /^buffer was moved by another hand: .* is no landing; direct_push of buffer is none/,
    ),
  ]);
  story.git.git('update-ref', 'refs/heads/buffer', 'main~2');
  expect((await told()).at(-1)).toMatch(/lacks 1 landings .*; direct_push of buffer is none/);
});
