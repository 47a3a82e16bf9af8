import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayWidth, pad, truncate } from './display-width.ts';
import { pairs, table } from './table.ts';

test.each([
  ['', 0],
  ['abc', 3],
  ['ü', 1],
  ['u\u0308', 1],
  ['日本', 4],
  ['한글', 4],
  ['ｆｕ', 4],
  ['👍', 2],
  ['👩‍💻', 2],
  ['🇩🇪', 2],
  ['❤️', 2],
  ['1️⃣', 2],
  ['…', 1],
  ['\u200b', 0],
  ['\u001b[31mred\u001b[39m', 3],
])('%j takes its columns', (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test.each([
  ['abcdef', 6, 'abcdef'],
  ['abcdef', 4, 'abc…'],
  ['日本語', 4, '日…'],
  ['日本語', 5, '日本…'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
  ['\u001b[31mabcdef\u001b[39m', 3, '\u001b[31mab…\u001b[0m'],
])('%j in %i columns is %j', (text, columns, expected) => {
  expect(truncate(text, columns)).toBe(expected);
});

test('whatever the text, it is cut to its columns and filled to them', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 30 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 20 }), (given, columns) => {
      const cut = truncate(given, columns);
      expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
      expect(displayWidth(pad(cut, columns))).toBe(columns);
    }),
  );
});

interface Row {
  name: string;
  karma: number;
  title: string;
}
const columns = [
  { title: 'NAME', value: (row: Row) => row.name },
  { title: 'KARMA', value: (row: Row) => String(row.karma), align: 'right' as const },
  { title: 'TITLE', value: (row: Row) => row.title, canShrink: true },
];

test('columns stand under each other, whatever the script', () => {
  const rows = [
    { name: 'coder', karma: 5, title: 'Fix it' },
    { name: '日本', karma: 12345678, title: '👍 done' },
  ];
  expect(table(rows, columns).split('\n')).toEqual([
    'NAME      KARMA  TITLE',
    'coder         5  Fix it',
    '日本   12345678  👍 done',
  ]);
});

test('a column that can shrink does so for a narrow terminal', () => {
  const rows = [{ name: 'coder', karma: 5, title: 'A title that is far too long' }];
  const lines = table(rows, columns, { width: 30 }).split('\n');
  expect(lines[1]).toBe('coder      5  A title that is…');
  const narrow = table(rows, columns, { width: 5 }).split('\n');
  expect(narrow[1]).toBe('coder      5  A title…');
});

test('a cell is one plain line, and its colour does not move the others', () => {
  const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
  const rows = [{ name: 'a\nb\u001b[2J', karma: 1, title: 'x' }];
  const coloured = table(rows, [
    { ...columns[0], title: 'NAME', value: (row: Row) => row.name, style: red },
    { title: 'T', value: () => 'x' },
  ]);
  expect(coloured.split('\n')[1]).toBe('\u001b[31ma b\u001b[39m   x');
});

test('a table without rows is its titles', () => {
  expect(table([], columns)).toBe('NAME  KARMA  TITLE');
});

test('pairs leave out what has no value', () => {
  expect(
    pairs([
      ['a', '1'],
      ['long', undefined],
      ['bc', '2'],
    ]),
  ).toBe('a   1\nbc  2');
});
