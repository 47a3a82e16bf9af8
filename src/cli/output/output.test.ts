import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { ManualClock } from '../../base/clock.ts';
import { SwarmError } from '../../contract/errors.ts';
import { createOutput, type OutputSettings } from './output.ts';
import type { TextSink } from './text-writer.ts';

function sink(columns?: number) {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  return Object.assign(stream, { columns, text: () => text });
}

function open(changes: Partial<OutputSettings> = {}) {
  const [stdout, stderr, clock] = [sink(), sink(60), new ManualClock()];
  const codes: number[] = [];
  const defaults = { json: false, quiet: false, color: false, isTerminal: false };
  const output = createOutput({ ...defaults, stdout, stderr, clock, ...changes });
  return { output, stdout, stderr, clock, codes, exit: (code: number) => void codes.push(code) };
}

const gone = new SwarmError('not_found', 'There is no stream s-3fxa', {
  fix: 'gitswarm stream list',
  details: { ref: 's-3fxa' },
});

test('a program gets one line of JSON with the data', async () => {
  const { output, stdout, stderr } = open({ json: true });
  output.result({ a: [1, 'ä\n'] }, () => 'text for people');
  output.note('a remark');
  await output.flush();
  expect(stdout.text()).toBe('{"ok":true,"data":{"a":[1,"ä\\n"]}}\n');
  expect(stderr.text()).toBe('a remark\n');
});

test.each([
  [true, '{"n":1}\n{"n":2}\n', 'error: There is no stream s-3fxa'],
  [false, 'one\ntwo\n', 'error: There is no stream s-3fxa'],
])('a stream is one item a line on stdout and nothing else there (json: %s)', async (json, lines, told) => {
  const { output, stdout, stderr, exit } = open({ json, quiet: true });
  const write = output.stream();
  write({ n: 1 }, 'one');
  write({ n: 2 }, 'two');
  await output.fail(gone, exit);
  expect(stdout.text()).toBe(lines);
  expect(stderr.text()).toContain(told);
});

test('a result without data is null', async () => {
  const { output, stdout } = open({ json: true });
  output.result(undefined, () => '');
  await output.flush();
  expect(stdout.text()).toBe('{"ok":true,"data":null}\n');
});

test('a program gets an error as JSON on stdout, and only the fields it has', async () => {
  const { output, stdout, stderr, codes, exit } = open({ json: true });
  await output.fail(gone, exit);
  const error = `{"code":"not_found","message":"There is no stream s-3fxa","fix":"gitswarm stream list","details":{"ref":"s-3fxa"}}`;
  expect(stdout.text()).toBe(`{"ok":false,"error":${error}}\n`);
  expect(stderr.text()).toBe('');
  expect(codes).toEqual([3]);
  const busy = open({ json: true });
  await busy.output.fail(new SwarmError('busy', 'Locked'), busy.exit);
  expect(busy.stdout.text()).toBe(
    '{"ok":false,"error":{"code":"busy","message":"Locked","retryable":true}}\n',
  );
});

test('JSON is one document even where an error follows the result', async () => {
  const { output, stdout, stderr, exit, codes } = open({ json: true });
  output.result(1, () => '');
  await output.fail(gone, exit);
  expect(stdout.text()).toBe('{"ok":true,"data":1}\n');
  expect(stderr.text()).toContain('There is no stream');
  expect(codes).toEqual([3]);
  expect(() => output.result(2, () => '')).toThrow('one result');
});

test('details that are no JSON do not hide the error', async () => {
  const { output, stdout, exit } = open({ json: true });
  await output.fail(new SwarmError('internal', 'Odd', { details: { big: 1n } }), exit);
  expect(stdout.text()).toBe('{"ok":false,"error":{"code":"internal","message":"Odd"}}\n');
});

test('JSON holds no byte that a terminal would obey, and means the same', async () => {
  const { output, stdout } = open({ json: true });
  const data = '\u001b[2J\u009b1m\u007f';
  output.result(data, () => '');
  await output.flush();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
  expect(stdout.text().trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  expect(JSON.parse(stdout.text()).data).toBe(data);
});

test('people get text on stdout, errors and remarks on stderr', async () => {
  const { output, stdout, stderr, exit } = open();
  output.result({}, () => 'two\nlines');
  output.note('remark');
  await output.fail(gone, exit);
  expect(stdout.text()).toBe('two\nlines\n');
  expect(stderr.text()).toBe('remark\nerror: There is no stream s-3fxa\nfix: gitswarm stream list\n');
});

test('quiet silences remarks and progress, not results and errors', async () => {
  const { output, stdout, stderr, exit, clock } = open({ quiet: true, isTerminal: true });
  output.note('remark');
  const progress = output.progress('Testing');
  clock.advance(60_000);
  progress.update({ done: 1 });
  progress.done('over');
  output.result(1, () => 'answer');
  await output.fail(gone, exit);
  expect(stdout.text()).toBe('answer\n');
  expect(stderr.text()).toMatch(/^error: There is no stream/);
});

test('our colours pass, what came from outside does not steer the terminal', async () => {
  const evil = 'name\u001b]0;owned\u0007\u001b[2J\u009b5m';
  const coloured = open({ color: true });
  coloured.output.result({}, () => `${coloured.output.style.red('red')} ${evil}`);
  await coloured.output.flush();
  expect(coloured.stdout.text()).toBe('\u001b[31mred\u001b[39m name\n');
  const flat = open();
  flat.output.result({}, () => `\u001b[31mred\u001b[39m ${evil}`);
  await flat.output.flush();
  expect(flat.stdout.text()).toBe('red name\n');
});

function broken(code: string): TextSink {
  const failure = Object.assign(new Error(`write ${code}`), { code });
  return {
    write: (_text, done) => {
      queueMicrotask(() => done(failure));
      return false;
    },
    on: () => {},
  };
}

test('a reader that goes away is no failure', async () => {
  const { output } = open({ stdout: broken('EPIPE') });
  output.result({}, () => 'text');
  await output.flush();
});

test('a disk that is full is a failure', async () => {
  const { output, exit, codes } = open({ stdout: broken('ENOSPC') });
  output.result({}, () => 'text');
  await expect(output.flush()).rejects.toMatchObject({ code: 'internal' });
  await output.fail(gone, exit);
  expect(codes).toEqual([3]);
});

test('the process ends only after everything is written', async () => {
  const order: string[] = [];
  const slow: TextSink = {
    write: (_text, done) => {
      setImmediate(() => {
        order.push('written');
        done();
      });
      return false;
    },
    on: () => {},
  };
  const { output } = open({ json: true, stdout: slow });
  await output.fail(gone, () => order.push('exit'));
  expect(order).toEqual(['written', 'exit']);
});
