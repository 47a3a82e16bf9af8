import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assertSafePath, whyUnsafe } from './safe-path.ts';

const name = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/).filter((each) => !/^git~/i.test(each));
const safe = fc.array(name, { minLength: 1, maxLength: 6 });

it.each([
  'a',
  'a/b.c',
  '.github/x.yml',
  '.gitignore',
  '.gitmodules',
  'gitx',
  'a b/ü/猫.md',
  '...',
  'a/.git-keep',
  '%2e%2e/x',
])('takes %s', (path) => expect(whyUnsafe(path)).toBeUndefined());

it.each([
  ...[
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/../b',
    './a',
    'a/.',
    'C:/x',
    'c:x',
    '\\a',
    'a\\..\\b',
    '//host/x',
  ],
  ...[
    '.git',
    '.git/config',
    'a/.git/b',
    '.GIT/x',
    '.gIt',
    '.git.',
    '.git ',
    '.git. . ',
    'git~1',
    'GIT~1/x',
    'git~2',
  ],
  ...[
    '.g\u200cit/x',
    '.git\ufeff',
    '.git::$INDEX_ALLOCATION/x',
    '.git:x',
    '\uff0egit/x',
    'a\u0000b',
    'a\nb',
    'a\u007f',
    'a\u2028',
  ],
  ...['a'.repeat(256), 'a/'.repeat(3000).concat('a'), '\ud800'],
])('refuses %j', (path) => expect(() => assertSafePath(path)).toThrow(/no usable path/));

it('takes every path of ordinary names', () => {
  fc.assert(fc.property(safe, (names) => whyUnsafe(names.join('/')) === undefined));
});

it('refuses any path that holds a way out, wherever it stands', () => {
  const bad = fc.constantFrom(
    '..',
    '.',
    '',
    '.git',
    '.Git',
    'git~1',
    '.git.',
    '.g\u200dit',
    'a\\b',
    'x\u0000',
  );
  fc.assert(
    fc.property(
      safe,
      safe,
      bad,
      (before, after, way) => whyUnsafe([...before, way, ...after].join('/')) !== undefined,
    ),
  );
});

it('lets no text through that, split as any system splits, names a directory above or of git', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (path) => {
      if (whyUnsafe(path) !== undefined) return true;
      const names = path.split(/[/\\]/);
      return names.every(
        (each) => each !== '' && each !== '.' && each !== '..' && each.toLowerCase() !== '.git',
      );
    }),
  );
});
