import { expect, it } from 'vitest';
import { listMerges } from '../../src/contract/merges.ts';
import { claimTask, showTask } from '../../src/contract/tasks.ts';
import { refusal, startStory } from '../support/story.ts';

it('a guild reviews: claimed, worked on, approved, landed, tested, promoted, and the work tree stays as it was', async () => {
  const story = await startStory({
    mode: 'review',
    model: 'guild',
    stabilize: 'test -f cache.txt',
    agents: ['coder', 'ann', 'ben'],
    maintainers: ['ann', 'ben'],
  });
  const begin = story.oid('main');
  const task = await story.task('Add a cache', { priority: 'high' });
  await story.ask(claimTask, { task: task.handle }, 'coder');
  const work = await story.workspace('coder', { task: task.handle });
  const { commit, changeId, merged } = await story.commit(
    'coder',
    work,
    { 'cache.txt': 'cached\n' },
    'Add a cache',
  );
  expect({ merged, changeId }).toEqual({ merged: false, changeId: expect.stringMatching(/^I[0-9a-f]{40}$/) });
  expect(story.oid('buffer')).toBe(begin);

  expect(await refusal(story.merge('coder', work))).toMatchObject({ code: 'gate_not_met' });
  const asked = await story.submit('coder', work);
  expect(asked.stream.state).toBe('in_review');
  expect(await refusal(story.judge('coder', work))).toMatchObject({ code: 'not_allowed' });
  // One yes and one no is half, and the threshold is 0.66.
  expect((await story.judge('ben', work, 'request_changes')).consensus.reached).toBe(false);
  expect((await story.judge('ann', work)).consensus.reached).toBe(false);
  expect(await refusal(story.merge('coder', work))).toMatchObject({ code: 'gate_not_met' });
  expect((await story.judge('ben', work)).consensus).toMatchObject({ reached: true, approvals: 2 });

  const landed = await story.merge('coder', work);
  if (landed.kind !== 'merged') throw new Error(landed.kind);
  expect(landed.bufferBefore).toBe(begin);
  expect(story.oid('buffer')).toBe(landed.commit);
  expect(story.oid('buffer^1')).toBe(begin);
  expect(story.oid('buffer^2')).toBe(commit);
  expect(story.git.git('log', '-1', '--format=%an <%ae>', commit ?? '')).toBe(
    'coder <coder@agents.gitswarm.local>',
  );
  expect((await story.show(work)).state).toBe('merged');
  expect(await story.ask(showTask, { task: task.id })).toMatchObject({ status: 'completed' });
  expect(await refusal(story.merge('coder', work))).toMatchObject({ code: 'conflict' });
  expect(await refusal(story.commit('coder', work, { 'late.txt': 'late\n' }))).toMatchObject({
    code: 'wrong_state',
  });

  // Nobody's HEAD moved while all this went on, and main has nothing yet.
  expect({ main: story.oid('main'), head: story.git.git('symbolic-ref', 'HEAD') }).toEqual({
    main: begin,
    head: 'refs/heads/main',
  });
  expect(await story.stabilize()).toMatchObject({ result: 'green', commit: landed.commit });
  expect(await story.promote()).toMatchObject({ promoted: true, untested: false, toCommit: landed.commit });
  expect(story.oid('main')).toBe(landed.commit);
  // The person who sits on main has the files of main, and nothing that git would call a change.
  expect(story.file('main', 'cache.txt')).toBe('cached\n');
  expect(story.status()).toEqual(['?? .gitswarm/config.yml']);
  expect(await story.promote()).toMatchObject({ promoted: false });
  const { items } = await story.ask(listMerges, { repoId: await story.repoId() });
  expect(items.map(({ kind, state, commit: at }) => ({ kind, state, at }))).toEqual([
    { kind: 'stream', state: 'landed', at: landed.commit },
  ]);
});
