import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile, send, serve, throughput } from './http-load.ts';
import { atLeast, atMost, median, printRows, type Row } from './measure.ts';

/**
 * `npm run bench:server [-- <seconds>]`: the server as a process of its own, under load from this one. Its typed reads
 * against a bare route that reads the same row; agents at work for so many seconds; followers of the log; long lists.
 */
const seconds = Number(process.argv[2] ?? 20);
const top = mkdtempSync(join(process.env.GITSWARM_BENCH_DIR ?? tmpdir(), 'gitswarm-bench-server-'));
const ADMIN = `gsw_bench-${'0'.repeat(40)}`;
const server = await serve(['src/bin/gitswarm.ts', 'server', '--port', '0', '--data', top], {
  GITSWARM_ADMIN_TOKEN: ADMIN,
  GITSWARM_RATE_LIMIT: 'off',
  GITSWARM_LOG_LEVEL: 'error',
});
const bare = await serve(['bench/bare-route.ts', join(top, 'gitswarm.db')]);
console.log(`node ${process.versions.node}, ${cpus().length} cores, ${top}`);

const ask = async (what: string, key: string, body?: unknown) => {
  const [method = '', path = ''] = what.split(' ');
  const answer = await send(method, `${server.url}/api/v1${path}`, { key, body });
  if (answer.status >= 300) throw new Error(`${what}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text);
};

try {
  printRows('typed reads', await benchReads());
  printRows('long lists', await benchLists());
  printRows('followers of the log', await benchFollowers());
  printRows(`50 agents at work for ${seconds} s`, await benchAgents());
} finally {
  await Promise.all([server.stop(), bare.stop()]);
  rmSync(top, { recursive: true, force: true });
}

async function benchReads(): Promise<Row[]> {
  const { id: repo } = await ask('POST /repos/register', ADMIN, { name: 'reads' });
  const { id } = await ask(`POST /repos/${repo}/tasks`, ADMIN, { title: 'one' });
  const ratios: number[] = [];
  const load = { callers: 32, ms: 2000 };
  const ours = () => throughput(() => send('GET', `${server.url}/api/v1/tasks/${id}`, { key: ADMIN }), load);
  const theirs = () => throughput(() => send('GET', `${bare.url}/tasks/${id}`), load);
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

async function benchLists(): Promise<Row[]> {
  const repoWith = async (count: number) => {
    const { id } = await ask('POST /repos/register', ADMIN, { name: `list ${count}` });
    for (let i = 0; i < count; i += 50) {
      await Promise.all(
        Array.from({ length: Math.min(50, count - i) }, () =>
          ask(`POST /repos/${id}/streams`, ADMIN, { name: 'x' }),
        ),
      );
    }
    return id as string;
  };
  const [few, many] = [await repoWith(200), await repoWith(5000)];
  const times: Record<string, number[]> = { [few]: [], [many]: [] };
  for (let i = 0; i < 40; i++)
    for (const id of [few, many]) {
      const { ms } = await send('GET', `${server.url}/api/v1/repos/${id}/streams?limit=50`, { key: ADMIN });
      times[id]?.push(ms);
    }
  return [
    atMost(
      'a page of 5,000 streams against one of 200',
      median(times[many] ?? []) / median(times[few] ?? []),
      2,
    ),
  ];
}

async function benchFollowers(): Promise<Row[]> {
  const { id: repo } = await ask('POST /repos/register', ADMIN, { name: 'followed' });
  const abort = new AbortController();
  const keys = await Promise.all(
    Array.from(
      { length: 6 },
      async (_, i) => (await ask('POST /agents', ADMIN, { name: `follower ${i}` })).apiKey,
    ),
  );
  const heard: number[] = [];
  let sent = 0;
  let waiting: () => void = () => undefined;
  const followers = 300;
  await Promise.all(
    Array.from({ length: followers }, async (_, i) => {
      const response = await fetch(`${server.url}/api/v1/repos/${repo}/events?types=task.created`, {
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
    await ask(`POST /repos/${repo}/tasks`, ADMIN, { title: `task ${round}` });
    await all;
  }
  abort.abort();
  return [atMost('from the request to each of 300 streams, 95 of 100', percentile(heard, 0.95), 50, ' ms')];
}

async function benchAgents(): Promise<Row[]> {
  const config = { merge_mode: 'swarm' };
  const { id: repo } = await ask('POST /repos', ADMIN, { name: 'worked on', config });
  const agents = await Promise.all(
    Array.from(
      { length: 50 },
      async (_, i) => (await ask('POST /agents', ADMIN, { name: `agent ${i}` })).apiKey as string,
    ),
  );
  const until = performance.now() + seconds * 1000;
  const landed: string[] = [];
  const codes = new Map<number, number>();
  const health: number[] = [];
  const work = async (key: string, n: number) => {
    const { id } = await ask(`POST /repos/${repo}/streams`, key, { name: `work ${n}` });
    for (let i = 0; performance.now() < until; i++) {
      const file = `${server.url}/api/v1/streams/${id}/files/agent-${n}/file-${i % 20}.txt`;
      const calls = [
        await send('PUT', file, { key, body: `${n} ${i}\n` }),
        await send('POST', `${server.url}/api/v1/streams/${id}/commits`, {
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
      health.push((await send('GET', `${server.url}/health`)).ms);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  await Promise.all([watch(), ...agents.map(work)]);
  const merges = await landings(repo);
  const failures = [...codes].filter(([status]) => status >= 500).reduce((sum, [, count]) => sum + count, 0);
  const metrics = (await send('GET', `${server.url}/metrics`)).text;
  const memory = Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]) / 1024 ** 2;
  console.log(`\n  ${landed.length} landings, answers by status: ${JSON.stringify([...codes])}`);
  return [
    atMost('answers that failed', failures, 0, ''),
    atMost('landings more or fewer than were answered', Math.abs(merges - new Set(landed).size), 0, ''),
    atMost('/health, 99 of 100', percentile(health, 0.99), 100, ' ms'),
    atMost('memory of the server', memory, 300, ' MiB'),
  ];
}

/** How many landings the ledger holds; each is one commit. */
async function landings(repo: string): Promise<number> {
  const commits = new Set<string>();
  for (let cursor = ''; ; ) {
    const page = await ask(
      `GET /repos/${repo}/merges?state=landed&limit=200${cursor && `&cursor=${cursor}`}`,
      ADMIN,
    );
    for (const merge of page.items) commits.add(merge.commit);
    if (!page.nextCursor) return commits.size;
    cursor = page.nextCursor;
  }
}
