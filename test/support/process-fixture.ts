import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { RunProcess } from '../../src/providers/run-process.ts';
import { commandEnvironment } from '../../src/sandbox/command-environment.ts';
import { runCommand } from '../../src/sandbox/run-command.ts';

/** A folder of the test's own, with a blank and an umlaut in its name, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'gitswarm prüf-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A clean environment that finds the tests' Node first. */
export function testEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  return commandEnvironment({ base: { PATH: `${join(process.execPath, '..')}:/usr/bin:/bin` }, extra });
}

/** What the application hands to agent adapters, without isolation. */
export const plainRun: RunProcess = (request) =>
  runCommand({ ...request, isolation: 'off', network: true, writable: [] });

/** Waits until the condition holds; gives up, loudly, after a time no working machine needs. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (await holds()) return;
    await pause(10);
  }
  throw new Error(`Waited in vain until ${what}`);
}

/** Waits until no process works in the folder any more: inside a sandbox ids differ, the folder does not (Linux). */
export async function untilNobodyIn(folder: string): Promise<void> {
  await until(`nobody works in ${folder}`, async () => (await processesIn(folder)).length === 0);
}

export async function processesIn(folder: string): Promise<string[]> {
  const wanted = await stat(folder);
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await stat(`/proc/${pid}/cwd`).catch(() => undefined);
      return cwd?.ino === wanted.ino && cwd.dev === wanted.dev ? [pid] : [];
    }),
  );
  return found.flat();
}

/** Says on stderr that something was not tested, so that a green run does not hide it. */
export function warnUntested(what: string, why: string): void {
  process.stderr.write(`NOT TESTED: ${what}: ${why}\n`);
}
