import { expect, test } from 'vitest';
import { liveLines } from './live-lines.ts';

function screen(columns = 20) {
  const written: string[] = [];
  return { written, lines: liveLines({ columns, write: (text) => void written.push(text) }) };
}

test('a block takes the place of the one before, whatever its height', () => {
  const { written, lines } = screen();
  lines.draw(['one', 'two']);
  lines.draw(['three']);
  expect(written).toEqual(['one\ntwo\n', '\u001b[2A\r\u001b[Jthree\n']);
});

test('lines are cut to the terminal, so that none wraps and throws the count off', () => {
  const { written, lines } = screen(6);
  lines.draw(['abcdefgh']);
  expect(written).toEqual(['abcd…\n']);
});

test('clearing makes room once, and nothing is drawn after the end', () => {
  const { written, lines } = screen();
  lines.clear();
  lines.draw(['one']);
  lines.clear();
  lines.clear();
  lines.done();
  lines.draw(['two']);
  expect(written).toEqual(['one\n', '\u001b[1A\r\u001b[J']);
});
