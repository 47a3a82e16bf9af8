import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { showAgent } from '../../src/contract/agents.ts';
import { localAuthority } from '../../src/operations/authority.ts';
import { examine } from '../../src/workflows/doctor/doctor.ts';
import { until } from '../support/process-fixture.ts';
import { KEPT, PROGRAM } from '../support/program.ts';
import { makeServer, type ServerForTests } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';

/** Runs the program beside this one; what it answers. */
async function gitswarm(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--json'], {
    env: { ...KEPT, PATH: process.env.PATH, HOME: tempDir('home') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString('utf8');
  });
  const code = await new Promise((done) => child.once('exit', done));
  return { code, ...JSON.parse(out) };
}

/** Lands one file after the other, until it is told to stop. */
async function work(
  server: ServerForTests,
  { key, repo, landed }: { key: string; repo: string; landed: string[] },
) {
  const { id } = await server.ask(`POST /repos/${repo}/streams`, { as: key, body: { name: 'work' } });
  let goesOn = true;
  const working = (async () => {
    for (let n = 0; goesOn; n++) {
      await server.ask(`PUT /streams/${id}/files/${id}-${n}.txt`, { as: key, body: `${n}\n` });
      const made = await server.ask(`POST /streams/${id}/commits`, { as: key, body: { message: `${n}` } });
      if (made.merged) landed.push(made.commit);
    }
  })();
  return () => {
    goesOn = false;
    return working;
  };
}

it('a backup of a server at work holds all that had landed, and a server on its restored copy goes on with it', async () => {
  const data = tempDir('data');
  const server = await makeServer({ data, switches: { sandbox: 'off' } });
  const [owner, coder] = [await server.agent('owner'), await server.agent('coder')];
  const body = { name: 'worked on', config: { merge_mode: 'swarm' } };
  const { id: repo } = await server.ask('POST /repos', { as: owner.key, body });
  await server.ask(`POST /repos/${repo}/access`, {
    as: owner.key,
    body: { agentId: coder.id, level: 'write' },
  });
  const landed: string[] = [];
  const stops = [
    await work(server, { key: owner.key, repo, landed }),
    await work(server, { key: coder.key, repo, landed }),
  ];
  await until('something has landed', () => landed.length > 4);
  const before = [...landed];
  const saved = join(tempDir('backup'), 'monday');
  expect(await gitswarm('backup', saved, '--data', data)).toMatchObject({
    code: 0,
    data: { database: 'sqlite', repos: 1 },
  });
  await until('work goes on', () => landed.length > before.length + 2);
  await Promise.all(stops.map((stop) => stop()));
  expect(await gitswarm('backup', saved, '--data', data)).toMatchObject({
    error: { code: 'already_exists' },
  });
  expect(await gitswarm('restore-backup', saved, '--data', data)).toMatchObject({
    error: { code: 'already_exists' },
  });

  const fresh = join(tempDir('fresh'), 'data');
  expect(await gitswarm('restore-backup', saved, '--data', fresh)).toMatchObject({ code: 0 });
  const second = await makeServer({ data: fresh, switches: { sandbox: 'off' } });
  const ledger: string[] = [];
  for (let cursor = ''; ; ) {
    const page = await second.ask(`GET /repos/${repo}/merges?state=landed&limit=200${cursor}`, {
      as: owner.key,
    });
    ledger.push(...page.items.map((merge: { head: string }) => merge.head));
    if (page.nextCursor === null) break;
    cursor = `&cursor=${page.nextCursor}`;
  }
  expect(ledger).toEqual(expect.arrayContaining(before));
  const { kernel, hosted } = second.app;
  const actor = await localAuthority(kernel, {}).call(showAgent, { agent: owner.id });
  const workflow = await hosted.workflow(repo, {
    actor,
    remote: { openRegistration: false, mayRegister: false },
  });
  const { findings } = await examine(workflow, { fix: false });
  expect(findings.filter(({ level }) => level === 'problem')).toEqual([]);
  const again: string[] = [];
  const stop = await work(second, { key: coder.key, repo, landed: again });
  await until('work goes on', () => again.length > 0);
  await stop();
});

it('what is no whole backup is not restored, and leaves nothing behind', async () => {
  const data = tempDir('data');
  const server = await makeServer({ data, switches: { sandbox: 'off' } });
  const { key } = await server.agent('owner');
  const { id: repo } = await server.ask('POST /repos', { as: key, body: { name: 'kept' } });
  const saved = join(tempDir('backup'), 'monday');
  await gitswarm('backup', saved, '--data', data);
  rmSync(join(saved, 'repos', `${repo}.git`), { recursive: true });
  const fresh = join(tempDir('fresh'), 'data');
  expect(await gitswarm('restore-backup', saved, '--data', fresh)).toMatchObject({
    error: { code: 'invalid', message: expect.stringContaining(repo) },
  });
  expect(await gitswarm('restore-backup', data, '--data', fresh)).toMatchObject({
    error: { code: 'invalid' },
  });
  expect(existsSync(fresh)).toBe(false);
});
