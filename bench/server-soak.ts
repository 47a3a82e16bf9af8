import { Fleet, printWindows } from './agent-fleet.ts';
import { atMost, type Row } from './measure.ts';
import { ADMIN, startWorld } from './server-world.ts';

const AGENTS = 20;

/** Agents land for so long, and the server is killed with SIGKILL at random moments and started again. */
export async function benchSoak(seconds: number): Promise<Row[]> {
  const world = await startWorld();
  try {
    const config = { merge_mode: 'swarm' };
    const { id: repo } = await world.ask('POST /repos', ADMIN, { name: 'worked on', config });
    const fleet = new Fleet(world, repo);
    const windowMs = Math.max(5000, (seconds * 1000) / 20);
    const until = performance.now() + seconds * 1000;
    const restarts: number[] = [];
    const killing = (async () => {
      for (;;) {
        // Never twice at once: about ten times in all, at least every half minute.
        await new Promise((done) =>
          setTimeout(done, (0.5 + Math.random()) * Math.min(30_000, seconds * 100)),
        );
        if (performance.now() > until) return;
        restarts.push(await world.restart('SIGKILL'));
      }
    })();
    await fleet.work(AGENTS, { goesOn: () => performance.now() < until, windowMs });
    await killing;
    printWindows(fleet.windows, windowMs);
    const { landings, lost, twice, unlike } = await fleet.differences();
    console.log(
      `  ${landings} landings, ${restarts.length} kills, answers by status: ${JSON.stringify([...fleet.codes])}`,
    );
    const failed = [...fleet.codes]
      .filter(([status]) => status >= 500)
      .reduce((sum, [, count]) => sum + count, 0);
    return [
      atMost('ready again after a kill, the longest', Math.max(...restarts), 2000, ' ms'),
      atMost('answers with 5xx', failed, 0, ''),
      atMost('files that were answered and are not on the buffer', lost, 0, ''),
      atMost('landings that are there twice', twice, 0, ''),
      atMost('landings in git or the ledger alone', unlike, 0, ''),
      atMost('memory of the server in the end', fleet.windows.at(-1)?.memory ?? Number.NaN, 300, ' MiB'),
    ];
  } finally {
    await world.close();
  }
}
