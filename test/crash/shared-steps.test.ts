import { expect, it } from 'vitest';
import { listPromotions } from '../../src/contract/stabilizations.ts';
import { drive } from '../support/driven.ts';
import { expectSound, recoverByCommands, remember } from '../support/invariants.ts';
import { startClones } from '../support/shared-clones.ts';

const SHARED = { DRIVE_SHARED: 'origin' };

it.each([
  ['merge.prepared', 'a landing that nobody pushed', {}],
  ['merge.shared', 'a landing that was pushed', {}],
  ['merge.moved', 'a landing that was pushed and moved', {}],
  ['merge.shared', 'a tested landing that was pushed', { stabilize: 'true' }],
])('at %s, %s, a process that dies leaves what the next commands finish', async (step, _what, options) => {
  const clones = await startClones({ agents: ['coder', 'bob', 'eve'], ...options });
  const { story, at } = clones;
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  const before = remember(story);
  const job = { op: 'merge', stream: work.id } as const;
  const { signal, answer, stderr } = await drive(story.dir, 'coder', job, {
    ...SHARED,
    GITSWARM_CRASH_AT: step,
  });
  expect({ signal, answer, stderr }).toEqual({ signal: 'SIGKILL', answer: undefined, stderr: '' });
  await recoverByCommands(story);
  await expectSound(story, before);
  expect(await story.show(work)).toMatchObject({ state: step === 'merge.prepared' ? 'queued' : 'merged' });
  if (step === 'merge.prepared') await story.merge('coder', work);
  await expectSound(story);
  expect(story.file('buffer', 'work.txt')).toBe('w\n');
  expect(at('buffer')).toBe(story.oid('buffer'));
});

it.each([
  ['promote.intended', false],
  ['promote.shared', true],
  ['promote.moved', true],
])('at %s a promotion that dies is recorded if the remote has it: %s', async (step, isPromoted) => {
  const clones = await startClones({ agents: ['coder', 'bob', 'eve'] });
  const { story, at } = clones;
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  await story.land(work, { author: 'coder', judge: 'Olga' });
  const before = remember(story);
  const env = { ...SHARED, GITSWARM_CRASH_AT: step };
  const { signal, stderr } = await drive(story.dir, 'Olga', { op: 'promote' }, env);
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
  await recoverByCommands(story);
  await expectSound(story, before);
  const { items } = await story.ask(listPromotions, { repoId: await story.repoId() });
  expect(items).toHaveLength(isPromoted ? 1 : 0);
  expect(await story.promote()).toMatchObject({ promoted: !isPromoted });
  expect([at('main'), story.oid('main')]).toEqual([story.oid('buffer'), story.oid('buffer')]);
});
