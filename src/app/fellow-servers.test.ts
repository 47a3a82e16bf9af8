import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { newId } from '../base/ids.ts';
import { tryLock } from '../machine/locks.ts';
import { holderOf, isHolderAlive } from '../machine/process-identity.ts';
import { signIn } from './fellow-servers.ts';

const [pid, start, boot, , host] = holderOf().split(' ');
/** The same machine, seen from another container: whether such a process lives cannot be seen. */
const elsewhere = [pid, start, boot, 'pid:[1]', host].join(' ');

/** What a server leaves in its data directory, with its lock where it still lives. */
function fellow(dataDir: string, { holder, lives }: { holder: string; lives: boolean }) {
  const id = newId();
  const lock = lives ? tryLock(dataDir, `server-${id}`) : undefined;
  writeFileSync(join(dataDir, 'servers', id), holder);
  onTestFinished(() => lock?.release());
  return { die: () => lock?.release() };
}

async function signedIn(dataDir = tempDir('data')) {
  const fellows = await signIn(dataDir, undefined);
  onTestFinished(() => fellows.close());
  return { dataDir, fellows };
}

it('knows of a server in another container whether it is alive', async () => {
  const { dataDir, fellows } = await signedIn();
  const { die } = fellow(dataDir, { holder: elsewhere, lives: true });
  expect(fellows.isAlive(elsewhere)).toBe(true);
  expect(fellows.deaths()).toBe(0);
  die();
  expect(isHolderAlive(elsewhere)).toBe(true);
  expect(fellows.isAlive(elsewhere)).toBe(false);
  expect(fellows.deaths()).toBe(1);
});

it('knows of those that died before it came, and goes by what it sees for all others', async () => {
  const { dataDir, fellows: before } = await signedIn();
  before.close();
  fellow(dataDir, { holder: elsewhere, lives: false });
  const { fellows } = await signedIn(dataDir);
  expect(fellows.isAlive(elsewhere)).toBe(false);
  expect(fellows.isAlive(holderOf())).toBe(true);
  expect(fellows.isAlive([pid, start, boot, 'pid:[2]', host].join(' '))).toBe(true);
});

it('refuses to work beside a server of another machine, whatever its locks look like', async () => {
  const { dataDir, fellows } = await signedIn();
  fellows.close();
  fellow(dataDir, { holder: [pid, start, 'another-boot', 'pid:[1]', 'box'].join(' '), lives: true });
  await expect(signIn(dataDir, undefined)).rejects.toMatchObject({ code: 'usage' });
});

it('the same work is done by one at a time, and by the next one when that is gone', async () => {
  const { fellows } = await signedIn();
  const done: string[] = [];
  const inside = () => fellows.inHouse('tidy', async () => void done.push('second'));
  await fellows.inHouse('tidy', async () => {
    await inside();
    done.push('first');
  });
  await inside();
  expect(done).toEqual(['first', 'second']);
});
