import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { gitFixture } from '../support/git-fixture.ts';
import { KEPT, PROGRAM } from '../support/program.ts';
import { ADMIN, send } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';

/** A server as a process of its own, so that it can be killed. */
async function startProcess(
  data: string,
  env: Record<string, string> = {},
): Promise<{ url: string; kill(): Promise<void>; ended: Promise<void> }> {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, 'server', '--port', '0', '--data', data], {
    env: {
      PATH: process.env.PATH,
      ...KEPT,
      HOME: data,
      GITSWARM_ADMIN_TOKEN: ADMIN,
      GITSWARM_RATE_LIMIT: 'off',
      GITSWARM_LOG_LEVEL: 'silent',
      GITSWARM_SANDBOX: 'off',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const kill = () => {
    child.kill('SIGKILL');
    return ended;
  };
  onTestFinished(kill);
  const url = await new Promise<string>((done, fail) => {
    let said = '';
    child.stderr?.on('data', (bytes) => {
      said += bytes;
      const found = /listening on (http:\S+)/.exec(said)?.[1];
      if (found) done(found);
    });
    child.once('exit', () => fail(new Error(said)));
  });
  return { url, kill, ended };
}

/** What the server of `data` answers; throws for anything but an answer. */
async function answered(url: string, what: string, as: string, body?: unknown) {
  const reply = await send(url, what, { as, body });
  if (reply.status >= 300) throw new Error(`${what}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body;
}

/** The steps of what a server does on its clones; the others are those of the command line. */
const steps = ['hosted.branched', 'staged.written', 'staged.committed', 'hosted.resolved'];

it.each(steps)('dies at %s, and the same request brings it to its end afterwards', async (step) => {
  const data = tempDir('killed-at');
  let server = await startProcess(data);
  const ask = (what: string, body?: unknown) => answered(server.url, what, ADMIN, body);
  const { id: repo } = await ask('POST /repos', { name: 'demo', config: { merge_mode: 'swarm' } });
  const stream = async () => (await ask(`POST /repos/${repo}/streams`, { name: 'work' })).id as string;
  const put = (id: string, content: string) =>
    ask(`PUT /streams/${id}/files/a.txt`, { content, encoding: 'utf8' });
  const commit = (id: string) =>
    send(server.url, `POST /streams/${id}/commits`, { as: ADMIN, body: { message: 'work' } });
  const [first, second] = [await stream(), await stream()];
  await put(first, 'one\n');
  if (step === 'hosted.resolved') {
    await commit(first);
    await put(second, 'two\n');
    await commit(second);
  }
  const request = {
    'hosted.branched': () => stream(),
    'hosted.resolved': () =>
      ask(`POST /streams/${second}/resolve`, { files: { 'a.txt': { content: 'both\n' } } }),
  }[step];
  const again = request ?? (() => commit(first));
  await server.kill();
  server = await startProcess(data, { GITSWARM_CRASH_AT: step });
  await expect(again()).rejects.toThrow();
  await server.ended;
  server = await startProcess(data);
  // A resolution that had reached the branch is taken in by itself; then nothing is left to be resolved.
  if (step === 'hosted.resolved') await expect(again()).rejects.toThrow('conflicts with nothing');
  // A commit that had reached the branch is told of, recorded and landed.
  else if (step === 'staged.committed') expect((await commit(first)).body).toMatchObject({ merged: true });
  else await again();
  const last = step === 'hosted.resolved' ? second : first;
  await put(last, 'last\n');
  expect((await commit(last)).body).toMatchObject({ merged: true });
  const clone = join(data, 'repos', `${repo}.git`);
  const git = gitFixture();
  expect(git.gitIn(clone, 'show', 'buffer:a.txt')).toBe('last');
  git.gitIn(clone, 'fsck', '--strict', '--no-dangling');
});

it.each(['bundle.unpacked', 'bundle.recorded'])(
  'dies at %s, and the same upload is taken afterwards',
  async (step) => {
    const data = tempDir('killed-at');
    const git = gitFixture({ branch: 'main' });
    const head = git.commit('Begin', { 'a.txt': 'one\n' });
    git.git('bundle', 'create', '--quiet', join(git.top, 'it.bundle'), 'main');
    const body = readFileSync(join(git.top, 'it.bundle'));
    let server = await startProcess(data, { GITSWARM_CRASH_AT: step });
    const { id: repo } = await answered(server.url, 'POST /repos', ADMIN, { name: 'demo' });
    await expect(answered(server.url, `POST /repos/${repo}/bundle`, ADMIN, body)).rejects.toThrow();
    await server.ended;
    server = await startProcess(data);
    await answered(server.url, `POST /repos/${repo}/bundle`, ADMIN, body);
    const clone = join(data, 'repos', `${repo}.git`);
    expect(git.gitIn(clone, 'rev-parse', 'main', 'buffer')).toBe(`${head}\n${head}`);
    git.gitIn(clone, 'fsck', '--strict', '--no-dangling');
  },
);

it('killed in the midst of a batch it has done each event once when the batch is sent again', async () => {
  const data = tempDir('killed-batch');
  let server = await startProcess(data);
  const ask = (what: string, body?: unknown) => answered(server.url, what, ADMIN, body);
  const { id: repoId } = await ask('POST /repos/register', { name: 'demo' });
  const streamId = '0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e';
  const oid = (n: number) => n.toString(16).padStart(40, '0');
  const created_at = '2026-01-01T00:00:00Z';
  const commits = Array.from({ length: 60 }, (_, i) => ({ streamId, message: `c${i}`, commit: oid(i + 1) }));
  const calls = [
    ['stream_created', { repoId, streamId, name: 'work' }],
    ...commits.map((data) => ['commit', data]),
    ['stream.submit', { stream: streamId }],
  ];
  const events = calls.map(([type, data], seq) => ({ seq, type, data, created_at }));
  const log = async () => (await ask(`GET /repos/${repoId}/activity?limit=200`)).items as { type: string }[];
  for (const atLeast of [5, 25]) {
    const dying = ask('POST /sync/batch', { events }).catch(() => undefined);
    await expect.poll(async () => (await log()).length, { interval: 5 }).toBeGreaterThan(atLeast);
    await server.kill();
    await dying;
    server = await startProcess(data);
  }
  const { results } = await ask('POST /sync/batch', { events });
  expect(results.filter((each: { status: string }) => each.status === 'error')).toEqual([]);
  const types = (await log()).map((event) => event.type);
  const count = (type: string) => types.filter((each) => each === type).length;
  expect([count('stream.created'), count('stream.committed'), count('stream.submitted')]).toEqual([1, 60, 1]);
});

it('killed in the midst of work it loses nothing it has answered, and does nothing twice', async () => {
  const data = tempDir('killed');
  let server = await startProcess(data);
  const ask = async (what: string, as: string, body?: unknown) => {
    const reply = await send(server.url, what, { as, body });
    if (reply.status >= 300) throw new Error(`${what}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  };
  const config = { merge_mode: 'swarm' };
  const { id: repo } = await ask('POST /repos', ADMIN, { name: 'demo', config });
  const keys = await Promise.all(
    Array.from(
      { length: 5 },
      async (_, i) => (await ask('POST /agents', ADMIN, { name: `agent ${i}` })).apiKey as string,
    ),
  );
  const streams = await Promise.all(
    keys.map(async (key) => (await ask(`POST /repos/${repo}/streams`, key, { name: 'work' })).id as string),
  );
  const answered: string[] = [];
  let count = 0;
  for (const killAfter of [4, 7, 11]) {
    const goal = answered.length + killAfter;
    let isDead = false;
    const work = async (key: string, n: number) => {
      while (!isDead) {
        try {
          await ask(`PUT /streams/${streams[n]}/files/f${n}/${count++}.txt`, key, `${n}`);
          const made = await ask(`POST /streams/${streams[n]}/commits`, key, { message: 'work' });
          if (made.merged) answered.push(made.commit);
          if (answered.length >= goal) isDead = true;
        } catch {
          isDead = true;
        }
      }
    };
    const working = Promise.race(keys.map(work));
    await working;
    await server.kill();
    isDead = true;
    server = await startProcess(data);
  }
  for (const [n, key] of keys.entries()) {
    await ask(`PUT /streams/${streams[n]}/files/last-${n}.txt`, key, 'last');
    expect(await ask(`POST /streams/${streams[n]}/commits`, key, { message: 'last' })).toMatchObject({
      merged: true,
    });
  }
  const landed: { id: string; commit: string; head: string }[] = [];
  for (let cursor = ''; ; ) {
    const page = await ask(`GET /repos/${repo}/merges?limit=200${cursor && `&cursor=${cursor}`}`, ADMIN);
    const open = page.items.filter((merge: { state: string }) =>
      ['requested', 'prepared'].includes(merge.state),
    );
    expect(open).toEqual([]);
    landed.push(...page.items.filter((merge: { state: string }) => merge.state === 'landed'));
    if (!page.nextCursor) break;
    cursor = page.nextCursor;
  }
  const git = gitFixture();
  const clone = join(data, 'repos', `${repo}.git`);
  const log = git.gitIn(
    clone,
    'log',
    '--format=%(trailers:key=GitSwarm-Merge,valueonly,separator=%x2C)',
    'buffer',
  );
  const trailers = log.split('\n').filter((line) => line !== '');
  expect(new Set(trailers).size).toBe(trailers.length);
  expect(new Set(trailers)).toEqual(new Set(landed.map((merge) => merge.id)));
  for (const commit of answered)
    expect(git.tryGit(clone, 'merge-base', '--is-ancestor', commit, 'buffer').status).toBe(0);
  git.gitIn(clone, 'fsck', '--strict', '--no-dangling');
});
