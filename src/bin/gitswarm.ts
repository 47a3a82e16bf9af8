#!/usr/bin/env node
import { nodeIsNewEnough } from './node-version.ts';

// Loaded only when Node is new enough to read it.
if (nodeIsNewEnough()) {
  import('../cli/main.ts').then(async ({ main }) => {
    process.exitCode = await main(process.argv.slice(2));
  });
} else {
  process.exitCode = 1;
}
