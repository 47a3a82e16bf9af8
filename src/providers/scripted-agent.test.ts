import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainRun, temporaryFolder, testEnvironment } from '../../test/support/process-fixture.ts';
import type { AgentJob } from './agent-adapter.ts';
import { scriptedAgent } from './scripted-agent.ts';
import { readVerdict } from './verdict.ts';

async function stage(changes: Partial<AgentJob> = {}) {
  const cwd = await temporaryFolder();
  const outputFile = join(await temporaryFolder(), 'output');
  const job: AgentJob = {
    ...{ prompt: '', cwd, env: testEnvironment(), timeoutMs: 60_000, role: 'author', outputFile },
    ...changes,
  };
  const play = (...steps: unknown[]) =>
    scriptedAgent({ scriptFor: () => ({ steps }), run: plainRun }).start(job).done;
  return { cwd, job, play };
}

test('a script writes, appends, replaces, deletes and runs', async () => {
  const { cwd, play } = await stage();
  const result = await play(
    { write: { path: 'a/b.txt', content: 'one\n' } },
    { append: { path: 'a/b.txt', content: 'two $&\n' } },
    { replace: { path: 'a/b.txt', find: 'one', with: '$1' } },
    { write: { path: 'gone', content: '' } },
    { delete: { path: 'gone' } },
    { run: ['cat', 'a/b.txt'] },
  );
  expect(result).toMatchObject({ kind: 'finished', exitCode: 0, outputTail: '$1\ntwo $&\n' });
  await expect(stat(join(cwd, 'gone'))).rejects.toThrow();
});

test('a script ends at its first failure, with its words', async () => {
  const { cwd, play } = await stage();
  const failed = await play({ fail: 'I give up' }, { write: { path: 'after', content: '' } });
  expect(failed).toMatchObject({ kind: 'finished', exitCode: 1, outputTail: 'I give up\n', stdoutTail: '' });
  await expect(stat(join(cwd, 'after'))).rejects.toThrow();
  await writeFile(join(cwd, 'twice'), 'x x');
  const unclear = await play({ replace: { path: 'twice', find: 'x', with: 'y' } });
  expect(unclear).toMatchObject({ exitCode: 1, outputTail: expect.stringContaining('2 times') });
  expect(await play({ delete: { path: 'missing' } })).toMatchObject({ exitCode: 1 });
  expect(await play({ run: ['no-such-program'] })).toMatchObject({ kind: 'finished', exitCode: 1 });
});

test('a script waits for a file that another makes', async () => {
  const { cwd, job, play } = await stage();
  job.onEvent = (event) => {
    if (event.text.includes('now')) void writeFile(join(cwd, 'signal'), '');
  };
  expect(await play({ say: 'now' }, { wait_for_file: 'signal' })).toMatchObject({ exitCode: 0 });
});

test('waiting for a file that never comes ends with the time of the job', async () => {
  const { play } = await stage({ timeoutMs: 200 });
  expect(await play({ wait_for_file: 'never' })).toMatchObject({ kind: 'timed_out', which: 'total' });
});

test.each([
  '../outside',
  '/etc/passwd',
  'a/../../outside',
  'a//b',
  './a',
  '',
  'a\0b',
  '.git/hooks/pre-commit',
  'sub/.GIT/config',
  'link/file',
  'direct',
  'dangling',
])('a script cannot touch %j', async (path) => {
  const { cwd, play } = await stage();
  const outside = await temporaryFolder();
  await writeFile(join(outside, 'file'), 'untouched');
  await mkdir(join(cwd, 'a'));
  await symlink(outside, join(cwd, 'link'));
  await symlink(join(outside, 'file'), join(cwd, 'direct'));
  await symlink(join(outside, 'new'), join(cwd, 'dangling'));
  const steps = [
    { write: { path, content: 'bad' } },
    { append: { path, content: 'bad' } },
    { replace: { path, find: 'untouched', with: 'bad' } },
    { delete: { path } },
    { wait_for_file: path },
  ];
  for (const step of steps) {
    const result = await play(step);
    expect(result.kind === 'finished' && result.exitCode === 0, JSON.stringify(step)).toBe(false);
  }
  expect(await readFile(join(outside, 'file'), 'utf8')).toBe('untouched');
  await expect(stat(join(outside, 'new'))).rejects.toThrow();
  await expect(stat(join(cwd, '../outside'))).rejects.toThrow();
});

test('a reviewer gives its verdict in both ways of the protocol', async () => {
  const verdictFile = join(await temporaryFolder(), 'verdict.json');
  const env = testEnvironment({ GITSWARM_VERDICT_FILE: verdictFile });
  const { play } = await stage({ role: 'reviewer', env });
  const verdict = { verdict: 'request_changes', feedback: 'Name it.', tested: true } as const;
  const { stdoutTail } = await play({ say: 'I read it.' }, verdict);
  expect(await readVerdict({ stdoutTail })).toEqual(verdict);
  expect(await readVerdict({ stdoutTail: '', verdictFile })).toEqual(verdict);
});

test('an author gives no verdict', async () => {
  const { play } = await stage();
  expect(await play({ verdict: 'approve' })).toMatchObject({ exitCode: 1, stdoutTail: '' });
});

test('a script for the job is chosen by the job', async () => {
  const { job } = await stage({ prompt: 'shout' });
  const scriptFor = (given: AgentJob) =>
    given.prompt === 'shout' ? { steps: [{ say: 'LOUD' }] } : undefined;
  const agent = scriptedAgent({ scriptFor, run: plainRun });
  expect(await agent.start(job).done).toMatchObject({ outputTail: 'LOUD\n' });
  const other = await agent.start({ ...job, prompt: 'else' }).done;
  expect(other).toMatchObject({ kind: 'failed_to_start', reason: 'There is no script for this job' });
});
