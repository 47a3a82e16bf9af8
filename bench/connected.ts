import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { median, printRows, type Row, timed } from './measure.ts';
import { GIT_ENV, runQuiet } from './run-quiet.ts';
import { ADMIN, startWorld, type World } from './server-world.ts';

/**
 * `npm run bench:connected`: whole processes of the built program in a clone that a server on this machine decides for,
 * against the same in a clone that decides for itself; rounds alternate. What a connected command pays is a handful of
 * requests, and in a shared remote a push.
 */
const PROGRAM = resolve(import.meta.dirname, '../dist/gitswarm.cjs');
const ROUNDS = 9;
let rounds = 0;

if (!existsSync(PROGRAM)) throw new Error('run npm run build first');
console.log(`node ${process.versions.node}, ${cpus().length} cores`);
const dir = mkdtempSync(join(process.env.GITSWARM_BENCH_DIR ?? tmpdir(), 'gitswarm-bench-connected-'));
const world = await startWorld();
try {
  printRows('a connected clone against a local one', await compare(world));
} finally {
  await world.close();
  rmSync(dir, { recursive: true, force: true });
}

interface Clone {
  run(...args: string[]): Promise<string>;
  /** Changes a file of its workspace. */
  edit(round: number): void;
}

async function compare(server: World): Promise<Row[]> {
  const { apiKey } = await server.ask('POST /agents', ADMIN, { name: 'Ana', kind: 'human' });
  const local = await makeClone('local');
  const connected = await makeClone('connected', { url: server.url, key: apiKey });
  const away = await makeClone('away', { url: server.url, key: apiKey });
  const rows = [
    await against('status', { local, other: connected }, (clone) => clone.run('status', '--json')),
    await against('task list', { local, other: connected }, (clone) => clone.run('task', 'list', '--json')),
    await against('commit', { local, other: connected }, commit),
  ];
  const startAgain = await server.end('SIGKILL');
  rows.push(await against('commit while the server is away', { local, other: away }, commit));
  await startAgain();
  const kept = JSON.parse(await away.run('sync', 'flush', '--json')).data as { ok: number; sent: number };
  rows.push({
    what: 'calls that waited, sent in one batch',
    measured: `${kept.ok} of ${kept.sent}`,
    target: 'all',
    holds: kept.ok === kept.sent && kept.sent >= ROUNDS,
  });
  return rows;
}

function commit(clone: Clone): Promise<string> {
  clone.edit(rounds++);
  return clone.run('commit', '-m', 'change', '--json');
}

async function against(
  what: string,
  { local, other }: { local: Clone; other: Clone },
  work: (clone: Clone) => Promise<unknown>,
): Promise<Row> {
  const [here, there]: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    const times = [await timed(() => work(local)), await timed(() => work(other))] as const;
    if (round === 0) continue;
    here.push(times[0]);
    there.push(times[1]);
  }
  const [a, b] = [median(here), median(there)];
  return {
    what: `${what}: connected against local`,
    measured: `${(b / a).toFixed(2)}x`,
    target: `(${Math.round(a)} and ${Math.round(b)} ms)`,
    holds: undefined,
  };
}

async function makeClone(name: string, server?: { url: string; key: string }): Promise<Clone> {
  const [root, remote] = [join(dir, name), join(dir, `${name}.git`)];
  const git = (...args: string[]) => runQuiet('git', ['-C', root, ...args]);
  await runQuiet('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
  await runQuiet('git', ['init', '--quiet', '--initial-branch=main', root]);
  for (let i = 0; i < 200; i++) writeFileSync(join(root, `file-${i}.txt`), `${i}\n`);
  await git('config', 'user.name', 'Ana');
  await git('config', 'user.email', 'ana@example.org');
  await git('add', '-A');
  await git('commit', '--quiet', '-m', 'begin');
  await git('remote', 'add', 'origin', remote);
  await git('push', '--quiet', 'origin', 'main');
  const env = { ...GIT_ENV, GITSWARM_AGENT: 'Ana' };
  const run = (...args: string[]) => runQuiet(process.execPath, [PROGRAM, '-C', root, ...args], { env });
  if (server) await run('connect', '--server', server.url, '--token', server.key, '--new');
  else await run('init', '--owner', 'Ana');
  const made = JSON.parse(await run('workspace', 'create', '--json')) as { data: { path: string } };
  const { path } = made.data;
  const inside = (...args: string[]) => runQuiet(process.execPath, [PROGRAM, '-C', path, ...args], { env });
  return {
    run: inside,
    edit: (round) => writeFileSync(join(path, `file-${round % 200}.txt`), `round ${round}\n`),
  };
}
