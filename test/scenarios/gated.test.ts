import { expect, it } from 'vitest';
import { refusal, startStory } from '../support/story.ts';

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
