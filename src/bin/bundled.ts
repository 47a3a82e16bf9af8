#!/usr/bin/env node
// The published program's first file, bundled by itself. It loads next to nothing before the bundle runs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import vm from 'node:vm';
import { keepCodeCache, openCodeCache } from './code-cache.ts';
import { nodeIsNewEnough } from './node-version.ts';
import { renewForServer } from './renew-for-server.ts';

/** Set by the build. */
declare const GITSWARM_VERSION: string;
/** A hash of the bundle. */
declare const GITSWARM_BUNDLE: string;

type Main = { main(argv: string[]): Promise<number> };

const words = process.argv.slice(2);

if (!nodeIsNewEnough()) {
  process.exitCode = 1;
} else if (words.length === 1 && words[0] === '--version') {
  process.stdout.write(`${GITSWARM_VERSION}\n`);
} else {
  renewForServer(words);
  const file = join(dirname(__filename), 'main.cjs');
  const cache = openCodeCache(GITSWARM_BUNDLE, words);
  // One byte a character: the build writes ASCII only.
  const wrapper = `(function (exports, require, module, __filename, __dirname) { ${readFileSync(file, 'latin1')}\n})`;
  const script = new vm.Script(wrapper, {
    filename: file,
    ...(cache.data ? { cachedData: cache.data } : {}),
  });
  const module: { exports: Main } = { exports: { main: async () => 1 } };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  // The bundle makes `module.exports` anew.
  module.exports.main(words).then((exit) => {
    process.exitCode = exit;
    if (exit === 0 && (!cache.data || script.cachedDataRejected)) keepCodeCache(cache, script);
  });
}
