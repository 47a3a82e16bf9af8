import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { forEachDatabase } from '../support/databases.ts';
import { startEmbedded } from '../support/embedded-postgres.ts';
import { openStream } from '../support/followers.ts';
import { until } from '../support/process-fixture.ts';
import { makeServer, type Reply, type ServerForTests } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';

const WORKERS = 4;

/** An agent that works on one stream of its own, and asks the same again until it is answered. */
class Worker {
  readonly statuses = new Set<number>();
  readonly commits: string[] = [];
  readonly tasks: string[] = [];
  failures = 0;
  readonly #server: ServerForTests;
  readonly #key: string;

  constructor(server: ServerForTests, key: string) {
    this.#server = server;
    this.#key = key;
  }

  async work(repo: string, { name, goesOn }: { name: string; goesOn: () => boolean }): Promise<void> {
    const { id } = await this.#insist(`POST /repos/${repo}/streams`, { name }, `${name} stream`);
    for (let n = 0; goesOn(); n++) {
      const task = await this.#insist(
        `POST /repos/${repo}/tasks`,
        { title: `${name} ${n}` },
        `${name} task ${n}`,
      );
      this.tasks.push(task.id);
      await this.#insist(`PUT /streams/${id}/files/${name}-${n}.txt`, `${n}\n`, `${name} file ${n}`);
      const made = await this.#insist(
        `POST /streams/${id}/commits`,
        { message: `${name} ${n}` },
        `${name} commit ${n}`,
      );
      if (made.commit !== null) this.commits.push(made.commit);
    }
  }

  /** The same request with the same key, until it is answered; its stream may be landing already, by another's hand. */
  async #insist(what: string, body: unknown, key: string): Promise<Reply['body']> {
    const headers = { 'idempotency-key': key.replaceAll(' ', '-') };
    for (;;) {
      const reply = await this.#server.request(what, { as: this.#key, body, headers });
      this.statuses.add(reply.status);
      if (reply.status < 300) return reply.body;
      if (reply.body.error?.code === 'busy') continue;
      if (reply.status !== 503) throw new Error(`${what}: ${reply.status} ${JSON.stringify(reply.body)}`);
      this.failures++;
    }
  }
}

/** True where some server is connected to hear of events. */
async function listens(url: string): Promise<boolean> {
  const database = openDatabase({ url });
  try {
    const { rows } = await sql`select pid from pg_stat_activity
      where application_name = 'gitswarm events' and state = 'idle' and query like 'listen%'`.execute(
      database.read,
    );
    return rows.length > 0;
  } finally {
    await database.close();
  }
}

forEachDatabase((kind) => {
  if (kind !== 'postgres') return it.skip('is about PostgreSQL');

  it('PostgreSQL is restarted under load: 503 meanwhile, then all goes on, nothing lost and nothing twice', async () => {
    const postgres = await startEmbedded();
    onTestFinished(() => postgres.stop());
    const data = tempDir('data');
    const server = await makeServer({ place: { url: postgres.url }, data, switches: { sandbox: 'off' } });
    const owner = await server.agent('owner');
    const { id: repo } = await server.ask('POST /repos', {
      as: owner.key,
      body: { name: 'worked on', config: { merge_mode: 'swarm' } },
    });
    const stream = await openStream(
      `${server.url}/api/v1/repos/${repo}/events?types=task.created`,
      owner.key,
    );
    const workers: Worker[] = [];
    for (let n = 0; n < WORKERS; n++) {
      const { id, key } = await server.agent(`worker ${n}`);
      const body = { agentId: id, level: 'write' };
      await server.ask(`POST /repos/${repo}/access`, { as: owner.key, body });
      workers.push(new Worker(server, key));
    }
    let goesOn = true;
    const working = workers.map((worker, n) => worker.work(repo, { name: `w${n}`, goesOn: () => goesOn }));
    const readiness = async () => (await server.request('GET //ready')).status;
    const done = () => workers.map(({ commits }) => commits.length);

    await until('everybody has landed something', () => done().every((count) => count > 1));
    await postgres.halt();
    await until('everybody is told', () => workers.every(({ failures }) => failures > 0));
    expect(await readiness()).toBe(503);
    expect((await server.request('GET //health')).status).toBe(200);
    await postgres.start();
    const before = done();
    await until('everybody goes on', () => done().every((count, n) => count > (before[n] ?? 0) + 1));
    expect(await readiness()).toBe(200);
    await until('the server listens for the events of others again', () => listens(postgres.url));
    goesOn = false;
    await Promise.all(working);

    for (const { statuses } of workers)
      expect([...statuses].filter((status) => status >= 500)).toEqual([503]);
    const tasks = workers.flatMap((worker) => worker.tasks);
    await stream.events.until(() => stream.events.all.length >= tasks.length);
    const told = stream.events.all.map(({ data: event }) => event.subject.id);
    expect(told.toSorted()).toEqual(tasks.toSorted());

    const ids = execFileSync(
      'git',
      ['log', '--first-parent', '--format=%(trailers:key=GitSwarm-Merge,valueonly)', 'buffer'],
      {
        cwd: join(data, 'repos', `${repo}.git`),
        encoding: 'utf8',
      },
    );
    const inGit = ids.split('\n').filter((line) => line !== '');
    expect(new Set(inGit).size).toBe(inGit.length);
    const recorded: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await server.ask(`GET /repos/${repo}/merges?state=landed&limit=200${cursor}`, {
        as: owner.key,
      });
      recorded.push(...page.items.map((merge: { id: string }) => merge.id));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    expect(recorded.toSorted()).toEqual(inGit.toSorted());
    const files = execFileSync('git', ['ls-tree', '--name-only', 'buffer'], {
      cwd: join(data, 'repos', `${repo}.git`),
      encoding: 'utf8',
    });
    for (const [n, { tasks: made }] of workers.entries())
      expect(files.split('\n').filter((file) => file.startsWith(`w${n}-`))).toHaveLength(made.length);
  });
});
