import { mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { randomHex } from '../../src/base/ids.ts';

const ROOT = resolve(import.meta.dirname, '../..');
let made: string | undefined;

/**
 * `drive.ts` and all it needs in one file, made when the first process is started: reading some three hundred files of
 * TypeScript would be most of what each of them does. It stands where libraries that are not in it are found.
 */
export function driveProgram(): string {
  if (made !== undefined) return made;
  const folder = resolve(ROOT, 'node_modules/.cache/gitswarm-tests');
  mkdirSync(folder, { recursive: true });
  const file = resolve(folder, `drive-${randomHex(8)}.mjs`);
  buildSync({
    entryPoints: [resolve(import.meta.dirname, 'drive.ts')],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    external: ['pg', 'pg-native'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  process.once('exit', () => rmSync(file, { force: true }));
  made = file;
  return file;
}
