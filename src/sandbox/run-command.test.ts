import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  processesIn,
  temporaryFolder,
  testEnvironment,
  until,
  untilNobodyIn,
  warnUntested,
} from '../../test/support/process-fixture.ts';
import type { CommandRequest } from './command.ts';
import { probeSandbox } from './probe-sandbox.ts';
import { runCommand } from './run-command.ts';

type Asked = Partial<CommandRequest> & ({ command: string } | { argv: readonly string[] });

const MINUTE = 60_000;
const node = (script: string) => [process.execPath, '-e', script] as const;

async function run(asked: Asked, isolation: 'off' | 'required') {
  const defaults = {
    cwd: asked.cwd ?? (await temporaryFolder()),
    env: testEnvironment(),
    timeoutMs: MINUTE,
    graceMs: 200,
    maxOutputBytes: 64 * 1024,
    isolation,
    network: false,
    writable: [],
  };
  return runCommand({ ...defaults, ...asked } as CommandRequest);
}

const probe = await probeSandbox();

for (const isolation of ['off', 'required'] as const) {
  const name = isolation === 'off' ? 'a plain process' : 'bubblewrap';
  describe(`a command in ${name}`, () => {
    const promise = (title: string, body: () => Promise<void>) =>
      test(title, async (context) => {
        if (isolation === 'required' && probe.isolation === 'plain') {
          warnUntested(`${name}: ${title}`, probe.reason ?? '');
          context.skip(probe.reason);
        }
        await body();
      });

    promise('can be seen at work in its folder by these tests', async () => {
      const cwd = await temporaryFolder();
      const controller = new AbortController();
      const running = run({ command: 'sleep 1000', cwd, signal: controller.signal }, isolation);
      await until('it runs', async () => (await processesIn(cwd)).length > 0);
      controller.abort();
      expect((await running).kind).toBe('cancelled');
      await untilNobodyIn(cwd);
    });

    promise('reports its exit code, its output and its isolation', async () => {
      const result = await run({ command: 'echo out; echo err >&2; exit 3' }, isolation);
      expect(result).toMatchObject({
        kind: 'exited',
        code: 3,
        outputBytes: 8,
        omittedBytes: 0,
        stdoutTail: 'out\n',
      });
      expect(result.output).toContain('err');
      expect(result.isolation).toBe(isolation === 'off' ? 'plain' : 'bubblewrap');
    });

    promise('reports a signal, also through its shell', async () => {
      expect(await run({ command: 'kill -SEGV $$' }, isolation)).toMatchObject({
        kind: 'signalled',
        signal: 'SIGSEGV',
      });
      expect(await run({ command: 'sh -c "kill -9 \\$\\$"; exit $?' }, isolation)).toMatchObject({
        signal: 'SIGKILL',
      });
    });

    promise('passes arguments on exactly, without a shell', async () => {
      const result = await run({ argv: ['printf', '%s|', 'a b', '$HOME', '', '--', "'"] }, isolation);
      expect(result).toMatchObject({ kind: 'exited', code: 0, output: "a b|$HOME||--|'|" });
    });

    promise('that does not exist is not started, and the reason names it', async () => {
      const byLine = await run({ command: 'no-such-program --flag' }, isolation);
      expect(byLine).toMatchObject({
        kind: 'not_started',
        reason: expect.stringContaining('no-such-program'),
      });
      const byArguments = await run({ argv: ['no-such-program'] }, isolation);
      expect(byArguments).toMatchObject({
        kind: 'not_started',
        reason: expect.stringContaining('no-such-program'),
      });
      const cwd = await temporaryFolder();
      await writeFile(join(cwd, 'plain.txt'), 'no program');
      expect(await run({ argv: ['./plain.txt'], cwd }, isolation)).toMatchObject({ kind: 'not_started' });
    });

    promise('is not started in a folder that is missing, or with arguments no kernel takes', async () => {
      const missing = await run({ command: 'true', cwd: '/no/such/folder' }, isolation);
      expect(missing).toMatchObject({
        kind: 'not_started',
        reason: expect.stringContaining('/no/such/folder'),
      });
      expect(await run({ argv: ['echo', 'a\0b'] }, isolation)).toMatchObject({ kind: 'not_started' });
      expect(await run({ argv: ['echo', 'x'.repeat(3_000_000)] }, isolation)).toMatchObject({
        kind: 'not_started',
      });
    });

    promise('gets the environment it is given and nothing of ours', async () => {
      const result = await run({ command: 'env', env: { PATH: '/usr/bin:/bin', ONLY: 'this' } }, isolation);
      const names = result.output
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('=')[0]);
      const own = ['PATH', 'ONLY', 'GITSWARM_RUN', 'PWD', 'OLDPWD', 'SHLVL', '_', 'TMPDIR'];
      expect(names).toContain('ONLY');
      expect(names.filter((name) => !own.includes(name ?? ''))).toEqual([]);
    });

    promise('inside another run carries the marks of both', async () => {
      const env = testEnvironment({ GITSWARM_RUN: 'outer' });
      const result = await run({ command: 'echo $GITSWARM_RUN', env }, isolation);
      expect(result.output).toMatch(/^outer:[0-9a-f]{32}\n$/);
    });

    promise('that runs commands itself takes them along when it is ended', async () => {
      const cwd = await temporaryFolder();
      const module = pathToFileURL(join(import.meta.dirname, 'run-command.ts')).href;
      const inner = {
        ...{ command: 'trap "" TERM; touch up; sleep 1000', cwd, timeoutMs: MINUTE, maxOutputBytes: 100 },
        ...{ isolation: 'off', network: true, writable: [] },
      };
      const script = `
        const { runCommand } = await import('${module}');
        process.on('SIGTERM', () => {});
        await runCommand({ ...${JSON.stringify(inner)}, env: { ...process.env } });`;
      const controller = new AbortController();
      const argv = [process.execPath, '--input-type=module', '-e', script];
      // The checkout of this very test may stand in /tmp, which is empty inside.
      const writable = [join(import.meta.dirname, '..', '..')];
      const running = run({ argv, cwd, writable, signal: controller.signal }, isolation);
      await until('the inner command runs', () => existsSync(join(cwd, 'up')));
      controller.abort();
      expect((await running).kind).toBe('cancelled');
      await untilNobodyIn(cwd);
    });

    promise('reads the text it is sent, and need not read it', async () => {
      const input = 'ä'.repeat(500_000);
      expect((await run({ command: 'wc -c', input }, isolation)).output.trim()).toBe('1000000');
      expect(await run({ command: 'exec true', input }, isolation)).toMatchObject({
        kind: 'exited',
        code: 0,
      });
      expect((await run({ command: 'wc -c' }, isolation)).output.trim()).toBe('0');
    });

    promise('that runs too long is ended with all its children', async () => {
      const cwd = await temporaryFolder();
      const command = 'for i in 1 2 3; do sleep 1000 & done; echo ready; wait';
      const result = await run({ command, cwd, timeoutMs: 300 }, isolation);
      expect(result).toMatchObject({ kind: 'timed_out', which: 'total' });
      await untilNobodyIn(cwd);
    });

    promise('that falls silent is ended; one that keeps writing is not', async () => {
      const silent = await run({ command: 'echo start; sleep 1000', idleTimeoutMs: 300 }, isolation);
      expect(silent).toMatchObject({ kind: 'timed_out', which: 'idle' });
      const talking = 'i=0; while [ $i -lt 17 ]; do echo $i; sleep 0.2; i=$((i+1)); done';
      const result = await run({ command: talking, idleTimeoutMs: 3000 }, isolation);
      expect(result).toMatchObject({ kind: 'exited', code: 0 });
    });

    promise('is given time to clean up after SIGTERM', async () => {
      const cwd = await temporaryFolder();
      const command = 'trap "echo cleaned > cleaned; exit 0" TERM; echo ready; while :; do sleep 0.05; done';
      const controller = new AbortController();
      const onOutput = () => controller.abort();
      const result = await run(
        { command, cwd, graceMs: MINUTE, signal: controller.signal, onOutput },
        isolation,
      );
      expect(result.kind).toBe('cancelled');
      expect(await readFile(join(cwd, 'cleaned'), 'utf8')).toBe('cleaned\n');
    });

    promise('and its children are killed where they ignore SIGTERM', async () => {
      const cwd = await temporaryFolder();
      const stubborn = 'trap "" TERM HUP INT; touch up-$1; while :; do sleep 0.05; done';
      await writeFile(join(cwd, 'stubborn.sh'), stubborn);
      const command = 'for i in 1 2 3 4 5; do sh stubborn.sh $i & done; trap "" TERM; wait; sleep 1000';
      const result = await run({ command, cwd, timeoutMs: 500 }, isolation);
      expect(result).toMatchObject({ kind: 'timed_out', which: 'total' });
      await untilNobodyIn(cwd);
    });

    promise('cannot leave a daemon with a session of its own behind', async () => {
      const cwd = await temporaryFolder();
      const daemon = `
        process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {});
        require('node:fs').writeFileSync('daemon-up', '');
        setInterval(() => {}, 1000);`;
      const parent = `
        const { spawn } = require('node:child_process');
        const { existsSync } = require('node:fs');
        spawn(process.execPath, ['-e', ${JSON.stringify(daemon)}], { detached: true, stdio: 'ignore' }).unref();
        setInterval(() => existsSync('daemon-up') && process.exit(0), 10);`;
      const result = await run({ argv: node(parent), cwd }, isolation);
      expect(result).toMatchObject({ kind: 'exited', code: 0 });
      await untilNobodyIn(cwd);
    });

    promise('that forks and forks is ended to the last process', async () => {
      const cwd = await temporaryFolder();
      // Each process leaves two of the next generation, in new sessions: 62 in all, the last ones asleep.
      const bomb =
        'trap "" TERM; n=$1; if [ $n -gt 0 ]; then for i in 1 2; do setsid sh bomb.sh $((n-1)) & done; fi; sleep 1000';
      await writeFile(join(cwd, 'bomb.sh'), bomb);
      const result = await run({ command: 'sh bomb.sh 5', cwd, timeoutMs: 700, graceMs: 50 }, isolation);
      expect(result.kind).toBe('timed_out');
      await untilNobodyIn(cwd);
    });

    promise('writes megabytes: both ends are kept, the rest is counted, the file has all of it', async () => {
      const cwd = await temporaryFolder();
      const outputFile = join(await temporaryFolder(), 'output.txt');
      const script = `
        process.stdout.write('first\\n');
        for (let i = 0; i < 200; i++) process.stdout.write('x'.repeat(99_999) + '\\n');
        process.stdout.write('last\\n');`;
      const result = await run({ argv: node(script), cwd, outputFile, maxOutputBytes: 10_000 }, isolation);
      const bytes = 20_000_000 + 11;
      expect(result).toMatchObject({
        code: 0,
        outputBytes: bytes,
        omittedBytes: bytes - 10_000,
        outputFileComplete: true,
      });
      expect(result.output).toMatch(/^first\n.*… 19990011 bytes left out ….*\nlast\n$/s);
      expect((await stat(outputFile)).size).toBe(bytes);
      expect((await stat(outputFile)).mode & 0o077).toBe(0);
    });

    promise('fills its output file up to the limit only', async () => {
      const outputFile = join(await temporaryFolder(), 'output.txt');
      const command = 'head -c 1000000 /dev/zero';
      const result = await run({ command, outputFile, maxOutputFileBytes: 5000 }, isolation);
      expect(result).toMatchObject({ kind: 'exited', code: 0, outputFileComplete: false });
      expect((await stat(outputFile)).size).toBeLessThan(5100);
    });

    promise('may write bytes that are no text', async () => {
      const seen: string[] = [];
      const onOutput = (text: string) => seen.push(text);
      const result = await run({ command: "printf 'a\\377\\303\\050b'", onOutput }, isolation);
      expect(result.output).toBe('a\ufffd\ufffd(b');
      expect(seen.join('')).toBe('a\ufffd\ufffd(b');
    });

    promise('ends although a child holds its output open', async () => {
      const result = await run({ command: 'sleep 1000 & echo done' }, isolation);
      expect(result).toMatchObject({ kind: 'exited', code: 0, output: 'done\n' });
    });

    promise('is not started once it is cancelled', async () => {
      const cwd = await temporaryFolder();
      const result = await run({ command: 'touch ran', cwd, signal: AbortSignal.abort() }, isolation);
      expect(result.kind).toBe('cancelled');
      await expect(stat(join(cwd, 'ran'))).rejects.toThrow();
    });

    promise('is ended before the fault of a listener is passed on', async () => {
      const cwd = await temporaryFolder();
      const onOutput = () => {
        throw new Error('listener fault');
      };
      await expect(run({ command: 'echo x; sleep 1000', cwd, onOutput }, isolation)).rejects.toThrow(
        'listener fault',
      );
      await untilNobodyIn(cwd);
    });

    promise('may write in its folder', async () => {
      const cwd = await temporaryFolder();
      expect(await run({ command: 'echo text > file', cwd }, isolation)).toMatchObject({ code: 0 });
      expect(await readFile(join(cwd, 'file'), 'utf8')).toBe('text\n');
    });
  });
}
