import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainRun } from '../../test/support/process-fixture.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { adapterFor, agentEnvironment } from './agents.ts';

test('an agent keeps its keys, and nothing that points git elsewhere or makes it somebody else', () => {
  const environment = agentEnvironment({
    PATH: '/bin',
    SOME_API_KEY: 'secret',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_DIR: '/elsewhere',
    GIT_INDEX_FILE: '/elsewhere/index',
    GITSWARM_SESSION: 'of the caller',
    GITSWARM_AGENT: 'caller',
    UNSET: undefined,
  });
  expect(environment).toEqual({ PATH: '/bin', SOME_API_KEY: 'secret', GIT_AUTHOR_NAME: 'Ada' });
});

async function play(file: string, env: Record<string, string>) {
  const directory = tempDir('scripts');
  const adapter = adapterFor(plainRun, { name: 'scripted', command: file });
  const job = {
    prompt: '',
    cwd: directory,
    timeoutMs: 10_000,
    role: 'author',
    outputFile: join(directory, 'log'),
  } as const;
  return adapter.start({ ...job, env }).done;
}

test('scripts are chosen by the title of the task and the attempt; the last one is played again', async () => {
  const file = join(tempDir('scripts'), 'scripts.json');
  const say = (text: string) => ({ steps: [{ say: text }] });
  writeFileSync(
    file,
    JSON.stringify({ tasks: { Known: [say('first'), say('second')], '*': [say('other')] } }),
  );
  const said = async (title: string, attempt: string) =>
    (await play(file, { GITSWARM_TASK_TITLE: title, GITSWARM_ATTEMPT: attempt })).stdoutTail.trim();
  expect(await said('Known', '1')).toBe('first');
  expect(await said('Known', '2')).toBe('second');
  expect(await said('Known', '3')).toBe('second');
  expect(await said('Unknown', '1')).toBe('other');
});

test('a file that holds no scripts is a usage error that shows what one looks like', () => {
  const file = join(tempDir('scripts'), 'scripts.json');
  writeFileSync(file, '{"tasks":{"A":[{"steps":[{"fly":true}]}]}}');
  expect(() => adapterFor(plainRun, { name: 'scripted', command: file })).toThrow(/cannot be read/);
  expect(() => adapterFor(plainRun, { name: 'scripted', command: '/nowhere' })).toThrow(/cannot be read/);
});
