import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listPromotions } from '../../src/contract/stabilizations.ts';
import { listStreams } from '../../src/contract/streams.ts';
import { insertIntent, listIntents } from '../../src/machine/intents.ts';
import { listWorkspaces } from '../../src/machine/workspaces.ts';
import { drive } from '../support/driven.ts';
import { expectSound, recoverByCommands, remember } from '../support/invariants.ts';
import { type Story, startStory } from '../support/story.ts';

async function crash(story: Story, step: string): Promise<void> {
  const { signal } = await drive(story.dir, 'coder', { op: 'workspace' }, { GITSWARM_CRASH_AT: step });
  expect(signal).toBe('SIGKILL');
}

it.each(['workspace.registered', 'workspace.filled'])(
  'somebody who has begun to work in a workspace that died at %s keeps it',
  async (step) => {
    const story = await startStory();
    await crash(story, step);
    const path = join(story.dir, '.worktrees/coder');
    story.git.write({ 'a.txt': 'edited\n', 'mine.txt': 'new\n' }, path);
    await recoverByCommands(story);
    expect(story.status(path)).toEqual([' M a.txt', '?? mine.txt']);
    const [stream] = (await story.ask(listStreams, { repoId: await story.repoId() })).items;
    expect(stream).toMatchObject({ state: 'active' });
    expect(
      await story.run(null, async ({ machine }) => listWorkspaces(machine).map((each) => each.path)),
    ).toEqual([path]);
    await expectSound(story);
    await story.commit('coder', { id: stream?.id ?? '', path, branch: stream?.branch ?? '' }, {}, 'go on');
  },
);

it('what somebody else has put where a workspace was to be made is not touched', async () => {
  const story = await startStory();
  await crash(story, 'workspace.recorded');
  const path = join(story.dir, '.worktrees/coder');
  story.git.write({ 'mine.txt': 'not a worktree\n' }, path);
  await story.run('Olga', async () => undefined);
  expect(story.git.tryGit(path, 'hash-object', 'mine.txt').status).toBe(0);
  rmSync(path, { recursive: true });
  await recoverByCommands(story);
  await expectSound(story);
});

it('two creations by one agent that both died leave nothing, and a living one is not touched', async () => {
  const story = await startStory();
  await crash(story, 'workspace.filled');
  const alive = await story.workspace('coder');
  const before = remember(story);
  await crash(story, 'workspace.recorded');
  await recoverByCommands(story);
  await expectSound(story, before);
  await story.commit('coder', alive, { 'new.txt': 'n\n' });
});

it('the work of a process that is alive is left to it, however long it takes', async () => {
  const story = await startStory();
  const work = await story.stream('Olga', { 'new.txt': 'n\n' });
  await story.merge('Olga', work, { wait: false });
  await story.run('Olga', async (workflow) => {
    const intent = insertIntent(workflow.machine, {
      kind: 'create',
      data: { path: work.path },
      at: '2000-01-01T00:00:00.000Z',
    });
    await recoverByCommands(story);
    expect(listIntents(workflow.machine).map(({ id }) => id)).toEqual([intent]);
    expect(story.status(work.path)).toEqual([]);
  });
});

it('a promotion that died is recorded by one who may promote, and keeps nobody else from working', async () => {
  const story = await startStory({ agents: ['coder'] });
  await story.land(await story.stream('coder', { 'a.txt': 'new\n' }), { author: 'coder', judge: 'Olga' });
  const { signal } = await drive(
    story.dir,
    'Olga',
    { op: 'promote' },
    { GITSWARM_CRASH_AT: 'promote.moved' },
  );
  expect(signal).toBe('SIGKILL');
  const repoId = await story.run(null, async ({ repo }) => repo.id);
  // Each of them mends first what the other left, as every command does.
  const promotions = async (as: string) =>
    (await story.ask(listPromotions, { repoId }, as)).items.map(({ toCommit }) => toCommit);
  expect(await promotions('coder')).toEqual([]);
  expect(await promotions('Olga')).toEqual([story.oid('buffer')]);
  expect(story.oid('main')).toBe(story.oid('buffer'));
  await expectSound(story);
});
