import { join } from 'node:path';
import { expect, test } from 'vitest';
import { plainRun, temporaryFolder, testEnvironment } from '../../test/support/process-fixture.ts';
import { SwarmError } from '../contract/errors.ts';
import { commandAgent } from './command-agent.ts';
import type { RunProcess } from './run-process.ts';

async function play(command: string, prompt: string, run: RunProcess = plainRun) {
  return commandAgent({ command, run }).start({
    ...{ prompt, cwd: await temporaryFolder(), env: testEnvironment(), timeoutMs: 60_000, role: 'author' },
    outputFile: join(await temporaryFolder(), 'output'),
  }).done;
}

test('the prompt arrives on standard input, whole', async () => {
  expect((await play('cat', 'Füge "$HOME" hinzu; `rm`\n')).stdoutTail).toBe('Füge "$HOME" hinzu; `rm`\n');
});

test('a command need not read its prompt', async () => {
  expect(await play('exec true', 'x'.repeat(2_000_000))).toMatchObject({ kind: 'finished', exitCode: 0 });
});

test('a command ended by a signal has finished, with the exit code a shell would give', async () => {
  expect(await play('kill -9 $$', '')).toMatchObject({ kind: 'finished', exitCode: 137 });
});

test('a sandbox that is required and missing is a reason not to start', async () => {
  const run = () => Promise.reject(new SwarmError('not_configured', 'no sandbox', { fix: 'install it' }));
  expect(await play('true', '', run)).toMatchObject({
    kind: 'failed_to_start',
    reason: 'no sandbox (install it)',
  });
});
