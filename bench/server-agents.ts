import { percentile, send } from './http-load.ts';
import { atMost, type Row } from './measure.ts';
import { ADMIN, ledger, memoryOf, type World } from './server-world.ts';

/** Fifty agents without git, each landing again and again. */
export async function benchAgents(world: World, seconds: number): Promise<Row[]> {
  const config = { merge_mode: 'swarm' };
  const { id: repo } = await world.ask('POST /repos', ADMIN, { name: 'worked on', config });
  const agents = await Promise.all(
    Array.from(
      { length: 50 },
      async (_, i) => (await world.ask('POST /agents', ADMIN, { name: `agent ${i}` })).apiKey as string,
    ),
  );
  const until = performance.now() + seconds * 1000;
  const landed: string[] = [];
  const codes = new Map<number, number>();
  const health: number[] = [];
  const work = async (key: string, n: number) => {
    const { id } = await world.ask(`POST /repos/${repo}/streams`, key, { name: `work ${n}` });
    for (let i = 0; performance.now() < until; i++) {
      const file = `${world.url}/api/v1/streams/${id}/files/agent-${n}/file-${i % 20}.txt`;
      const calls = [
        await send('PUT', file, { key, body: `${n} ${i}\n` }),
        await send('POST', `${world.url}/api/v1/streams/${id}/commits`, {
          key,
          body: { message: `work ${i}` },
        }),
      ];
      for (const { status } of calls) codes.set(status, (codes.get(status) ?? 0) + 1);
      const answer = calls[1] && calls[1].status < 300 ? JSON.parse(calls[1].text) : undefined;
      if (answer?.merged) landed.push(answer.commit);
    }
  };
  const watch = async () => {
    while (performance.now() < until) {
      health.push((await send('GET', `${world.url}/health`)).ms);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  await Promise.all([watch(), ...agents.map(work)]);
  const merges = new Set((await ledger(world, repo)).map(({ commit }) => commit)).size;
  const failures = [...codes].filter(([status]) => status >= 500).reduce((sum, [, count]) => sum + count, 0);
  const memory = await memoryOf(world);
  console.log(`\n  ${landed.length} landings, answers by status: ${JSON.stringify([...codes])}`);
  return [
    atMost('answers that failed', failures, 0, ''),
    atMost('landings more or fewer than were answered', Math.abs(merges - new Set(landed).size), 0, ''),
    atMost('/health, 99 of 100', percentile(health, 0.99), 100, ' ms'),
    atMost('memory of the server', memory, 300, ' MiB'),
  ];
}
