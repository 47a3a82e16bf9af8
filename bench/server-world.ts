import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Served, send, serve } from './http-load.ts';

/** Administers the server of every scenario. */
export const ADMIN = `gsw_bench-${'0'.repeat(40)}`;

/** A server that is measured, and how to ask it. */
export interface World {
  /** Its data directory; removed in the end. */
  dir: string;
  url: string;
  /** A request of somebody; anything but success is thrown. */
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is looked at field by field
  ask(what: string, key: string, body?: unknown): Promise<any>;
  process(): Served;
  /** Ends it with a signal, and starts it again where it listened; answers the milliseconds until it is ready. */
  restart(signal: NodeJS.Signals): Promise<number>;
  /** Ends it with a signal; the answer starts it again. */
  end(signal: NodeJS.Signals): Promise<() => Promise<number>>;
  close(): Promise<void>;
}

export async function startWorld(options: { db?: string } = {}): Promise<World> {
  const dir = mkdtempSync(join(process.env.GITSWARM_BENCH_DIR ?? tmpdir(), 'gitswarm-bench-server-'));
  const start = (port: string) =>
    serve(
      [
        'src/bin/gitswarm.ts',
        'server',
        '--port',
        port,
        '--data',
        dir,
        ...(options.db ? ['--db', options.db] : []),
      ],
      {
        GITSWARM_ADMIN_TOKEN: ADMIN,
        GITSWARM_RATE_LIMIT: 'off',
        GITSWARM_LOG_LEVEL: 'error',
        GITSWARM_SANDBOX: 'off',
      },
    );
  let server = await start('0');
  const { url } = server;
  const end = async (signal: NodeJS.Signals) => {
    await server.stop(signal);
    return async () => {
      const since = performance.now();
      server = await start(new URL(url).port);
      await send('GET', `${url}/ready`);
      return performance.now() - since;
    };
  };
  return {
    dir,
    url,
    async ask(what, key, body) {
      const [method = '', path = ''] = what.split(' ');
      const answer = await send(method, `${url}/api/v1${path}`, { key, body });
      if (answer.status >= 300) throw new Error(`${what}: ${answer.status} ${answer.text}`);
      return JSON.parse(answer.text);
    },
    process: () => server,
    restart: async (signal) => (await end(signal))(),
    end,
    async close() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Identity of every landing in the ledger of a repository, each once. */
export async function ledger(world: World, repo: string): Promise<{ id: string; commit: string }[]> {
  const landed: { id: string; commit: string }[] = [];
  for (let cursor = ''; ; ) {
    const page = await world.ask(
      `GET /repos/${repo}/merges?state=landed&limit=200${cursor && `&cursor=${cursor}`}`,
      ADMIN,
    );
    landed.push(...page.items);
    if (!page.nextCursor) return landed;
    cursor = page.nextCursor;
  }
}

/** Megabytes the server holds now. */
export async function memoryOf(world: World): Promise<number> {
  const metrics = (await send('GET', `${world.url}/metrics`)).text;
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]) / 1024 ** 2;
}
