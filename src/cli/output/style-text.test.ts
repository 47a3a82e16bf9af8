import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plain, plainLine } from '../../base/plain-text.ts';
import { createStyle, onlyColours, wantsColor } from './style-text.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these must not get through
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test.each([
  ['a\u001b[31mb\u001b[0m', 'ab'],
  ['\u001b]8;;http://evil\u0007link\u001b]8;;\u0007', 'link'],
  ['\u009b2Jx', 'x'],
  ['over\rwritten', 'over\nwritten'],
  ['a\r\nb\tc', 'a\nb\tc'],
  ['bell\u0007back\b\u007f', 'bellback'],
  ['abc\u202ecba', 'abccba'],
  ['\ud800', '\ufffd'],
  ['日本 👩‍💻 ü', '日本 👩‍💻 ü'],
])('%j is shown as %j', (text, shown) => {
  expect(plain(text)).toBe(shown);
});

test('a name is one line', () => {
  expect(plainLine('  two\nlines\u2028and\ttabs ')).toBe('two linesand tabs');
});

test('nothing that steers a terminal gets through, however it is put together', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '\u001b',
      '[',
      ']',
      '0;',
      'm',
      '\u009b',
      '\u0007',
      '\u001b\\',
      '\u001bP',
      '31',
      '2J',
      '\r',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      expect(plain(pieces.join(''))).not.toMatch(STEERS);
      expect(onlyColours(pieces.join(''), false)).not.toMatch(STEERS);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are all that may be left
      expect(onlyColours(pieces.join(''), true).replace(/\u001b\[[0-9;]*m/g, '')).not.toMatch(STEERS);
    }),
  );
});

test('colour is for terminals whose owner has not declined it', () => {
  const given = { noColorFlag: false, noColorVariable: undefined, term: 'xterm', isTerminal: true };
  expect(wantsColor(given)).toBe(true);
  expect(wantsColor({ ...given, noColorVariable: '' })).toBe(true);
  expect(wantsColor({ ...given, noColorVariable: '1' })).toBe(false);
  expect(wantsColor({ ...given, noColorFlag: true })).toBe(false);
  expect(wantsColor({ ...given, isTerminal: false })).toBe(false);
  expect(wantsColor({ ...given, term: 'dumb' })).toBe(false);
  expect(createStyle(false).red('x')).toBe('x');
  expect(createStyle(true).red('x')).toBe('\u001b[31mx\u001b[39m');
});
