import { expect, it } from 'vitest';
import { exitCodeOf } from '../../src/contract/errors.ts';
import { checkConsensus } from '../../src/contract/reviews.ts';
import { listStreamCommits } from '../../src/contract/streams.ts';
import { changeIdOf } from '../../src/git/change-id.ts';
import { reportStatus } from '../../src/workflows/status-report.ts';
import { refusal, type Story, startStory, type Work } from '../support/story.ts';

function changeIds(story: Story, work: Work): (string | undefined)[] {
  return story.git
    .git('rev-list', '--reverse', `buffer..${work.branch}`)
    .split('\n')
    .map((commit) => changeIdOf(story.git.git('log', '-1', '--format=%B', commit)));
}

it('commits made with plain git are taken in, each with a Change-Id of its own, by the author who made them', async () => {
  const story = await startStory();
  const work = await story.workspace('coder');
  story.git.commit('by hand', { 'one.txt': '1\n' }, work.path);
  story.git.commit('by hand again', { 'two.txt': '2\n' }, work.path);
  story.git.write({ 'three.txt': '3\n' }, work.path);
  await story.run('Olga', (workflow) => reportStatus(workflow));
  const ids = changeIds(story, work);
  expect(ids).toEqual([expect.stringMatching(/^I/), expect.stringMatching(/^I/)]);
  expect(new Set(ids).size).toBe(2);
  expect(story.git.git('log', '-1', '--format=%an', work.branch)).toBe('Ada');
  expect(story.status(work.path)).toEqual(['?? three.txt']);
  expect(await story.show(work)).toMatchObject({ head: story.oid(work.branch), commitCount: 2 });
  // And a later commit of ours leaves them as they are.
  await story.commit('coder', work, {}, 'the third');
  expect(changeIds(story, work).slice(0, 2)).toEqual(ids);
  expect((await story.ask(listStreamCommits, { stream: work.id })).items).toHaveLength(3);
});

it('an amended message keeps the approval, an amended change loses it', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'a.txt': 'changed\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  const old = story.oid(work.branch);
  const reached = async () => {
    await story.run('Olga', (workflow) => reportStatus(workflow));
    return (await story.ask(checkConsensus, { stream: work.id })).reached;
  };
  story.git.gitIn(
    work.path,
    'commit',
    '--quiet',
    '--amend',
    '-m',
    'Said better\n\nChange-Id: I1234567890123456789012345678901234567890',
  );
  expect(await reached()).toBe(true);
  story.git.write({ 'a.txt': 'changed otherwise\n' }, work.path);
  story.git.gitIn(work.path, 'commit', '--quiet', '--all', '--amend', '--no-edit');
  expect(await reached()).toBe(false);
  expect((await story.show(work)).state).toBe('in_review');
  // What the amendment left behind is still there.
  expect(story.git.git('for-each-ref', '--format=%(objectname)', `refs/gitswarm/kept/${work.id}`)).toContain(
    old,
  );
});

it('a rebase by hand onto the moved buffer keeps approvals and Change-Ids', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  const ids = changeIds(story, work);
  await story.merge('Olga', await story.stream('Olga', { 'other.txt': 'o\n' }));
  story.git.gitIn(work.path, 'rebase', '--quiet', 'buffer');
  expect((await story.merge('coder', work)).kind).toBe('merged');
  expect(story.git.git('rev-parse', `${work.branch}~1`)).toBe(story.oid('buffer^1'));
  expect(ids).toEqual([changeIdOf(story.git.git('log', '-1', '--format=%B', work.branch))]);
});

it('a landing takes exactly what was approved: a commit made with plain git afterwards asks the gate again', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'good.txt': 'g\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  story.git.commit('sneaked in', { 'sly.txt': 's\n' }, work.path);
  expect(await refusal(story.merge('coder', work))).toMatchObject({ code: 'gate_not_met' });
  expect(story.file('buffer', 'sly.txt')).toBeUndefined();
});

it('another branch or a detached HEAD in a workspace is refused with the command that returns', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  const head = story.oid(work.branch);
  for (const args of [
    ['--quiet', '-c', 'strayed'],
    ['--quiet', '--detach'],
  ]) {
    story.git.gitIn(work.path, 'switch', ...args);
    story.git.write({ 'more.txt': 'm\n' }, work.path);
    const error = await refusal(story.commit('coder', work, {}, 'more'));
    expect(error).toMatchObject({ code: 'wrong_branch', fix: `git -C ${work.path} switch ${work.branch}` });
    expect(exitCodeOf(error.code)).toBe(5);
    expect(story.oid(work.branch)).toBe(head);
    expect(story.status(work.path)).toEqual(['?? more.txt']);
    story.git.gitIn(work.path, 'switch', '--quiet', work.branch);
  }
  await story.commit('coder', work, {}, 'more');
  expect(story.file(work.branch, 'more.txt')).toBe('m\n');
});

it('a rebase that is going on is left alone until it has ended', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'a.txt': 'stream\n' });
  await story.merge('Olga', await story.stream('Olga', { 'a.txt': 'buffer\n' }));
  const head = story.oid(work.branch);
  expect(story.git.tryGit(work.path, 'rebase', 'buffer').status).not.toBe(0);
  await story.run('Olga', (workflow) => reportStatus(workflow));
  expect(await story.show(work)).toMatchObject({ head });
  expect(await refusal(story.commit('coder', work, {}, 'half'))).toMatchObject({
    code: expect.stringMatching(/wrong_branch|wrong_state/),
  });
  story.git.gitIn(work.path, 'rebase', '--abort');
  expect(story.oid(work.branch)).toBe(head);
});

it('a merge of the buffer made by hand is a commit like any other, and lands', async () => {
  const story = await startStory();
  const work = await story.stream('coder', { 'work.txt': 'w\n' });
  await story.merge('Olga', await story.stream('Olga', { 'other.txt': 'o\n' }));
  story.git.gitIn(work.path, 'merge', '--quiet', '--no-edit', 'buffer');
  await story.land(work, { author: 'coder', judge: 'Olga' });
  expect([story.file('buffer', 'work.txt'), story.file('buffer', 'other.txt')]).toEqual(['w\n', 'o\n']);
});

it('only its author commits on a stream, whoever stands in the worktree', async () => {
  const story = await startStory();
  const work = await story.workspace('coder');
  const error = await refusal(story.commit('bob', work, { 'bob.txt': 'b\n' }));
  expect([error.code, exitCodeOf(error.code)]).toEqual(['not_allowed', 4]);
  expect(story.status(work.path)).toEqual(['?? bob.txt']);
});
