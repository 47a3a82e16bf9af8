import { percentile, send } from './http-load.ts';
import { atMost, type Row } from './measure.ts';
import { ADMIN, type World } from './server-world.ts';

const STREAMS = 30;
const ROUNDS = 5;

/** One commit to a stream on which thirty others build, again and again, while a monitor asks whether the server lives. */
export async function benchCascade(world: World): Promise<Row[]> {
  const { id: repo } = await world.ask('POST /repos', ADMIN, {
    name: 'a fan',
    config: { merge_mode: 'review' },
  });
  const put = (stream: string, file: string, text: string) =>
    send('PUT', `${world.url}/api/v1/streams/${stream}/files/${file}`, { key: ADMIN, body: text });
  const commit = (stream: string, message: string) =>
    world.ask(`POST /streams/${stream}/commits`, ADMIN, { message });
  const { id: root } = await world.ask(`POST /repos/${repo}/streams`, ADMIN, { name: 'root' });
  await put(root, 'root.txt', 'begin\n');
  await commit(root, 'begin');
  for (let i = 0; i < STREAMS; i++) {
    const child = { name: `child ${i}`, parentStreamId: root };
    const { id } = await world.ask(`POST /repos/${repo}/streams`, ADMIN, child);
    await put(id, `child-${i}.txt`, 'mine\n');
    await commit(id, 'mine');
  }
  const health: number[] = [];
  let goesOn = true;
  const watch = async () => {
    while (goesOn) {
      health.push((await send('GET', `${world.url}/health`)).ms);
      await new Promise((done) => setTimeout(done, 2));
    }
  };
  const watching = watch();
  let rebased = 0;
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    await put(root, 'root.txt', `round ${round}\n`);
    rebased += (await commit(root, `round ${round}`)).cascade.rebased.length;
  }
  const each = (performance.now() - start) / ROUNDS;
  goesOn = false;
  await watching;
  return [
    {
      what: `streams that followed ${ROUNDS} commits`,
      measured: String(rebased),
      target: String(STREAMS * ROUNDS),
      holds: rebased === STREAMS * ROUNDS,
    },
    atMost('/health meanwhile, 99 of 100', percentile(health, 0.99), 100, ' ms'),
    { what: 'the whole commit', measured: `${each.toFixed(0)} ms`, target: '', holds: undefined },
  ];
}
