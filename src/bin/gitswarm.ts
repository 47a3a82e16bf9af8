#!/usr/bin/env node
import { nodeIsNewEnough } from './node-version.ts';
import { renewForServer } from './renew-for-server.ts';

// Loaded only when Node is new enough to read it.
if (nodeIsNewEnough()) {
  renewForServer(process.argv.slice(2));
  import('../cli/main.ts').then(async ({ main }) => {
    process.exitCode = await main(process.argv.slice(2));
  });
} else {
  process.exitCode = 1;
}
