import { expect, it } from 'vitest';
import { parseDiff } from './diff.ts';

it('reads files, lines and their numbers, and takes what looks like a header for text where it is text', () => {
  const [file, second, ...more] = parseDiff(
    [
      'diff --git a/a.txt b/a.txt',
      'index 1..2 100644',
      '--- a/a.txt',
      '+++ b/a.txt',
      '@@ -3,3 +3,4 @@ function f() {',
      ' diff --git a/x b/x',
      '--- a/not-a-header',
      '+++ b/not-a-header',
      '+@@ -1 +1 @@',
      ' end',
      '\\ No newline at end of file',
      'diff --git "a/\\303\\244.bin" "b/\\303\\244.bin"',
      'Binary files /dev/null and b/x differ',
      '',
    ].join('\n'),
  );
  expect(file).toMatchObject({ path: 'a.txt', insertions: 2, deletions: 1, isBinary: false });
  expect(file?.lines.map(({ kind, text, before, after }) => [kind, text, before, after])).toEqual([
    ['note', 'function f() {', undefined, undefined],
    ['same', 'diff --git a/x b/x', 3, 3],
    ['removed', '-- a/not-a-header', 4, undefined],
    ['added', '++ b/not-a-header', undefined, 4],
    ['added', '@@ -1 +1 @@', undefined, 5],
    ['same', 'end', 5, 6],
  ]);
  expect(second).toMatchObject({ isBinary: true, lines: [] });
  expect(more).toEqual([]);
  expect(parseDiff('')).toEqual([]);
});
