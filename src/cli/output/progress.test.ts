import { expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { displayWidth } from './display-width.ts';
import { showProgress } from './progress.ts';

function open(isTerminal: boolean, columns = 80) {
  const clock = new ManualClock();
  const written: string[] = [];
  const write = (text: string) => void written.push(text);
  return { clock, written, progress: showProgress('Testing', { write, isTerminal, columns, clock }) };
}

test.each([true, false])('short work shows nothing (terminal: %s)', (isTerminal) => {
  const { progress, written, clock } = open(isTerminal);
  clock.advance(300);
  progress.update({ done: 1, total: 2 });
  progress.clear();
  progress.done('all done');
  expect(written).toEqual([]);
});

test('a terminal gets one line, drawn again, gone at the end', () => {
  const { progress, written, clock } = open(true);
  clock.advance(65_000);
  progress.update({ done: 5, total: 10, text: 's-3fxa' });
  expect(written).toEqual([`\r\u001b[2KTesting  ${'█'.repeat(10)}${'░'.repeat(10)} 5/10  s-3fxa  1 m 5 s`]);
  progress.update({ done: 6 });
  expect(written).toHaveLength(1); // drawn at most a few times a second
  clock.advance(100);
  progress.update({ done: 7 });
  expect(written).toHaveLength(2);
  progress.done('10 tested');
  expect(written.slice(2)).toEqual(['\r\u001b[2K', '10 tested\n']);
});

test('the line on a terminal never wraps', () => {
  const { progress, written, clock } = open(true, 30);
  clock.advance(1000);
  progress.update({ done: 99, total: 10, text: '非常に長い名前'.repeat(5) });
  expect(displayWidth((written[0] ?? '').replace('\r\u001b[2K', ''))).toBeLessThan(30);
});

test('elsewhere it is a line now and then, without bars and controls', () => {
  const { progress, written, clock } = open(false);
  for (let second = 0; second < 25; second++) {
    clock.advance(1000);
    progress.update({ done: second, text: 'evil\u001b[2J\nname' });
  }
  progress.done();
  expect(written).toEqual([
    'Testing  0  evil name  1 s\n',
    'Testing  10  evil name  11 s\n',
    'Testing  20  evil name  21 s\n',
  ]);
});
