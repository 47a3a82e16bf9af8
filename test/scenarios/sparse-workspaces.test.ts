import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commitStream } from '../../src/workflows/commit-stream.ts';
import { destroyWorkspace, restoreWorkspace } from '../../src/workflows/destroy-workspace.ts';
import { abortResolution, continueResolution, resolveStream } from '../../src/workflows/resolve-stream.ts';
import { syncStream } from '../../src/workflows/sync-worktree.ts';
import { uninit } from '../../src/workflows/uninit.ts';
import { type Story, startStory, type Work } from '../support/story.ts';

const FILES = { 'top.txt': 't\n', 'app/a.txt': 'a\n', 'lib/b.txt': 'b\n', 'docs/deep/c.md': 'c\n' };

async function sparseStory(): Promise<Story> {
  const story = await startStory({ files: FILES, model: 'solo' });
  await story.set('workspace.sparse', 'true');
  return story;
}

function held(work: Work): string[] {
  return Object.keys(FILES).filter((file) => existsSync(join(work.path, file)));
}

it('a workspace of a task that names its paths holds these directories, and work anywhere is committed and lands', async () => {
  const story = await sparseStory();
  const { id } = await story.task('only the app', { paths: ['app/a.txt', 'app/new/**'] });
  const work = await story.workspace('coder', { task: id });
  expect(held(work)).toEqual(['top.txt', 'app/a.txt']);
  expect(story.status(work.path)).toEqual([]);

  await story.commit('coder', work, { 'app/a.txt': 'A\n', 'lib/new.txt': 'n\n', 'docs/deep/c.md': 'C\n' });
  const changed = story.git.gitIn(work.path, 'diff', '--name-status', 'HEAD~1', 'HEAD');
  expect(changed.split('\n')).toEqual(['M\tapp/a.txt', 'M\tdocs/deep/c.md', 'A\tlib/new.txt']);
  expect(story.status(work.path)).toEqual([]);
  story.git.write({ 'lib/b.txt': 'B\n', 'docs/deep/c.md': 'left\n' }, work.path);
  await story.run('coder', (workflow) =>
    commitStream(workflow, { stream: work.id, message: 'one of them', paths: ['docs/deep/c.md'] }),
  );
  expect(story.git.gitIn(work.path, 'show', '--format=', '--name-only', 'HEAD')).toBe('docs/deep/c.md');
  expect(story.status(work.path)).toEqual([' M lib/b.txt']);
  expect((await story.land(work, { author: 'coder', judge: 'Olga' })).kind).toBe('merged');
  expect(story.file('buffer', 'lib/b.txt')).toBe('b\n');
  expect(story.file('buffer', 'docs/deep/c.md')).toBe('left\n');

  // Work whose paths nobody knows gets everything, and so does everybody else's checkout.
  expect(held(await story.workspace('bob'))).toEqual(Object.keys(FILES));
  expect(held({ ...work, path: story.dir })).toEqual(Object.keys(FILES));
  expect(story.status().filter((line) => !line.endsWith('.gitswarm/config.yml'))).toEqual([]);
});

it('what is not committed outlives the workspace, wherever it was written', async () => {
  const story = await sparseStory();
  const work = await story.workspace('coder', { paths: ['app'] });
  const edits = { 'app/a.txt': 'A\n', 'lib/b.txt': 'B\n', 'other/n.txt': 'n\n' };
  story.git.write(edits, work.path);
  const before = story.status(work.path);
  await story.run('coder', (workflow) => destroyWorkspace(workflow, work.id, { force: true }));
  expect(existsSync(work.path)).toBe(false);
  const back = await story.run('coder', (workflow) => restoreWorkspace(workflow, work.id));
  expect(story.status(back.path)).toEqual(before);
  for (const [file, text] of Object.entries(edits))
    expect(readFileSync(join(back.path, file), 'utf8')).toBe(text);
});

it('a sparse workspace follows its buffer, and a conflict is resolved in it with all files at hand', async () => {
  const story = await sparseStory();
  const other = await story.stream('bob', { 'lib/b.txt': 'bob\n', 'app/x.txt': 'x\n' });
  const work = await story.workspace('coder', { paths: ['app'] });
  await story.land(other, { author: 'bob', judge: 'Olga' });
  await story.run('coder', (workflow) => syncStream(workflow, work.id, { onto: 'buffer' }));
  expect(held(work)).toEqual(['top.txt', 'app/a.txt']);
  expect(existsSync(join(work.path, 'app/x.txt'))).toBe(true);
  expect(story.status(work.path)).toEqual([]);

  await story.commit('coder', work, { 'lib/b.txt': 'coder\n' });
  const third = await story.stream('bob', { 'lib/b.txt': 'third\n', 'docs/deep/c.md': 'third\n' });
  await story.land(third, { author: 'bob', judge: 'Olga' });
  expect((await story.land(work, { author: 'coder', judge: 'Olga' })).kind).toBe('conflict');
  story.git.write({ 'app/a.txt': 'edited\n', 'docs/deep/mine.md': 'm\n' }, work.path);
  const before = story.status(work.path);
  await story.run('coder', (workflow) => resolveStream(workflow, { stream: work.id }));
  await story.run('coder', (workflow) => abortResolution(workflow, work.id));
  expect(story.status(work.path)).toEqual(before);

  await story.run('coder', (workflow) => resolveStream(workflow, { stream: work.id }));
  story.git.write({ 'lib/b.txt': 'both\n' }, work.path);
  story.git.gitIn(work.path, 'add', 'lib/b.txt');
  expect(await story.run('coder', (workflow) => continueResolution(workflow, work.id))).toMatchObject({
    setAside: 'restored',
  });
  expect(story.status(work.path)).toEqual(before);
  await story.land(work, { author: 'coder', judge: 'Olga' });
  expect(story.file('buffer', 'lib/b.txt')).toBe('both\n');
  expect(story.file('buffer', 'docs/deep/c.md')).toBe('third\n');
});

it('uninit leaves the settings of git as they were before the first sparse workspace', async () => {
  const story = await startStory({ files: FILES, model: 'solo' });
  const config = () => readFileSync(join(story.dir, '.git/config'), 'utf8').replace(/\s+/g, ' ');
  const before = config();
  await story.set('workspace.sparse', 'true');
  await story.workspace('coder', { paths: ['app'] });
  expect(config()).not.toBe(before);
  await story.run('Olga', (workflow) => uninit(workflow, { force: false }));
  expect(config()).toBe(before);
});
