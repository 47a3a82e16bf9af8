import { cpus } from 'node:os';
import { printRows } from './measure.ts';
import { benchAgents } from './server-agents.ts';
import { benchCascade } from './server-cascade.ts';
import { benchFollowers } from './server-followers.ts';
import { benchLists } from './server-lists.ts';
import { benchPostgres } from './server-postgres.ts';
import { benchReads } from './server-reads.ts';
import { benchSoak } from './server-soak.ts';
import { startWorld } from './server-world.ts';

/**
 * `npm run bench:server -- [soak|postgres] [<seconds>]`: the server as a process of its own, under load from this one.
 * Without a word its typed reads, long lists, followers, a cascade and agents at work; `soak` kills it again and again while agents
 * land; `postgres` restarts its PostgreSQL meanwhile.
 */
const [scenario, given] = /^\d+$/.test(process.argv[2] ?? '')
  ? [undefined, process.argv[2]]
  : process.argv.slice(2);
console.log(`node ${process.versions.node}, ${cpus().length} cores`);

if (scenario === 'soak') printRows('soak', await benchSoak(Number(given ?? 300)));
else if (scenario === 'postgres')
  printRows('PostgreSQL restarted', await benchPostgres(Number(given ?? 300)));
else if (scenario !== undefined) throw new Error(`no scenario ${scenario}: soak, postgres, or none`);
else await benchLoad(Number(given ?? 20));

async function benchLoad(seconds: number): Promise<void> {
  const world = await startWorld();
  try {
    printRows('typed reads', await benchReads(world));
    printRows('long lists', await benchLists(world));
    printRows('followers of the log', await benchFollowers(world));
    printRows('a cascade of 30 streams', await benchCascade(world));
    printRows(`50 agents at work for ${seconds} s`, await benchAgents(world, seconds));
  } finally {
    await world.close();
  }
}
