import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listPromotions } from '../../src/contract/stabilizations.ts';
import { refusal, type Story, startStory } from '../support/story.ts';

/** A buffer that is ahead of main by a changed, a new and a deleted file. */
async function ahead(): Promise<Story> {
  const story = await startStory({
    files: { 'a.txt': 'one\n', 'b.txt': 'b\n', 'old.txt': 'old\n', 'other.txt': 'o\n' },
  });
  const work = await story.stream('Olga', { 'a.txt': 'two\n', 'new/file.txt': 'n\n', 'old.txt': undefined });
  await story.merge('Olga', work);
  return story;
}

/** Nothing of the repository or the checkout has changed. */
async function expectUntouched(story: Story, act: () => Promise<unknown>, code: string): Promise<void> {
  const before = [
    story.oid('main'),
    story.status(),
    story.git.git('diff'),
    story.git.git('ls-files', '--stage'),
  ];
  const error = await refusal(act());
  expect(error).toMatchObject({ code, fix: expect.any(String) });
  expect([
    story.oid('main'),
    story.status(),
    story.git.git('diff'),
    story.git.git('ls-files', '--stage'),
  ]).toEqual(before);
  expect((await story.ask(listPromotions, { repoId: await story.repoId() })).items).toEqual([]);
}

it('a clean checkout of the target moves with it, files and index included', async () => {
  const story = await ahead();
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.oid('main')).toBe(story.oid('buffer'));
  expect(story.status()).toEqual(['?? .gitswarm/config.yml']);
  expect(story.git.git('ls-files')).toBe('a.txt\nb.txt\nnew/file.txt\nother.txt');
});

it('edits elsewhere stay as they are, staged or not, and the rest moves', async () => {
  const story = await ahead();
  story.git.write({ 'b.txt': 'edited\n', 'other.txt': 'staged\n', 'untracked.txt': 'u\n' });
  story.git.git('add', 'other.txt');
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.status()).toEqual([' M b.txt', 'M  other.txt', '?? .gitswarm/config.yml', '?? untracked.txt']);
  expect(story.file('main', 'a.txt')).toBe('two\n');
  expect(story.git.git('show', ':other.txt')).toBe('staged');
});

it('an edit in the way refuses the promotion and changes nothing', async () => {
  const story = await ahead();
  story.git.write({ 'a.txt': 'my own\n' });
  await expectUntouched(story, () => story.promote(), 'target_checked_out');
  story.git.git('add', 'a.txt');
  await expectUntouched(story, () => story.promote(), 'target_checked_out');
});

it('an untracked file in the way refuses the promotion and is not overwritten', async () => {
  const story = await ahead();
  story.git.write({ 'new/file.txt': 'mine\n' });
  await expectUntouched(story, () => story.promote(), 'target_checked_out');
});

it('a merge or a rebase in progress refuses the promotion', async () => {
  const story = await ahead();
  story.git.git('branch', 'side');
  story.git.git('worktree', 'add', '--quiet', join(story.git.top, 'side'), 'side');
  story.git.commit('side', { 'b.txt': 'side\n' }, join(story.git.top, 'side'));
  story.git.git('merge', '--no-commit', '--no-ff', 'side');
  await expectUntouched(story, () => story.promote(), 'target_checked_out');
  story.git.git('merge', '--abort');
  expect(await story.promote()).toMatchObject({ promoted: true });
});

it('the target in a linked worktree moves there, and the first checkout on another branch stays', async () => {
  const story = await ahead();
  const linked = join(story.git.top, 'linked');
  story.git.git('switch', '--quiet', '-c', 'elsewhere');
  story.git.git('worktree', 'add', '--quiet', linked, 'main');
  const here = story.oid('elsewhere');
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.git.oid('HEAD', linked)).toBe(story.oid('buffer'));
  expect(story.status(linked)).toEqual([]);
  expect([story.oid('HEAD'), story.status()]).toEqual([here, ['?? .gitswarm/config.yml']]);
});

it('a target that nobody has checked out moves without touching any file', async () => {
  const story = await ahead();
  story.git.git('switch', '--quiet', '-c', 'elsewhere');
  story.git.write({ 'a.txt': 'edited\n' });
  expect(await story.promote()).toMatchObject({ promoted: true });
  expect(story.status()).toEqual([' M a.txt', '?? .gitswarm/config.yml']);
});

it('a person who sits on the buffer sees landings arrive, and an edit in the way stops the landing only', async () => {
  const story = await startStory();
  const seat = join(story.git.top, 'seat of the buffer');
  story.git.git('worktree', 'add', '--quiet', seat, 'buffer');
  await story.merge('Olga', await story.stream('Olga', { 'first.txt': '1\n' }));
  expect(story.status(seat)).toEqual([]);
  expect(story.git.oid('HEAD', seat)).toBe(story.oid('buffer'));
  story.git.write({ 'a.txt': 'by hand\n' }, seat);
  const blocked = await story.stream('Olga', { 'a.txt': 'by a stream\n' });
  const tip = story.oid('buffer');
  expect(await refusal(story.merge('Olga', blocked))).toMatchObject({ code: 'target_checked_out' });
  expect([story.oid('buffer'), story.status(seat)]).toEqual([tip, [' M a.txt']]);
  await story.merge('Olga', await story.stream('Olga', { 'second.txt': '2\n' }));
  expect(story.status(seat)).toEqual([' M a.txt']);
  story.git.gitIn(seat, 'checkout', '--', 'a.txt');
  expect((await story.merge('Olga', blocked)).kind).toBe('merged');
  expect(story.status(seat)).toEqual([]);
});
