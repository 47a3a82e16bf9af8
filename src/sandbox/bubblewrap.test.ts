import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import {
  processesIn,
  temporaryFolder,
  testEnvironment,
  until,
  untilNobodyIn,
  warnUntested,
} from '../../test/support/process-fixture.ts';
import { probeSandbox, probeSandboxIn } from './probe-sandbox.ts';
import { runCommand } from './run-command.ts';

const probe = await probeSandbox();

async function enclosed(
  command: string,
  asked: { cwd?: string; network?: boolean; writable?: string[] } = {},
) {
  return runCommand({
    command,
    cwd: asked.cwd ?? (await temporaryFolder()),
    env: testEnvironment(),
    timeoutMs: 60_000,
    maxOutputBytes: 10_000,
    isolation: 'required',
    network: asked.network ?? false,
    writable: asked.writable ?? [],
  });
}

const promise = (title: string, body: () => Promise<void>) =>
  test(title, async (context) => {
    if (probe.isolation === 'plain') {
      warnUntested(`bubblewrap: ${title}`, probe.reason ?? '');
      context.skip(probe.reason);
    }
    await body();
  });

promise('an enclosed command writes only where it may', async () => {
  const [cwd, writable, other] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
  const command = `touch in; touch '${writable}/in'; touch '${other}/in' ; touch /usr/in; touch "$HOME/in"`;
  await enclosed(command, { cwd, writable: [writable] });
  expect((await stat(join(cwd, 'in'))).isFile()).toBe(true);
  expect((await stat(join(writable, 'in'))).isFile()).toBe(true);
  await expect(stat(join(other, 'in'))).rejects.toThrow();
  await expect(stat('/usr/in')).rejects.toThrow();
});

promise('an enclosed command sees an empty /tmp that nobody else sees', async () => {
  const other = await temporaryFolder();
  const cwd = await temporaryFolder();
  await writeFile(join(other, 'secret'), '');
  const mine = `mine-${randomUUID()}`;
  const result = await enclosed(`touch /tmp/${mine}; ls '${other}/secret'; ls -A /tmp`, { cwd });
  expect(result.output).toContain(mine);
  expect(result.stdoutTail).not.toContain('secret');
  await expect(stat(join('/tmp', mine))).rejects.toThrow();
});

promise('an enclosed command cannot make its enclosure writable again, even as root', async () => {
  const result = await enclosed('mount -o remount,rw / ; umount /tmp; grep CapEff /proc/self/status');
  expect(result.output).toMatch(/CapEff:\s0{16}/);
});

promise('an enclosed command reaches our machine only where the network is allowed', async () => {
  const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await until('the server listens', () => server.listening);
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const command = `node -e "require('net').connect(${port}, '127.0.0.1').on('data', (d) => console.log(String(d)))"`;
  expect(await enclosed(command, { network: true })).toMatchObject({
    kind: 'exited',
    code: 0,
    output: 'hello\n',
  });
  expect(await enclosed(command)).toMatchObject({ kind: 'exited', code: 1 });
});

promise('an enclosed command sees only its own processes, and no socket of the system', async () => {
  const result = await enclosed('ls /proc | grep -c "^[0-9]"; ls -A /run');
  const [processes, ...run] = result.output.trim().split('\n');
  expect(Number(processes)).toBeLessThan(8);
  expect(run.filter((name) => !['current-system', 'wrappers', 'systemd'].includes(name))).toEqual([]);
});

promise('an enclosed command cannot forge the report on how it ended', async () => {
  const forged = await enclosed(`echo '{"exit-code": 0}' >&3; exit 5`);
  expect(forged).toMatchObject({ kind: 'exited', code: 5 });
  expect(forged.output).toMatch(/bad file descriptor/i);
});

promise('a writable path that is missing keeps the command from starting', async () => {
  const result = await enclosed('true', { writable: ['/no/such/path'] });
  expect(result).toMatchObject({ kind: 'not_started', reason: expect.stringContaining('/no/such/path') });
});

promise('a folder reached through a symbolic link works', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'real'));
  await symlink('real', join(folder, 'link'));
  expect(await enclosed('touch here', { cwd: join(folder, 'link') })).toMatchObject({ code: 0 });
  expect((await stat(join(folder, 'real/here'))).isFile()).toBe(true);
});

promise('an enclosed command dies when we are killed', async () => {
  const cwd = await temporaryFolder();
  const module = pathToFileURL(join(import.meta.dirname, 'run-command.ts')).href;
  const request = {
    command: 'setsid sleep 1000 & touch up; sleep 1000',
    ...{ cwd, env: testEnvironment(), timeoutMs: 600_000, maxOutputBytes: 100 },
    ...{ isolation: 'required', network: false, writable: [] },
  };
  const script = `const { runCommand } = await import('${module}'); await runCommand(${JSON.stringify(request)});`;
  const runner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  await until('the command runs', async () => (await readFile(join(cwd, 'up')).catch(() => null)) !== null);
  expect((await processesIn(cwd)).length).toBeGreaterThan(0);
  runner.kill('SIGKILL');
  await untilNobodyIn(cwd);
});

test('without bubblewrap a command runs plainly, unless a sandbox is required', async () => {
  const none = await probeSandboxIn([await temporaryFolder()]);
  expect(none).toMatchObject({ isolation: 'plain', reason: 'bubblewrap (bwrap) is not installed' });
  const request = {
    ...{ command: 'echo ran', cwd: await temporaryFolder(), env: testEnvironment(), timeoutMs: 60_000 },
    ...{ maxOutputBytes: 100, network: false, writable: [] },
  };
  const auto = await runCommand({ ...request, isolation: 'auto' }, none);
  expect(auto).toMatchObject({ kind: 'exited', code: 0, isolation: 'plain', output: 'ran\n' });
  const required = runCommand({ ...request, isolation: 'required' }, none);
  await expect(required).rejects.toMatchObject({
    code: 'not_configured',
    fix: expect.stringContaining('install bubblewrap'),
  });
});

test('a bubblewrap that is there and does not work is not used, and the report says what it said', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'bwrap'), '#!/bin/sh\necho "no namespaces here" >&2; exit 1\n', {
    mode: 0o755,
  });
  const report = await probeSandboxIn([folder]);
  expect(report).toMatchObject({ isolation: 'plain', bubblewrap: undefined });
  expect(report.reason).toContain('no namespaces here');
});

test('a command may not write a file beyond its limit', async (context) => {
  if (!probe.prlimit) {
    warnUntested('the limit on file size', 'prlimit is not installed');
    context.skip('no prlimit');
  }
  const cwd = await temporaryFolder();
  const result = await runCommand({
    ...{ command: 'head -c 100000 /dev/zero > big', cwd, env: testEnvironment(), timeoutMs: 60_000 },
    ...{ maxOutputBytes: 100, network: false, writable: [], isolation: 'off', limits: { fileBytes: 4096 } },
  });
  expect(result.kind === 'exited' && result.code === 0).toBe(false);
  expect((await stat(join(cwd, 'big'))).size).toBe(4096);
});
