import { expect, it } from 'vitest';
import type { ErrorCode } from '../../src/contract/errors.ts';
import { listEvents } from '../../src/contract/events.ts';
import { beginPlugin, finishPlugin, listPluginExecutions } from '../../src/contract/plugins.ts';
import { listStreams } from '../../src/contract/streams.ts';
import { tick } from '../../src/workflows/tick.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';
import { type Story, startStory } from '../support/story.ts';

async function executions(story: Story) {
  const { items } = await story.ask(listPluginExecutions, { repoId: await story.repoId() });
  return items.map(({ plugin, status, result }) => ({ plugin, status, result }));
}

it('promotion on green is an execution with its result, in the log, and switched by the settings', async () => {
  const story = await startStory({ stabilize: 'test -f a.txt' });
  await story.set('auto_promote_on_green', 'true');
  await story.set('plugins_enabled', 'false');
  const first = await story.stream('Olga', { 'one.txt': '1\n' });
  await story.merge('Olga', first);
  expect(await story.stabilize()).toMatchObject({ result: 'green', promoted: false });
  await story.set('plugins_enabled', 'true');
  expect(await story.stabilize()).toMatchObject({ result: 'green', promoted: true });
  expect(story.oid('main')).toBe(story.oid('buffer'));
  expect(await executions(story)).toMatchObject([
    {
      plugin: 'promote_buffer_to_main',
      status: 'succeeded',
      result: { promoted: true, toCommit: story.oid('main') },
    },
    { plugin: 'promote_buffer_to_main', status: 'skipped', result: { reason: 'plugins_enabled is off' } },
  ]);
  const { items } = await story.ask(listEvents, { repoId: await story.repoId(), type: 'plugin.*' });
  expect(items.map(({ data }) => data.status)).toEqual(['succeeded', 'skipped']);
});

it('a red landing is reverted by a plugin; with plugins off the queue is frozen instead', async () => {
  const story = await startStory({ stabilize: 'test ! -f bad.txt', mode: 'swarm' });
  const break_ = async () => {
    const work = await story.workspace('coder');
    return story.commit('coder', work, { 'bad.txt': 'bad\n' });
  };
  await break_();
  expect(await story.stabilize()).toMatchObject({ result: 'red', frozen: false });
  expect(await executions(story)).toMatchObject([{ plugin: 'auto_revert_on_red', status: 'succeeded' }]);
  await story.set('plugins_enabled', 'false');
  await break_();
  expect(await story.stabilize()).toMatchObject({ result: 'red', reverted: null, frozen: true });
  expect((await executions(story))[0]).toMatchObject({ plugin: 'auto_revert_on_red', status: 'skipped' });
});

it('tick abandons what nobody works on any more, and keeps the work', async () => {
  const story = await startStory();
  await story.set('stale_stream_timeout', '14d');
  const stale = await story.stream('coder', { 'old.txt': 'old\n' });
  const live = await story.stream('coder', { 'live.txt': 'live\n' });
  story.git.write({ 'note.txt': 'not committed\n' }, stale.path);
  const later = (workflow: Workflow, days: number): Workflow => ({
    ...workflow,
    clock: { now: () => workflow.clock.now() + days * 86_400_000 },
  });
  await story.submit('coder', live);
  expect((await story.run('Olga', (workflow) => tick(later(workflow, 13)))).abandoned).toEqual([]);
  const { abandoned } = await story.run('Olga', (workflow) => tick(later(workflow, 15)));
  const { items } = await story.ask(listStreams, { repoId: await story.repoId() });
  expect(items.map(({ id, state }) => [id, state])).toEqual([
    [stale.id, 'abandoned'],
    [live.id, 'in_review'],
  ]);
  expect(abandoned).toEqual([items[0]?.handle]);
  expect(story.file(stale.branch, 'old.txt')).toBe('old\n');
  expect(story.status(stale.path)).toEqual(['?? note.txt']);
});

it('what was skipped while plugins were off, or failed of what passes, is done when it can be', async () => {
  const story = await startStory();
  await story.set('stale_stream_timeout', '14d');
  const stale = await story.stream('coder', { 'old.txt': 'old\n' });
  const cleanUp = () =>
    story.run('Olga', (workflow) =>
      tick({ ...workflow, clock: { now: () => workflow.clock.now() + 15 * 86_400_000 } }),
    );
  await story.set('plugins_enabled', 'false');
  expect((await cleanUp()).abandoned).toEqual([]);
  expect((await cleanUp()).abandoned).toEqual([]);
  expect(await executions(story)).toMatchObject([{ status: 'skipped' }]);
  await story.set('plugins_enabled', 'true');
  expect((await cleanUp()).abandoned).toHaveLength(1);
  expect(await executions(story)).toMatchObject([{ plugin: 'stale_stream_cleanup', status: 'succeeded' }]);

  const repoId = await story.repoId();
  const attempt = (code: ErrorCode) =>
    story.run('Olga', async ({ authority }) => {
      const trigger = `${stale.id} ${code}`;
      const wish = { repoId, plugin: 'stale_stream_cleanup' as const, trigger };
      const { execution, proceed } = await authority.call(beginPlugin, wish);
      const failed = { repoId, execution: execution.id, status: 'failed' as const, result: { code } };
      if (proceed) await authority.call(finishPlugin, failed);
      return proceed;
    });
  expect([await attempt('busy'), await attempt('busy')]).toEqual([true, true]);
  expect([await attempt('not_allowed'), await attempt('not_allowed')]).toEqual([true, false]);
  expect(await executions(story)).toHaveLength(3);
});
