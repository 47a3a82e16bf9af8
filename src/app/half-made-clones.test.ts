import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { halfMadePlace, removeHalfMade } from './half-made-clones.ts';

it('takes away clones that nobody finishes any more, and no other', () => {
  const repos = tempDir('repos');
  const now = Date.now();
  const [old, young, whole] = [halfMadePlace(repos), halfMadePlace(repos), join(repos, 'whole.git')];
  for (const place of [old, young, whole]) {
    mkdirSync(place);
    writeFileSync(join(place, 'HEAD'), 'ref: refs/heads/main\n');
  }
  for (const place of [old, whole]) utimesSync(place, new Date(now), new Date(now - 2 * 3_600_000));
  removeHalfMade(repos, now);
  expect([old, young, whole].map((place) => existsSync(place))).toEqual([false, true, true]);
});
