import { percentile } from './http-load.ts';
import { atMost, type Row } from './measure.ts';
import { ADMIN, type World } from './server-world.ts';

/** From a request to everybody who follows the log. */
export async function benchFollowers(world: World): Promise<Row[]> {
  const { id: repo } = await world.ask('POST /repos/register', ADMIN, { name: 'followed' });
  const abort = new AbortController();
  const keys = await Promise.all(
    Array.from(
      { length: 6 },
      async (_, i) => (await world.ask('POST /agents', ADMIN, { name: `follower ${i}` })).apiKey,
    ),
  );
  const heard: number[] = [];
  let sent = 0;
  let waiting: () => void = () => undefined;
  const followers = 300;
  await Promise.all(
    Array.from({ length: followers }, async (_, i) => {
      const response = await fetch(`${world.url}/api/v1/repos/${repo}/events?types=task.created`, {
        headers: { authorization: `Bearer ${keys[i % keys.length]}` },
        signal: abort.signal,
      });
      const read = async () => {
        for await (const bytes of response.body ?? []) {
          if (!Buffer.from(bytes).includes('event: task.created')) continue;
          heard.push(performance.now() - sent);
          if (heard.length % followers === 0) waiting();
        }
      };
      read().catch(() => undefined);
    }),
  );
  for (let round = 0; round < 5; round++) {
    const all = new Promise<void>((done) => {
      waiting = done;
    });
    sent = performance.now();
    await world.ask(`POST /repos/${repo}/tasks`, ADMIN, { title: `task ${round}` });
    await all;
  }
  abort.abort();
  return [atMost('from the request to each of 300 streams, 95 of 100', percentile(heard, 0.95), 50, ' ms')];
}
