import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withMachine } from '../../test/support/connected-clone.ts';
import { type FaultyProxy, makeFaultyProxy } from '../../test/support/faulty-proxy.ts';
import type { Files } from '../../test/support/git-fixture.ts';
import { makeServer, type ServerForTests } from '../../test/support/server.ts';
import { refusal, type Story, type StoryOptions, startStory, type Work } from '../../test/support/story.ts';
import { connectApp } from '../app/connect.ts';
import { disconnectApp } from '../app/disconnect.ts';
import { exitCodeOf } from '../contract/errors.ts';
import { freezeQueue, listMerges } from '../contract/merges.ts';
import { explainAccess, setConfig } from '../contract/repos.ts';
import { checkConsensus, submitReview } from '../contract/reviews.ts';
import { listOutbox } from '../machine/outbox.ts';
import { createWorkspace } from '../workflows/create-workspace.ts';
import { driveQueue } from '../workflows/drive-queue.ts';
import { requestReview } from '../workflows/review-stream.ts';

interface Connected {
  story: Story;
  server: ServerForTests;
  proxy: FaultyProxy;
  repoId: string;
  keys: Record<string, string>;
  home: string;
}

/** Olga's clone, and a server that knows Olga, the coder and bob; the clone's token speaks for all three. */
async function makeConnected(options: StoryOptions = {}): Promise<Connected> {
  const story = await startStory({ mode: 'review', model: 'guild', maintainers: ['bob'], ...options });
  return connect(story);
}

async function connect(story: Story): Promise<Connected> {
  const server = await makeServer();
  const proxy = await makeFaultyProxy(server.url);
  await server.agent('Olga');
  const wish = { name: 'fleet', mayRegister: true };
  const { apiKey } = await server.ask('POST /agents/Olga/keys', { as: server.admin, body: wish });
  const keys: Record<string, string> = { Olga: apiKey };
  for (const name of ['coder', 'bob']) {
    const made = await server.ask('POST /agents', { as: apiKey, body: { name } });
    keys[name] = made.apiKey;
  }
  const request = { server: proxy.url, token: apiKey };
  const { repo } = await connectApp({ dir: story.dir, environment: story.environment, request });
  const maintainer = { agent: 'bob' };
  await server.ask(`POST /repos/${repo.id}/maintainers`, { as: apiKey, body: maintainer });
  const home = await story.run('Olga', async (workflow) => workflow.home);
  return { story, server, proxy, repoId: repo.id, keys, home };
}

const outbox = ({ home }: Connected) =>
  withMachine(home, (machine) => listOutbox(machine).map((each) => `${each.state} ${each.operation}`));
const flush = ({ story }: Connected) => story.run('Olga', async (_, app) => app.server?.flush());
/** What a sync does when the server is back: what waited is sent, and what was asked for lands. */
async function comeBack(connected: Connected) {
  connected.proxy.fault = 'none';
  return connected.story.run('Olga', async (workflow, app) => {
    const flushed = await app.server?.flush();
    return { flushed, run: await driveQueue(workflow) };
  });
}
async function approve({ server, keys }: Connected, { id }: Work) {
  const { head } = await server.ask(`GET /streams/${id}`, { as: keys.bob });
  await server.ask(`POST /streams/${id}/reviews`, { as: keys.bob, body: { verdict: 'approve', head } });
}
const events = async ({ server, repoId, keys }: Connected, type: string) =>
  (await server.ask(`GET /repos/${repoId}/activity?limit=200&after=0&type=${type}`, { as: keys.Olga })).items;
const streamAt = ({ server, keys }: Connected, { id }: Work) =>
  server.ask(`GET /streams/${id}`, { as: keys.Olga });

/** A stream of the coder's for which nobody has voted; what an owner needs to know is known. */
async function submitted(connected: Connected, files: Files = { 'cache.txt': 'cached\n' }): Promise<Work> {
  const { story } = connected;
  const work = await story.stream('coder', files);
  await story.submit('coder', work);
  await story.run('Olga', async ({ authority, repo, actor }) => {
    await authority.call(explainAccess, { repoId: repo.id, agent: actor?.id ?? '' });
  });
  for (const name of ['coder', 'bob']) {
    await story.run(name, async ({ authority, repo, actor }) => {
      await authority.call(explainAccess, { repoId: repo.id, agent: actor?.id ?? '' });
    });
  }
  return work;
}

describe('who decides', () => {
  it('a repository that never spoke to a server decides for itself', async () => {
    const story = await startStory({ mode: 'review', model: 'guild', maintainers: ['bob'] });
    const work = await story.stream('coder', { 'cache.txt': 'cached\n' });
    await story.submit('coder', work);
    expect(await refusal(story.merge('coder', work))).toMatchObject({ code: 'gate_not_met' });
    await story.judge('bob', work);
    await story.judge('Olga', work);
    expect(await story.merge('coder', work)).toMatchObject({ kind: 'merged' });
  });

  it('connected, an approval counts where the server has it, and one of before does not', async () => {
    const story = await startStory({ mode: 'review', model: 'guild', maintainers: ['bob'] });
    const before = await story.stream('coder', { 'before.txt': 'before\n' });
    await story.submit('coder', before);
    await story.judge('bob', before);
    await story.judge('Olga', before);
    expect(await story.ask(checkConsensus, { stream: before.id })).toMatchObject({ reached: true });
    const connected = await connect(story);
    await flush(connected);
    const tip = story.oid('buffer');
    expect(await story.ask(checkConsensus, { stream: before.id })).toMatchObject({ reached: false });
    expect(await refusal(story.merge('coder', before))).toMatchObject({ code: 'gate_not_met' });
    expect(story.oid('buffer')).toBe(tip);
    await approve(connected, before);
    expect(await story.ask(checkConsensus, { stream: before.id })).toMatchObject({ reached: true });
    expect(await story.merge('coder', before)).toMatchObject({ kind: 'merged', bufferBefore: tip });
    expect(await streamAt(connected, before)).toMatchObject({ state: 'merged' });
  });

  it('the server being away, a merge is queued, whatever was known, and nothing moves', async () => {
    const connected = await makeConnected();
    const { story, proxy } = connected;
    const work = await submitted(connected);
    await approve(connected, work);
    expect(await story.ask(checkConsensus, { stream: work.id })).toMatchObject({ reached: true });
    const tip = story.oid('buffer');
    proxy.fault = 'away';
    const merge = await story.merge('coder', work);
    expect(merge).toMatchObject({ kind: 'queued', isAway: true, blocked: false });
    expect(exitCodeOf('unavailable')).toBe(7);
    expect(story.oid('buffer')).toBe(tip);
    expect(outbox(connected)).toEqual(['waiting merge.request']);
    const { run } = await comeBack(connected);
    expect(run.landed).toHaveLength(1);
    expect(await streamAt(connected, work)).toMatchObject({ state: 'merged' });
    expect(story.file('buffer', 'cache.txt')).toBe('cached\n');
    expect(outbox(connected)).toEqual([]);
  });

  it('what was queued is judged by the server when it is back, and refused without consensus', async () => {
    const connected = await makeConnected();
    const { story, proxy } = connected;
    const work = await submitted(connected);
    const tip = story.oid('buffer');
    proxy.fault = 'away';
    expect(await story.merge('coder', work)).toMatchObject({ kind: 'queued', isAway: true });
    const { flushed, run } = await comeBack(connected);
    expect(flushed).toMatchObject({ rejected: 1 });
    expect(run.landed).toEqual([]);
    expect(story.oid('buffer')).toBe(tip);
    expect(outbox(connected)).toEqual(['rejected merge.request']);
    const [entry] = withMachine(connected.home, listOutbox);
    expect(entry?.error).toMatchObject({ code: 'gate_not_met', fix: expect.stringContaining('gitswarm') });
  });

  it('a verdict that is given while the server is away counts when the server has it', async () => {
    const connected = await makeConnected();
    const { story, proxy } = connected;
    const work = await submitted(connected);
    proxy.fault = 'away';
    const away = await refusal(
      story.run('bob', ({ authority }) =>
        authority.call(submitReview, { stream: work.id, verdict: 'approve', head: story.oid(work.branch) }),
      ),
    );
    expect(away).toMatchObject({ code: 'unavailable', kept: { operation: 'review.submit' } });
    expect(await story.merge('coder', work)).toMatchObject({ kind: 'queued', isAway: true });
    const { flushed, run } = await comeBack(connected);
    expect(flushed).toMatchObject({ ok: 2, rejected: 0 });
    expect(run.landed).toHaveLength(1);
  });

  it('work goes on while the server is away, and is there in order when it is back', async () => {
    const connected = await makeConnected();
    const { story, proxy } = connected;
    await story.run('coder', async () => undefined);
    await story.run('Olga', async () => undefined);
    proxy.fault = 'away';
    const work = await story.run('coder', (workflow) => createWorkspace(workflow, {}));
    const own = { id: work.stream.id, path: work.path, branch: work.stream.branch };
    await story.commit('coder', own, { 'offline.txt': 'offline\n' });
    const asked = await story.run('coder', (workflow) => requestReview(workflow, own.id));
    expect(asked).toMatchObject({ kind: 'requested', consensus: null, stream: { state: 'in_review' } });
    expect(outbox(connected).every((each) => each.startsWith('waiting'))).toBe(true);
    proxy.fault = 'none';
    expect(await flush(connected)).toMatchObject({ rejected: 0, remaining: 0 });
    expect(await streamAt(connected, own)).toMatchObject({
      state: 'in_review',
      authorName: 'coder',
      head: story.oid(own.branch),
    });
  });

  it.each([
    [
      'disconnected',
      ({ story }: Connected) =>
        disconnectApp({ dir: story.dir, environment: story.environment }, { force: false }),
    ],
    [
      'without what this machine knew of it',
      async ({ home }: Connected) => {
        for (const file of ['machine.db', 'machine.db-wal', 'machine.db-shm'])
          rmSync(join(home, 'local', file), { force: true });
      },
    ],
  ] as const)('%s, a clone decides nothing', async (_what, forget) => {
    const connected = await makeConnected();
    const { story, home } = connected;
    const work = await submitted(connected);
    const tip = story.oid('buffer');
    await forget(connected);
    const refused = await refusal(story.merge('Olga', work, { force: true, reason: 'now' }));
    expect(refused).toMatchObject({
      code: 'not_configured',
      fix: expect.stringContaining('gitswarm connect'),
    });
    expect(story.oid('buffer')).toBe(tip);
    expect(existsSync(join(home, 'federation.db'))).toBe(true);
    const request = { server: connected.proxy.url, token: connected.keys.Olga ?? '' };
    const again = await connectApp({ dir: story.dir, environment: story.environment, request });
    expect(again).toMatchObject({ registered: false, repo: { id: connected.repoId } });
    expect(await story.show(work)).toMatchObject({ state: 'in_review' });
  });
});

describe('a landing that is forced while the server is away', () => {
  const force = { force: true, reason: 'the site is down' };

  it("is an owner's, lands once, and is told to the server with its reason", async () => {
    const connected = await makeConnected();
    const { story, proxy } = connected;
    const work = await submitted(connected);
    const tip = story.oid('buffer');
    proxy.fault = 'away';
    const landed = await story.merge('Olga', work, force);
    expect(landed).toMatchObject({ kind: 'merged', bufferBefore: tip });
    expect(story.file('buffer', 'cache.txt')).toBe('cached\n');
    const buffer = story.oid('buffer');
    expect(outbox(connected)).toEqual([
      'waiting merge.request',
      'waiting merge.prepare',
      'waiting merge.land',
    ]);
    const { flushed, run } = await comeBack(connected);
    expect(flushed).toMatchObject({ ok: 3, rejected: 0 });
    expect(run.landed).toEqual([]);
    expect(story.oid('buffer')).toBe(buffer);
    expect(await streamAt(connected, work)).toMatchObject({ state: 'merged', mergedCommit: buffer });
    expect(await events(connected, 'merge.landed')).toHaveLength(1);
    expect(await events(connected, 'merge.forced')).toMatchObject([
      { actorName: 'Olga', data: { reason: force.reason } },
    ]);
    const { items } = await story.ask(listMerges, { repoId: connected.repoId });
    expect(items).toMatchObject([{ state: 'landed', forced: true, reason: force.reason, commit: buffer }]);
  });

  it.each([
    ['whoever asks is no owner', 'bob', async () => undefined],
    [
      'forcing is switched off',
      'Olga',
      ({ story, repoId }: Connected) =>
        story.ask(setConfig, { repoId, changes: { human_can_force_merge: false } }),
    ],
    [
      'the queue is frozen',
      'Olga',
      ({ story, repoId }: Connected) => story.ask(freezeQueue, { repoId, reason: 'a release' }),
    ],
    ['what it builds on has not landed', 'Olga', async () => undefined],
  ] as const)('is for %s', async (what, who, prepare) => {
    const connected = await makeConnected();
    const { story, proxy } = connected;
    const below = await submitted(connected);
    const work = what.startsWith('what it builds on')
      ? await story.stream('coder', { 'on-top.txt': 'top\n' }, { dependsOn: below.id })
      : below;
    await prepare(connected);
    await story.run(who, async () => undefined);
    await story.show(work);
    const tip = story.oid('buffer');
    proxy.fault = 'away';
    expect(await story.merge(who, work, force)).toMatchObject({ kind: 'queued', isAway: true });
    expect(story.oid('buffer')).toBe(tip);
    expect(outbox(connected)).toEqual(['waiting merge.request']);
    const { run } = await comeBack(connected);
    expect(run.landed).toEqual([]);
    expect(story.oid('buffer')).toBe(tip);
  });

  it('needs a reason', async () => {
    const connected = await makeConnected();
    const work = await submitted(connected);
    connected.proxy.fault = 'away';
    expect(await refusal(connected.story.merge('Olga', work, { force: true }))).toMatchObject({
      code: 'usage',
    });
    expect(outbox(connected)).toEqual([]);
  });

  it('does not pass over a conflict', async () => {
    const connected = await makeConnected();
    const { story, proxy } = connected;
    const first = await submitted(connected, { 'a.txt': 'first\n' });
    const second = await submitted(connected, { 'a.txt': 'second\n' });
    await approve(connected, first);
    await story.merge('coder', first);
    await story.show(second);
    const tip = story.oid('buffer');
    proxy.fault = 'away';
    expect(await story.merge('Olga', second, force)).toMatchObject({
      kind: 'conflict',
      files: [{ path: 'a.txt' }],
    });
    expect(story.oid('buffer')).toBe(tip);
    const { run } = await comeBack(connected);
    expect(run.landed).toEqual([]);
    expect(story.oid('buffer')).toBe(tip);
  });

  it('does not pass over red tests', async () => {
    const connected = await makeConnected({ stabilize: 'test ! -f broken.txt' });
    const { story, proxy } = connected;
    const work = await submitted(connected, { 'broken.txt': 'broken\n' });
    const tip = story.oid('buffer');
    proxy.fault = 'away';
    expect(await refusal(story.merge('Olga', work, force))).toMatchObject({ code: 'gate_not_met' });
    expect(story.oid('buffer')).toBe(tip);
    const { run } = await comeBack(connected);
    expect(run.landed).toEqual([]);
    expect(story.oid('buffer')).toBe(tip);
  });

  it('stays visible as refused where its owner has lost that right meanwhile', async () => {
    const connected = await makeConnected();
    const { story, proxy, server, keys, repoId } = connected;
    const work = await submitted(connected);
    await server.ask(`POST /repos/${repoId}/maintainers`, {
      as: keys.Olga,
      body: { agent: 'bob', role: 'owner' },
    });
    proxy.fault = 'away';
    const landed = await story.merge('Olga', work, force);
    expect(landed).toMatchObject({ kind: 'merged' });
    await server.ask(`DELETE /repos/${repoId}/maintainers/Olga`, { as: keys.bob });
    proxy.fault = 'none';
    await story.run('bob', async (_, app) => app.server?.flush());
    expect(outbox(connected)).toEqual([
      'rejected merge.request',
      'rejected merge.prepare',
      'rejected merge.land',
    ]);
    expect(await events(connected, 'merge.landed')).toEqual([]);
    expect(await streamAt(connected, work)).toMatchObject({ state: 'in_review' });
  });

  it('is told of once, where it had been asked for without force before', async () => {
    const connected = await makeConnected();
    const { story, proxy } = connected;
    const work = await submitted(connected);
    await approve(connected, work);
    proxy.fault = 'away';
    expect(await story.merge('coder', work)).toMatchObject({ kind: 'queued', isAway: true });
    expect(await story.merge('Olga', work, force)).toMatchObject({ kind: 'merged' });
    const buffer = story.oid('buffer');
    await comeBack(connected);
    expect(story.oid('buffer')).toBe(buffer);
    expect(await streamAt(connected, work)).toMatchObject({ state: 'merged', mergedCommit: buffer });
    expect(await events(connected, 'merge.landed')).toHaveLength(1);
    expect(await events(connected, 'merge.forced')).toHaveLength(1);
    expect(outbox(connected)).toEqual([]);
  });
});
