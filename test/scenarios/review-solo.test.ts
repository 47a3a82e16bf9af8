import { expect, it } from 'vitest';
import { claimTask, showTask } from '../../src/contract/tasks.ts';
import { judgeStream } from '../../src/workflows/review-stream.ts';
import { refusal, startStory } from '../support/story.ts';

it('straight after init the owner lands own work alone, and what others made needs the owner', async () => {
  const story = await startStory();
  const own = await story.workspace('Olga');
  await story.commit('Olga', own, { 'own.txt': 'mine\n' });
  expect((await story.merge('Olga', own)).kind).toBe('merged');
  expect(story.file('buffer', 'own.txt')).toBe('mine\n');
  // People sign with their own git identity.
  expect(story.git.git('log', '-1', '--format=%an <%ae>', 'buffer^2')).toBe('Olga <olga@example.org>');

  const task = await story.task('Write the docs');
  await story.ask(claimTask, { task: task.id }, 'coder');
  const others = await story.workspace('coder', { task: task.id });
  await story.commit('coder', others, { 'docs.txt': 'docs\n' });
  await story.submit('coder', others);
  expect(await refusal(story.merge('coder', others))).toMatchObject({ code: 'gate_not_met' });
  // A verdict of somebody who does not decide here is heard and changes nothing.
  expect((await story.judge('bob', others)).consensus.reached).toBe(false);
  expect(await refusal(story.merge('Olga', others))).toMatchObject({ code: 'gate_not_met' });
  expect((await story.judge('Olga', others)).consensus.reached).toBe(true);
  expect((await story.merge('coder', others)).kind).toBe('merged');
  expect(await story.ask(showTask, { task: task.id })).toMatchObject({ status: 'completed' });

  // Nothing tests the buffer here, and the promotion says so.
  expect(await story.promote()).toMatchObject({ promoted: true, untested: true });
  expect(story.oid('main')).toBe(story.oid('buffer'));
  expect(story.status()).toEqual(['?? .gitswarm/config.yml']);
});

it('an approval holds for what was seen: a new commit asks again, and a stale verdict is refused', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'a.txt': 'one\ntwo\nthree\nfour\n' });
  const seen = story.oid(work.branch);
  await story.submit('coder', work);
  expect((await story.judge('Olga', work)).consensus.reached).toBe(true);
  expect((await story.commit('coder', work, { 'b.txt': 'more\n' })).stream.state).toBe('in_review');
  expect(await refusal(story.merge('coder', work))).toMatchObject({ code: 'gate_not_met' });
  const late = story.run('Olga', (workflow) =>
    judgeStream(workflow, { stream: work.id, verdict: 'approve', head: seen }),
  );
  expect(await refusal(late)).toMatchObject({ code: 'stale' });
  await story.judge('Olga', work);
  expect((await story.merge('coder', work)).kind).toBe('merged');
});
