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
  return [
    atMost('from the request to each of 300 streams, 95 of 100', percentile(heard, 0.95), 50, ' ms'),
    atMost('from the request to a WebSocket, 95 of 100', await benchSocket(world, repo), 50, ' ms'),
  ];
}

/** From the request for what happens to the socket that hears of it, milliseconds. */
async function benchSocket(world: World, repoId: string): Promise<number> {
  const socket = new WebSocket(`${world.url.replace('http', 'ws')}/ws`);
  const waiting = new Map<string, () => void>();
  const told = (type: string) => new Promise<void>((done) => waiting.set(type, done));
  socket.onmessage = ({ data }) => waiting.get(JSON.parse(String(data)).type)?.();
  await new Promise((done) => {
    socket.onopen = done;
  });
  const ready = told('ready');
  socket.send(JSON.stringify({ type: 'auth', token: ADMIN }));
  await ready;
  const subscribed = told('subscribed');
  socket.send(JSON.stringify({ type: 'subscribe', repoId, types: ['task.created'] }));
  await subscribed;
  const times: number[] = [];
  for (let i = 0; i < 100; i++) {
    const heard = told('event');
    const start = performance.now();
    await world.ask(`POST /repos/${repoId}/tasks`, ADMIN, { title: `heard ${i}` });
    await heard;
    times.push(performance.now() - start);
  }
  socket.close();
  return percentile(times, 0.95);
}
