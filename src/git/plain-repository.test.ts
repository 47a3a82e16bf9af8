import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type GitFixture, gitFixture } from '../../test/support/git-fixture.ts';
import { findPlainRepository } from './plain-repository.ts';

/** Each makes a place out of a fresh repository with one commit and says where to stand in it. */
const places: Record<string, (fixture: GitFixture) => string> = {
  'the top': ({ dir }) => dir,
  'a directory inside': ({ dir }) => join(dir, 'a'),
  'inside the git directory': ({ dir }) => join(dir, '.git', 'refs'),
  'a linked worktree': (fixture) => {
    fixture.git('worktree', 'add', '--quiet', '-b', 'other', join(fixture.top, 'linked'));
    return join(fixture.top, 'linked', 'a');
  },
  'a symbolic link to it': ({ dir, top }) => {
    symlinkSync(dir, join(top, 'link'));
    return join(top, 'link');
  },
  'a git directory that is a link': ({ dir, top }) => {
    renameSync(join(dir, '.git'), join(top, 'elsewhere'));
    symlinkSync(join(top, 'elsewhere'), join(dir, '.git'));
    return dir;
  },
  'a worktree set in the configuration': (fixture) => {
    mkdirSync(join(fixture.top, 'work'));
    fixture.git('config', 'core.worktree', join(fixture.top, 'work'));
    return join(fixture.dir, '.git');
  },
  'an included configuration': (fixture) => {
    writeFileSync(join(fixture.top, 'more'), '[core]\n\tworktree = /\n');
    appendFileSync(join(fixture.dir, '.git', 'config'), `[include]\n\tpath = ${join(fixture.top, 'more')}\n`);
    return fixture.dir;
  },
  'configurations of single worktrees': (fixture) => {
    fixture.git('config', 'extensions.worktreeConfig', 'true');
    return fixture.dir;
  },
  'a repository inside another': (fixture) => {
    fixture.git('init', '--quiet', 'a/inner');
    return join(fixture.dir, 'a', 'inner');
  },
  'a folder that only looks like one': (fixture) => {
    mkdirSync(join(fixture.dir, 'a', '.git'), { recursive: true });
    return join(fixture.dir, 'a');
  },
  'a detached head': (fixture) => {
    fixture.git('checkout', '--quiet', '--detach');
    return fixture.dir;
  },
  'a name with blanks and umlauts': (fixture) => {
    mkdirSync(join(fixture.dir, 'ä b'));
    return join(fixture.dir, 'ä b');
  },
};

test.each(Object.entries(places))('%s: what is answered is what git answers', (_name, make) => {
  const fixture = gitFixture();
  fixture.commit('first', { 'a/b.txt': 'b' });
  const dir = make(fixture);
  const plain = findPlainRepository(dir, {});
  if (!plain) return;
  const ask = (question: string) =>
    fixture.git('-C', dir, 'rev-parse', '--path-format=absolute', question).trim();
  expect(plain).toEqual({
    commonDir: ask('--git-common-dir'),
    gitDir: ask('--git-dir'),
    worktreeDir: ask('--show-toplevel'),
    root: fixture.git('-C', dir, 'worktree', 'list', '--porcelain').split('\n')[0]?.slice('worktree '.length),
  });
});

const ordinary = [
  'the top',
  'a directory inside',
  'a linked worktree',
  'a symbolic link to it',
  'a detached head',
];

test.each(ordinary)('%s: git need not be asked', (name) => {
  const fixture = gitFixture();
  fixture.commit('first', { 'a/b.txt': 'b' });
  expect(findPlainRepository(places[name]?.(fixture) ?? '', {})).toBeDefined();
});

const unusual = [
  ...['inside the git directory', 'a git directory that is a link', 'an included configuration'],
  ...['a worktree set in the configuration', 'configurations of single worktrees'],
  'a folder that only looks like one',
];

test.each(unusual)('%s: git is asked', (name) => {
  const fixture = gitFixture();
  fixture.commit('first', { 'a/b.txt': 'b' });
  expect(findPlainRepository(places[name]?.(fixture) ?? '', {})).toBeUndefined();
});

test('shallow, bare and SHA-256 repositories, and an environment that changes the search, are for git', () => {
  const fixture = gitFixture();
  fixture.commit('first', { a: '1' });
  fixture.commit('second', { a: '2' });
  const inTop = (...args: string[]) => fixture.git('-C', fixture.top, ...args);
  inTop('clone', '--quiet', '--depth', '1', `file://${fixture.dir}`, 'shallow');
  inTop('clone', '--quiet', '--bare', fixture.dir, 'bare');
  inTop('init', '--quiet', '--object-format=sha256', 'sha256');
  for (const name of ['shallow', 'bare', 'sha256'])
    expect(findPlainRepository(join(fixture.top, name), {})).toBeUndefined();
  expect(findPlainRepository(fixture.dir, { GIT_CEILING_DIRECTORIES: '/' })).toBeUndefined();
});
