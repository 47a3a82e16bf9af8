#!/usr/bin/env node
import module from 'node:module';
import v8 from 'node:v8';

// Written so that old versions of Node can parse it: they get a sentence instead of a stack trace.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`gitswarm needs Node 22.18 or newer; this is Node ${process.versions.node}.\n`);
  process.exitCode = 1;
} else {
  module.enableCompileCache?.();
  // A command lives for a tenth of a second: room for its garbage is cheaper than collecting it.
  v8.setFlagsFromString('--min-semi-space-size=32');
  import('../cli/main.ts').then(async ({ main }) => {
    process.exitCode = await main(process.argv.slice(2));
  });
}
