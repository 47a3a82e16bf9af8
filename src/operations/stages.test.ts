import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { refusedWith, startStory } from '../../test/support/stream-story.ts';
import { resumeAgent, suspendAgent } from '../contract/agents.ts';
import { advanceStage, showStage } from '../contract/stages.ts';

forEachDatabase((_kind, makeDatabase) => {
  it('goes on when what it asks for is there, and says what is missing before', async () => {
    const story = await startStory(await makeDatabase(), {
      agents: ['ann', 'ben', 'judge'],
      maintainers: ['judge'],
    });
    const { call, repoId, owner, ann, ben, judge, landed } = story;
    const show = () => call(showStage, { repoId }, { as: owner });
    const advance = (as: { id: string }, force = false) => call(advanceStage, { repoId, force }, { as });
    expect(await show()).toMatchObject({ stage: 'seed', next: 'growth', eligible: false });
    expect(await refusedWith(advance(ann))).toBe('not_allowed');
    await expect(advance(judge)).rejects.toMatchObject({
      code: 'gate_not_met',
      message: 'The stage growth asks for 2 contributors (has 0), 3 landed streams (has 0).',
    });
    await landed(ann, 'one', judge);
    await landed(ben, 'two', judge);
    const { merge } = await landed(ann, 'three', judge);
    expect((await show()).eligible).toBe(true);
    await story.revert(judge, merge);
    expect((await show()).requirements).toContainEqual({
      what: 'landed_streams',
      required: 3,
      current: 2,
      met: false,
    });
    await call(suspendAgent, { agent: 'judge' }, { as: owner });
    const maintainers = { what: 'maintainers', required: 1, current: 1, met: true };
    expect((await show()).requirements).toContainEqual(maintainers);
    await call(resumeAgent, { agent: 'judge' }, { as: owner });
    expect((await show()).requirements).toContainEqual({ ...maintainers, current: 2 });
    await landed(ben, 'four', judge);
    expect(await advance(judge)).toMatchObject({
      stage: 'growth',
      history: [
        { from: 'seed', to: 'growth', forced: false, metrics: { contributors: 2, landed_streams: 3 } },
      ],
    });
    expect(await refusedWith(advance(judge, true))).toBe('not_allowed');
    await advance(owner, true);
    const mature = await advance(owner, true);
    expect(mature.history.map(({ to, forced }) => [to, forced])).toEqual([
      ['mature', true],
      ['established', true],
      ['growth', false],
    ]);
    expect(await refusedWith(advance(owner, true))).toBe('wrong_state');
  });
});
