import { startEmbedded } from '../test/support/embedded-postgres.ts';
import { Fleet, printWindows } from './agent-fleet.ts';
import { send } from './http-load.ts';
import { atMost, type Row } from './measure.ts';
import { ADMIN, startWorld, type World } from './server-world.ts';

const AGENTS = 10;
/** So long it is away each time. */
const AWAY_MS = 1000;

/** Agents land for so long, and PostgreSQL is stopped and started again under them. */
export async function benchPostgres(seconds: number): Promise<Row[]> {
  const postgres = await startEmbedded();
  const world = await startWorld({ db: postgres.url });
  try {
    const config = { merge_mode: 'swarm' };
    const { id: repo } = await world.ask('POST /repos', ADMIN, { name: 'worked on', config });
    const fleet = new Fleet(world, repo);
    const windowMs = Math.max(5000, (seconds * 1000) / 20);
    const until = performance.now() + seconds * 1000;
    const waits: number[] = [];
    const restarting = (async () => {
      for (;;) {
        await pause((0.5 + Math.random()) * Math.min(30_000, seconds * 150));
        if (performance.now() > until) return;
        await postgres.halt();
        await pause(AWAY_MS);
        await postgres.start();
        waits.push(await untilReady(world));
      }
    })();
    await fleet.work(AGENTS, { goesOn: () => performance.now() < until, windowMs });
    await restarting;
    printWindows(fleet.windows, windowMs);
    const { landings, lost, twice, unlike } = await fleet.differences();
    console.log(
      `  ${landings} landings, ${waits.length} restarts, answers by status: ${JSON.stringify([...fleet.codes])}`,
    );
    const others = [...fleet.codes].filter(([status]) => status >= 500 && status !== 503);
    return [
      atMost('ready after PostgreSQL is back, the longest', Math.max(...waits), 2000, ' ms'),
      atMost(
        'answers with 5xx other than 503',
        others.reduce((sum, [, count]) => sum + count, 0),
        0,
        '',
      ),
      atMost('requests that nobody answered', fleet.codes.get(0) ?? 0, 0, ''),
      atMost('files that were answered and are not on the buffer', lost, 0, ''),
      atMost('landings that are there twice', twice, 0, ''),
      atMost('landings in git or the ledger alone', unlike, 0, ''),
    ];
  } finally {
    await world.close();
    await postgres.stop();
  }
}

async function untilReady(world: World): Promise<number> {
  const since = performance.now();
  while ((await send('GET', `${world.url}/ready`)).status !== 200) await pause(20);
  return performance.now() - since;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
