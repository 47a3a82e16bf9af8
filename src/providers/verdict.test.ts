import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/process-fixture.ts';
import { parseVerdict, readVerdict } from './verdict.ts';

test.each([
  ['{"verdict":"approve"}', { verdict: 'approve' }],
  ['talk\nmore talk\n{"verdict":"comment","feedback":"Hm."}\n\n', { verdict: 'comment', feedback: 'Hm.' }],
  ['{"verdict":"approve","tested":true,"mood":"good"}\r\n', { verdict: 'approve', tested: true }],
])('the last line of standard output is the verdict: %j', async (stdoutTail, verdict) => {
  expect(await readVerdict({ stdoutTail })).toEqual(verdict);
});

test.each([
  '',
  'approve',
  'I would answer {"verdict":"approve"}',
  '{"verdict":"approve"} is what I would say',
  '{"verdict":"approve"}\nbut I am not sure',
  '{"verdict":"APPROVE"}',
  '{"verdict":["approve"]}',
  '[{"verdict":"approve"}]',
  '{"verdict":"approve","feedback":5}',
  '{"verdict":"approve"',
  '"approve"',
  'null',
  `{"verdict":"approve","feedback":"${'x'.repeat(100_000)}"}`,
  `${'['.repeat(50_000)}`,
])('anything else is no verdict: %j', async (stdoutTail) => {
  expect(await readVerdict({ stdoutTail })).toBeUndefined();
});

test('feedback holds nothing that a terminal would obey', () => {
  const feedback =
    '\u001b[2J\u001b]0;owned\u0007red\u001b[31m \u009b1mtext\r\nline\ttab\u0000\u202eabc\ud800\u0008';
  expect(parseVerdict(JSON.stringify({ verdict: 'comment', feedback }))?.feedback).toBe(
    'red text\nline\ttababc\ufffd',
  );
});

test('feedback is cut at its limit', () => {
  const verdict = parseVerdict(JSON.stringify({ verdict: 'comment', feedback: 'y'.repeat(20_000) }));
  expect(verdict?.feedback).toHaveLength(8000);
});

test('the file counts only where standard output has no verdict', async () => {
  const verdictFile = join(await temporaryFolder(), 'verdict.json');
  await writeFile(verdictFile, '{\n  "verdict": "request_changes"\n}\n');
  expect(await readVerdict({ stdoutTail: 'done', verdictFile })).toEqual({ verdict: 'request_changes' });
  const spoken = await readVerdict({ stdoutTail: '{"verdict":"comment"}', verdictFile });
  expect(spoken).toEqual({ verdict: 'comment' });
});

test('a file that is missing, huge, a link, a folder or a pipe is no verdict', async () => {
  const folder = await temporaryFolder();
  const path = (name: string) => join(folder, name);
  await writeFile(path('real'), '{"verdict":"approve"}');
  await symlink(path('real'), path('link'));
  await writeFile(path('huge'), `{"verdict":"approve"}${' '.repeat(100_000)}`);
  await mkdir(path('folder'));
  execFileSync('mkfifo', [path('pipe')]);
  for (const name of ['missing', 'huge', 'link', 'folder', 'pipe']) {
    expect(await readVerdict({ stdoutTail: '', verdictFile: path(name) }), name).toBeUndefined();
  }
});

test('no text makes the reading of a verdict throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      const verdict = parseVerdict(text);
      expect(verdict === undefined || typeof verdict.verdict === 'string').toBe(true);
    }),
  );
});
