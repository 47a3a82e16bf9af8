import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { lockHolder, tryLock, withLock } from './locks.ts';
import { isHolderAlive } from './process-identity.ts';

const start = promisify(execFile);
const program = (name: string) => new URL(`./fixtures/${name}.ts`, import.meta.url).pathname;

it('is held by one at a time, and free again once released', () => {
  const dir = tempDir('locks');
  const first = tryLock(dir, 'queue');
  expect(first).toBeDefined();
  expect(tryLock(dir, 'queue')).toBeUndefined();
  const other = tryLock(dir, 'worktree-add');
  expect(other).toBeDefined();
  other?.release();
  first?.release();
  first?.release();
  const again = tryLock(dir, 'queue');
  expect(again).toBeDefined();
  again?.release();
});

it('is released when what ran under it throws', async () => {
  const dir = tempDir('locks');
  const failing = withLock(dir, 'queue', async () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await withLock(dir, 'queue', async () => 1, { waitMs: 0 })).toBe(1);
});

it('says busy and who holds it after the time-out, having told once that it waits', async () => {
  const dir = tempDir('locks');
  const lock = tryLock(dir, 'queue');
  const told: string[] = [];
  const waiting = withLock(dir, 'queue', async () => 1, {
    waitMs: 40,
    onWait: (holder) => told.push(holder),
  });
  await expect(waiting).rejects.toMatchObject({
    code: 'busy',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  expect(told).toEqual([lockHolder(dir, 'queue')]);
  lock?.release();
});

it('lets 64 waiters of one process through', async () => {
  const dir = tempDir('locks');
  let inside = 0;
  let done = 0;
  await Promise.all(
    Array.from({ length: 64 }, () =>
      withLock(dir, 'queue', async () => {
        expect(++inside).toBe(1);
        await new Promise((next) => setImmediate(next));
        inside--;
        done++;
      }),
    ),
  );
  expect(done).toBe(64);
});

it('lets 64 processes through one after the other', async () => {
  const dir = tempDir('locks');
  const file = join(dir, 'number');
  writeFileSync(file, '0');
  const args = ['--no-warnings', program('add-one'), dir, 'queue', file];
  await Promise.all(Array.from({ length: 64 }, () => start(process.execPath, args)));
  expect(readFileSync(file, 'utf8')).toBe('64');
});

it('is freed by kill -9, even while a child of the holder lives on', async () => {
  const dir = tempDir('locks');
  const holder = spawn(process.execPath, ['--no-warnings', program('hold-lock'), dir, 'queue']);
  const [output] = await once(holder.stdout, 'data');
  const { locked, child } = JSON.parse(String(output));
  try {
    expect(locked).toBe(true);
    expect(tryLock(dir, 'queue')).toBeUndefined();
    expect(lockHolder(dir, 'queue')).toContain(`process ${holder.pid}`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(process.kill(child, 0)).toBe(true);
    const lock = tryLock(dir, 'queue');
    expect(lock).toBeDefined();
    lock?.release();
    const [line = ''] = readFileSync(join(dir, 'local/locks/queue.lock'), 'latin1').split('\n');
    expect(line).toBe('');
  } finally {
    process.kill(child, 'SIGKILL');
  }
});

it('refuses names that could lead elsewhere', () => {
  const dir = tempDir('locks');
  for (const name of ['', '../x', 'a/b', '.hidden', 'A', 'x'.repeat(101)]) {
    expect(() => tryLock(dir, name)).toThrow(expect.objectContaining({ code: 'internal' }));
  }
});

it('tells nothing wrong about a holder nobody knows', () => {
  expect(lockHolder(tempDir('locks'), 'queue')).toBe('another process');
  expect(isHolderAlive('nonsense')).toBe(false);
});
