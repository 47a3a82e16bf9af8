import { expect, it } from 'vitest';
import { BranchRule } from '../../src/contract/repo-files.ts';
import { editBranchRules } from '../../src/workflows/edit-branch-rules.ts';
import { planMerge } from '../../src/workflows/merge-stream.ts';
import { refusal, type Story, startStory, type Work } from '../support/story.ts';

it('in gated mode maintainers agree and one of them performs the landing and the promotion', async () => {
  const story = await startStory({
    mode: 'gated',
    model: 'guild',
    agents: ['coder', 'outsider', 'ann', 'ben'],
    maintainers: ['ann', 'ben'],
    stabilize: 'true',
  });
  const work = await story.stream('coder', { 'gate.txt': 'open\n' });
  await story.submit('coder', work);
  // Who is no maintainer may speak, but does not count.
  expect((await story.judge('outsider', work)).consensus.reached).toBe(false);
  expect((await story.judge('ann', work)).consensus.reached).toBe(true);
  expect(await closedGates(story, 'coder', work)).toEqual(['rules']);
  expect(await closedGates(story, 'ben', work)).toEqual([]);
  expect(await refusal(story.merge('coder', work))).toMatchObject({ code: 'not_allowed' });
  expect(await refusal(story.merge('outsider', work))).toMatchObject({ code: 'not_allowed' });
  expect((await story.merge('ben', work)).kind).toBe('merged');
  expect(story.file('buffer', 'gate.txt')).toBe('open\n');

  // An author who is a maintainer performs, and never judges.
  const own = await story.stream('ann', { 'own.txt': 'own\n' });
  await story.submit('ann', own);
  expect(await refusal(story.judge('ann', own))).toMatchObject({ code: 'not_allowed' });
  expect(await refusal(story.merge('ann', own))).toMatchObject({ code: 'gate_not_met' });
  await story.judge('ben', own);
  expect((await story.merge('ann', own)).kind).toBe('merged');

  expect((await story.stabilize('coder')).result).toBe('green');
  expect(await refusal(story.promote('coder'))).toMatchObject({ code: 'not_allowed' });
  expect(await story.promote('ben')).toMatchObject({ promoted: true });
  expect(story.oid('main')).toBe(story.oid('buffer'));
});

it('what a landing would meet is told before: settings in swarm mode, a parent, tests that a rule asks for', async () => {
  const story = await startStory({ mode: 'swarm', agents: ['coder', 'ann'], model: 'guild' });
  const settings = await story.stream('coder', { '.gitswarm/config.yml': 'min_reviews: 0\n' });
  expect(await closedGates(story, 'coder', settings)).toEqual(['consensus', 'rules']);
  const child = await story.stream('ann', { 'child.txt': 'c\n' }, { dependsOn: settings.id });
  expect(await closedGates(story, 'ann', child)).toEqual(['rules']);
  expect(await refusal(story.merge('ann', child))).toMatchObject({ code: 'gate_not_met' });
  const rule = BranchRule.parse({ pattern: 'buffer', require_tests_pass: true });
  const other = await story.stream('ann', { 'other.txt': 'o\n' });
  await story.commit('ann', other, { 'other.txt': 'o2\n' });
  await story.run('Olga', (workflow) => editBranchRules(workflow, { kind: 'add', rule }));
  await story.commit('ann', other, { 'more.txt': 'm\n' });
  expect(await closedGates(story, 'ann', other)).toEqual(['rules']);
});

/** The gates of `merge --plan` that are closed for somebody. */
async function closedGates(story: Story, as: string, work: Work): Promise<string[]> {
  const plan = await story.run(as, (workflow) => planMerge(workflow, work.id));
  return plan.gates.filter((gate) => !gate.open).map((gate) => gate.name);
}
