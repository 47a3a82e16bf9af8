import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeHolder, holderOf, isHolderAlive, isInSight } from './process-identity.ts';

it('knows that this process is alive', () => {
  expect(isHolderAlive(holderOf())).toBe(true);
  expect(describeHolder(holderOf())).toContain(`process ${process.pid} on `);
});

it('knows that a process is gone once it was killed', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
  await once(child, 'spawn');
  const holder = holderOf(child.pid);
  expect(isHolderAlive(holder)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isHolderAlive(holder)).toBe(false);
});

const [pid, start, boot, namespace, host] = holderOf().split(' ');

it.skipIf(!existsSync('/proc/self/stat'))(
  'is not taken in by a pid that was used again, nor by a reboot',
  () => {
    expect(isHolderAlive([pid, Number(start) - 1, boot, namespace, host].join(' '))).toBe(false);
    expect(isHolderAlive([pid, start, 'another-boot', namespace, host].join(' '))).toBe(false);
  },
);

it('sees this machine outside other containers, and nothing else', () => {
  const [pid, start, boot, , host] = holderOf().split(' ');
  expect(isInSight(holderOf())).toBe(true);
  expect(isInSight([pid, start, boot, 'pid:[1]', host].join(' '))).toBe(false);
  expect(isInSight('4711 99 another-boot pid:[1] elsewhere')).toBe(false);
});

it('takes a process it cannot see for alive', () => {
  expect(isHolderAlive([pid, Number(start) - 1, boot, 'pid:[1]', host].join(' '))).toBe(true);
});

it.each(['', 'x', '0 - - - -', '-5 1 2 3 4'])('takes nobody for alive from "%s"', (text) => {
  expect(isHolderAlive(text)).toBe(false);
});
