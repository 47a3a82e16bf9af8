import { expect, it } from 'vitest';
import { listBlocks } from '../../src/contract/reviews.ts';
import { landLeadingBlocks } from '../../src/workflows/land-blocks.ts';
import { judgeStream } from '../../src/workflows/review-stream.ts';
import { expectSound } from '../support/invariants.ts';
import { refusal, startStory } from '../support/story.ts';

it('the first two of three commits land when they are agreed on, the third goes on and lands later', async () => {
  const story = await startStory({ model: 'guild', agents: ['coder', 'ann'], maintainers: ['ann'] });
  const work = await story.stream('coder', { 'one.txt': '1\n' });
  await story.commit('coder', work, { 'two.txt': '2\n' });
  await story.commit('coder', work, { 'three.txt': '3\n' });
  await story.submit('coder', work);
  const judge = (block: string, verdict: 'approve' | 'request_changes' = 'approve') =>
    story.run('ann', (workflow) => judgeStream(workflow, { stream: work.id, verdict, block }));
  const land = () => story.run('coder', (workflow) => landLeadingBlocks(workflow, work.id));
  expect(await refusal(land())).toMatchObject({ code: 'gate_not_met' });
  await judge('1');
  await judge('2');
  await judge('3', 'request_changes');

  const landed = await land();
  expect(landed).toMatchObject({ blocks: 2, stream: { state: 'merged' }, result: { kind: 'merged' } });
  expect([story.file('buffer', 'two.txt'), story.file('buffer', 'three.txt')]).toEqual(['2\n', undefined]);
  expect(await story.show(work)).toMatchObject({ commitCount: 1, state: 'changes_requested' });
  expect((await story.ask(listBlocks, { stream: work.id })).items).toHaveLength(1);
  expect(await refusal(land())).toMatchObject({ code: 'gate_not_met' });

  await story.commit('coder', work, { 'three.txt': 'better\n' });
  await story.submit('coder', work);
  await story.judge('ann', work);
  expect((await story.merge('coder', work)).kind).toBe('merged');
  expect(story.file('buffer', 'three.txt')).toBe('better\n');
  expect(story.status(work.path)).toEqual([]);
  await expectSound(story);
});
