import { join } from 'node:path';
import { send, serve, throughput } from './http-load.ts';
import { atLeast, median, type Row } from './measure.ts';
import { ADMIN, type World } from './server-world.ts';

/** Typed reads against a bare route that reads the same row. */
export async function benchReads(world: World): Promise<Row[]> {
  const bare = await serve(['bench/bare-route.ts', join(world.dir, 'gitswarm.db')]);
  try {
    return await compare(world, bare.url);
  } finally {
    await bare.stop();
  }
}

async function compare(world: World, bare: string): Promise<Row[]> {
  const { id: repo } = await world.ask('POST /repos/register', ADMIN, { name: 'reads' });
  const { id } = await world.ask(`POST /repos/${repo}/tasks`, ADMIN, { title: 'one' });
  const ratios: number[] = [];
  const load = { callers: 32, ms: 2000 };
  const ours = () => throughput(() => send('GET', `${world.url}/api/v1/tasks/${id}`, { key: ADMIN }), load);
  const theirs = () => throughput(() => send('GET', `${bare}/tasks/${id}`), load);
  await ours();
  await theirs();
  for (let round = 0; round < 3; round++) {
    // In turn first and second: a machine gets slower and faster while it is measured.
    const [first, second] = round % 2 === 0 ? [ours, theirs] : [theirs, ours];
    const [a, b] = [await first(), await second()];
    ratios.push(round % 2 === 0 ? a / b : b / a);
  }
  return [atLeast('reading a task, against a bare route with the same row', median(ratios), 0.6)];
}
