import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished, TestRunner } from 'vitest';

/** A new directory that is removed when the test ends, or the file where no test is running. Its path has no symlinks. */
export function tempDir(label = 'test'): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), `gitswarm-${label}-`)));
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  if (TestRunner.getCurrentTest()) onTestFinished(remove);
  else afterAll(remove);
  return dir;
}
