import { expect, it } from 'vitest';
import { listQueue, pauseQueue, resumeQueue } from '../../src/contract/merges.ts';
import { listReviews } from '../../src/contract/reviews.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import { refusal, startStory } from '../support/story.ts';

it('settings that land are in force for what lands after them in the same run', async () => {
  const story = await startStory({
    model: 'guild',
    agents: ['coder', 'bob', 'ann'],
    maintainers: ['ann'],
  });
  const first = await story.stream('coder', { '.gitswarm/config.yml': 'min_reviews: 2\n' });
  const second = await story.stream('bob', { 'b.txt': 'b\n' });
  for (const [author, work] of [
    ['coder', first],
    ['bob', second],
  ] as const) {
    await story.submit(author, work);
    await story.judge('ann', work);
    await story.merge(author, work, { wait: false });
  }
  const run = await story.run('bob', (workflow) => driveQueue(workflow));
  expect(run.landed.map(({ stream }) => stream?.id)).toEqual([first.id]);
  expect(run.refused).toMatchObject([{ stream: { id: second.id }, error: { code: 'gate_not_met' } }]);
  expect(story.file('buffer', 'b.txt')).toBeUndefined();
});

it('switching the mode in mid-flight lands nothing and drops nothing: what is open goes by the new rule', async () => {
  const story = await startStory({
    mode: 'review',
    model: 'guild',
    agents: ['coder', 'bob', 'ann'],
    maintainers: ['ann'],
  });
  const approved = await story.stream('coder', { 'approved.txt': '1\n' });
  await story.submit('coder', approved);
  await story.judge('ann', approved);
  const open = await story.stream('bob', { 'open.txt': '1\n' });
  story.git.write({ 'unsaved.txt': 'not committed\n' }, open.path);
  const repoId = await story.repoId();
  await story.ask(pauseQueue, { repoId });
  await story.merge('coder', approved, { wait: false });
  const [buffer, heads] = [story.oid('buffer'), [approved, open].map(({ branch }) => story.oid(branch))];

  for (const mode of ['swarm', 'gated', 'review', 'swarm']) {
    await story.set('merge_mode', mode);
    expect(story.oid('buffer')).toBe(buffer);
    expect([approved, open].map(({ branch }) => story.oid(branch))).toEqual(heads);
    expect((await story.show(approved)).state).toBe('queued');
    expect((await story.show(open)).state).toBe('active');
    expect((await story.ask(listQueue, { repoId })).items.map((item) => item.stream?.id)).toEqual([
      approved.id,
    ]);
    expect((await story.ask(listReviews, { stream: approved.id })).items).toMatchObject([
      { verdict: 'approve', standing: true },
    ]);
  }
  expect(story.status(open.path)).toEqual(['?? unsaved.txt']);

  // In swarm mode what has not landed lands when somebody asks, without any verdict.
  await story.ask(resumeQueue, { repoId });
  expect((await story.merge('bob', open)).kind).toBe('merged');
  expect(story.file('buffer', 'open.txt')).toBe('1\n');
  await story.run('Olga', (workflow) => driveQueue(workflow));
  expect(story.file('buffer', 'approved.txt')).toBe('1\n');

  await story.set('merge_mode', 'review');
  await story.commit('bob', open, { 'later.txt': '2\n' });
  expect(story.file('buffer', 'later.txt')).toBeUndefined();
  expect(await refusal(story.merge('bob', open))).toMatchObject({ code: 'gate_not_met' });
  await story.land(open, { author: 'bob', judge: 'ann' });
  expect(story.file('buffer', 'later.txt')).toBe('2\n');
});
