import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../support/databases.ts';
import { until } from '../support/process-fixture.ts';
import { ADMIN } from '../support/server.ts';
import { type ServerProcess, startProcess } from '../support/server-process.ts';
import { tempDir } from '../support/temp-dir.ts';

/** A repository at the servers with an approved stream of one file, made at one of them. */
async function approvedStream(server: ServerProcess, cloneUrl?: string) {
  const agent = async (name: string) =>
    (await server.ask('POST /agents', { as: ADMIN, body: { name } })).apiKey as string;
  const [owner, author] = [await agent('owner'), await agent('author')];
  const config = { merge_mode: 'review', min_reviews: 1 };
  const { id: repo } = await server.ask('POST /repos', {
    as: owner,
    body: { name: 'shared', config, cloneUrl },
  });
  await server.ask(`POST /repos/${repo}/maintainers`, { as: owner, body: { agent: 'author' } });
  const stream = await submitted(server, { repo, author, name: 'first' });
  await server.ask(`POST /streams/${stream}/reviews`, { as: owner, body: { verdict: 'approve' } });
  return { owner, author, repo, stream };
}

async function submitted(
  server: ServerProcess,
  { repo, author, name }: { repo: string; author: string; name: string },
): Promise<string> {
  const { id } = await server.ask(`POST /repos/${repo}/streams`, { as: author, body: { name } });
  await server.ask(`PUT /streams/${id}/files/${name}.txt`, { as: author, body: `${name}\n` });
  await server.ask(`POST /streams/${id}/commits`, { as: author, body: { message: name } });
  await server.ask(`POST /streams/${id}/submit`, { as: author, body: {} });
  return id;
}

/** Commits on the buffer's first-parent line that name this stream as what they land. */
function landingsInGit(data: string, repo: string, stream: string): number {
  const format = '--format=%(trailers:key=GitSwarm-Stream,valueonly)';
  const log = execFileSync('git', ['log', '--first-parent', format, 'buffer'], {
    cwd: join(data, 'repos', `${repo}.git`),
    encoding: 'utf8',
  });
  return log.split('\n').filter((line) => line.trim() === stream).length;
}

forEachDatabase((kind, makeDatabase) => {
  for (const step of ['merge.prepared', 'merge.moved', 'merge.landed']) {
    it(`a server killed at ${step}: the next one at its data directory finishes the landing, once, and pushes it`, async () => {
      const remote = tempDir('remote');
      execFileSync('git', ['init', '--quiet', '--bare', remote]);
      const mayClone = { GITSWARM_ALLOW_LOCAL_CLONES: '1' };
      const place = await makeDatabase.place();
      const data = tempDir('data');
      const dying = await startProcess({ place, data, variables: { ...mayClone, GITSWARM_CRASH_AT: step } });
      const fellow =
        kind === 'postgres' ? await startProcess({ place, data, variables: mayClone }) : undefined;
      const { owner, author, repo, stream } = await approvedStream(dying, remote);
      // The clone is open and mended at the other server before anything breaks.
      await fellow?.ask(`GET /streams/${stream}/diff`, { as: owner });
      const asked = dying.request(`POST /streams/${stream}/merge`, { as: author, body: {} });
      await expect(asked).rejects.toThrow();
      expect(await dying.ended).toBeNull();
      // Nobody asks for it again.
      const other = fellow ?? (await startProcess({ place, data, variables: mayClone }));
      await until('the other server has landed it', async () => {
        const { state } = await other.ask(`GET /streams/${stream}`, { as: author });
        return state === 'merged';
      });
      expect(landingsInGit(data, repo, stream)).toBe(1);
      const buffer = () =>
        execFileSync('git', ['ls-remote', remote, 'refs/heads/buffer'], { encoding: 'utf8' });
      const { mergedCommit } = await other.ask(`GET /streams/${stream}`, { as: author });
      await until('the remote has it', () => buffer().startsWith(mergedCommit));
      const { items } = await other.ask(`GET /repos/${repo}/merges?state=landed`, { as: author });
      expect(items).toHaveLength(1);
      const second = await submitted(other, { repo, author, name: 'second' });
      await other.ask(`POST /streams/${second}/reviews`, { as: owner, body: { verdict: 'approve' } });
      expect(await other.ask(`POST /streams/${second}/merge`, { as: author, body: {} })).toMatchObject({
        merged: true,
      });
    });
  }

  it.skipIf(kind === 'sqlite')('two servers that land at the same moment land everything once', async () => {
    const place = await makeDatabase.place();
    const data = tempDir('data');
    const servers = [await startProcess({ place, data }), await startProcess({ place, data })] as const;
    const { owner, author, repo, stream } = await approvedStream(servers[0]);
    const streams = [stream];
    for (const name of ['second', 'third', 'fourth']) {
      const id = await submitted(servers[1], { repo, author, name });
      await servers[0].ask(`POST /streams/${id}/reviews`, { as: owner, body: { verdict: 'approve' } });
      streams.push(id);
    }
    const asked = streams.map((id, n) => {
      const server = n % 2 === 0 ? servers[0] : servers[1];
      return server.ask(`POST /streams/${id}/merge`, { as: author, body: {} });
    });
    for (const merged of await Promise.all(asked)) expect(merged).toMatchObject({ merged: true });
    for (const id of streams) expect(landingsInGit(data, repo, id)).toBe(1);
    const same = { as: author, body: { name: 'once' }, headers: { 'idempotency-key': 'once' } };
    const made = await Promise.all(servers.map((server) => server.ask(`POST /repos/${repo}/streams`, same)));
    expect(made[0].id).toBe(made[1].id);
    expect(await servers[0].end('SIGTERM')).toBe(0);
    expect(await servers[1].request('GET /me', { as: author })).toMatchObject({ status: 200 });
  });

  it('a server refuses a data directory whose server it cannot work beside, until that is gone', async () => {
    const place = await makeDatabase.place();
    const data = tempDir('data');
    const first = await startProcess({ place, data });
    let wanted = data;
    if (kind === 'postgres') {
      wanted = join(tempDir('copy'), 'data');
      cpSync(join(data, 'servers'), join(wanted, 'servers'), { recursive: true });
    }
    await expect(startProcess({ place, data: wanted })).rejects.toThrow('is in use by');
    await first.end('SIGKILL');
    await startProcess({ place, data: wanted });
  });
});
