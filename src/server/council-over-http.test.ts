import { expect, it } from 'vitest';
import { startClientClone } from '../../test/support/client-clone-story.ts';
import { type DatabaseMaker, forEachDatabase } from '../../test/support/databases.ts';
import { gitFixture } from '../../test/support/git-fixture.ts';
import { until } from '../../test/support/process-fixture.ts';
import { makeServer, type ServerOptions } from '../../test/support/server.ts';
import { factsOf, oid } from '../../test/support/stream-story.ts';
import { tempDir } from '../../test/support/temp-dir.ts';
import { ManualClock } from '../base/clock.ts';

type Story = Pick<Awaited<ReturnType<typeof startClientClone>>, 'server' | 'owner' | 'second' | 'as'>;

/** The owner and the maintainer are the council of a repository; each vote for all that is proposed. */
async function govern({ server, owner, second, as }: Story, repoId: string) {
  const sizes = { minMembers: 2, standardQuorum: 2, criticalQuorum: 2 };
  await server.ask(`POST /repos/${repoId}/council`, as(owner, sizes));
  for (const agent of ['owner', 'second'])
    await server.ask(`POST /repos/${repoId}/council/members`, as(owner, { agent }));
  return async (wish: object): Promise<string> => {
    const body = { title: 'decide', ...wish };
    const { id } = await server.ask(`POST /repos/${repoId}/council/proposals`, as(second, body));
    for (const member of [owner, second])
      await server.ask(`POST /proposals/${id}/vote`, as(member, { vote: 'for' }));
    return id;
  };
}

async function start(makeDatabase: DatabaseMaker) {
  const story = await startClientClone(makeDatabase);
  const { server, coder, as, repoId } = story;
  const decide = await govern(story, repoId);
  const begin = (who: typeof coder, proposal: string, plan: object = {}) =>
    server.request(`POST /proposals/${proposal}/begin`, as(who, { plan }));
  /** What this agent, acting as that one, is answered. */
  const actAs = async (who: typeof coder, identity: string, what: string, body?: object) => {
    const headers = { 'x-gitswarm-agent': identity, 'x-gitswarm-repo': repoId };
    return server.request(what, as(who, body, headers));
  };
  return { ...story, decide, begin, actAs };
}

const DAY = 86_400_000;

/** A repository whose clone is at the server and whose remote is beside it; a council of two, one of whom only reads. */
async function startHere(makeDatabase: DatabaseMaker, options: ServerOptions = {}) {
  const git = gitFixture();
  git.commit('Begin', { 'README.md': '# Ours\n' });
  const remote = `${tempDir('remote')}/it.git`;
  git.git('clone', '--quiet', '--bare', git.dir, remote);
  const switches = { sandbox: 'off', allowLocalClones: true } as const;
  const server = await makeServer({ place: await makeDatabase.place(), switches, ...options });
  const [owner, second, coder, reader] = [
    await server.agent('owner'),
    await server.agent('second'),
    await server.agent('coder'),
    await server.agent('reader'),
  ];
  type Agent = typeof owner;
  const as = (agent: Agent, body?: unknown, headers = {}) => ({ as: agent.key, body, headers });
  const { id: repoId } = await server.ask(
    'POST /repos',
    as(owner, {
      name: 'here',
      cloneUrl: remote,
      ownershipModel: 'guild',
      agentAccess: 'allowlist',
      config: { merge_mode: 'gated' },
    }),
  );
  await server.ask(`POST /repos/${repoId}/maintainers`, as(owner, { agent: 'second' }));
  await server.ask(`POST /repos/${repoId}/access`, as(owner, { agent: 'coder', level: 'write' }));
  /** The coder's stream of one file, approved by those who may. */
  const approved = async (name: string): Promise<string> => {
    const { id } = await server.ask(`POST /repos/${repoId}/streams`, as(coder, { name }));
    await server.ask(`PUT /streams/${id}/files/${name}.txt`, as(coder, `${name}\n`));
    await server.ask(`POST /streams/${id}/commits`, as(coder, { message: name }));
    await server.ask(`POST /streams/${id}/submit`, as(coder, {}));
    for (const judge of [owner, second])
      await server.ask(`POST /streams/${id}/reviews`, as(judge, { verdict: 'approve' }));
    return id;
  };
  const sizes = { minMembers: 2, standardQuorum: 2, criticalQuorum: 2 };
  await server.ask(`POST /repos/${repoId}/council`, as(owner, sizes));
  for (const agent of ['second', 'reader'])
    await server.ask(`POST /repos/${repoId}/council/members`, as(owner, { agent }));
  const propose = async (wish: object): Promise<string> =>
    (await server.ask(`POST /repos/${repoId}/council/proposals`, as(second, { title: 'decide', ...wish })))
      .id;
  const vote = (who: Agent, proposal: string, headers = {}) =>
    server.ask(`POST /proposals/${proposal}/vote`, as(who, { vote: 'for' }, headers));
  /** Both vote for it, whoever may only read last; answers what the last vote was answered. */
  const decide = async (wish: object) => {
    const proposal = await propose(wish);
    await vote(second, proposal);
    return vote(reader, proposal);
  };
  const tipOf = (branch: string) =>
    git.tryGit(remote, 'rev-parse', '--verify', `refs/heads/${branch}`).stdout.trim();
  const show = (proposal: string) => server.ask(`GET /proposals/${proposal}`, as(owner));
  const files = (branch: string) =>
    git.tryGit(remote, 'ls-tree', '--name-only', `refs/heads/${branch}`).stdout.trim().split('\n');
  return {
    server,
    owner,
    second,
    coder,
    reader,
    as,
    repoId,
    approved,
    propose,
    vote,
    decide,
    tipOf,
    files,
    show,
  };
}

forEachDatabase((_kind, makeDatabase) => {
  it('where the clone is at the server, the deciding vote lands, reverts, promotes and appoints', async () => {
    const { server, owner, coder, as, repoId, approved, decide, tipOf, files } =
      await startHere(makeDatabase);
    const stream = await approved('one');
    const merge = await server.request(`POST /streams/${stream}/merge`, as(coder, {}));
    expect(merge.status).toBe(403);

    const landed = await decide({ type: 'merge_stream', target: stream });
    expect(landed).toMatchObject({
      status: 'passed',
      executed: true,
      execution: { ok: true, result: { kind: 'merged' } },
    });
    const { commit } = landed.execution.result;
    await until('the landing is in the remote', () => tipOf('buffer') === commit);
    expect(await server.ask(`GET /streams/${stream}`, as(owner))).toMatchObject({ state: 'merged' });

    const promoted = await decide({ type: 'promote' });
    expect(promoted.execution).toMatchObject({ ok: true, result: { promoted: true, toCommit: commit } });
    await until('the promotion is in the remote', () => tipOf('trunk') === commit);
    const { items } = await server.ask(`GET /repos/${repoId}/promote/history`, as(owner));
    expect(items).toMatchObject([{ triggeredBy: 'council', toCommit: commit }]);

    const reverted = await decide({ type: 'revert_stream', target: stream });
    expect(reverted.execution).toMatchObject({ ok: true, result: { kind: 'reverted' } });
    await until('the revert is in the remote', () => !files('buffer').includes('one.txt'));

    expect(await decide({ type: 'add_maintainer', target: 'coder' })).toMatchObject({
      executed: true,
      execution: { ok: true },
    });
    expect(await server.ask(`GET /repos/${repoId}/access/coder`, as(owner))).toMatchObject({
      level: 'maintain',
    });
    const settings = await decide({ type: 'change_settings', data: { changes: { min_reviews: 3 } } });
    expect(settings.execution).toMatchObject({ ok: true });
    expect(await server.ask(`GET /repos/${repoId}/config`, as(owner))).toMatchObject({
      config: { min_reviews: 3 },
    });
  });

  it('the same vote again is answered the same, and nothing is done twice', async () => {
    const { server, second, reader, as, repoId, approved, propose, vote } = await startHere(makeDatabase);
    const proposal = await propose({ type: 'merge_stream', target: await approved('one') });
    await vote(second, proposal);
    const headers = { 'idempotency-key': 'once' };
    const first = await vote(reader, proposal, headers);
    expect(first).toMatchObject({ executed: true, execution: { ok: true } });
    expect(await vote(reader, proposal, headers)).toEqual(first);
    const { items } = await server.ask(`GET /repos/${repoId}/merges?state=landed`, as(second));
    expect(items).toHaveLength(1);
  });

  it('what passes without a vote at its end, or waits for the queue, is carried out by the server itself', async () => {
    const clock = new ManualClock();
    const story = await startHere(makeDatabase, { clock, houseEveryMs: 200 });
    const { server, owner, second, reader, as, repoId, approved, propose, vote, decide, tipOf, show } = story;
    await server.ask(`PATCH /repos/${repoId}/council`, as(owner, { minKarma: 0, minContributions: 0 }));
    await server.ask(`POST /repos/${repoId}/council/members`, as(owner, { agent: 'owner' }));
    const quiet = await propose({ type: 'add_maintainer', target: 'coder' });
    await vote(second, quiet);
    await server.ask(`POST /proposals/${quiet}/vote`, as(reader, { vote: 'abstain' }));
    expect(await show(quiet)).toMatchObject({ status: 'open' });
    clock.advance(8 * DAY);
    await until('it passed and was carried out', async () => (await show(quiet)).executed);
    expect(await show(quiet)).toMatchObject({ status: 'passed', execution: { ok: true } });

    await server.ask(`POST /repos/${repoId}/queue/pause`, as(owner, {}));
    const waiting = await decide({ type: 'merge_stream', target: await approved('two') });
    expect(waiting).toMatchObject({ status: 'passed', executed: false });
    await server.ask(`POST /repos/${repoId}/queue/resume`, as(owner, {}));
    await until('it has landed', async () => (await show(waiting.id)).executed);
    const { execution } = await show(waiting.id);
    expect(execution).toMatchObject({ ok: true, result: { kind: 'merged' } });
    await until('the remote has it', () => tipOf('buffer') === execution.result.commit);
  });

  it('a writer with the clone carries out what the council decided, and says what came of it', async () => {
    const { server, coder, as, repoId, decide, begin, actAs } = await start(makeDatabase);
    const proposal = await decide({ type: 'add_maintainer', target: 'coder' });
    const { body: begun } = await begin(coder, proposal);
    const council = begun.councilAgentId as string;
    const wish = { agent: coder.id };
    expect(await actAs(coder, council, `POST /repos/${repoId}/maintainers`, wish)).toMatchObject({
      status: 200,
      body: { role: 'maintainer' },
    });
    const execution = { ok: true, result: { done: true } };
    expect(await actAs(coder, council, `POST /proposals/${proposal}/execution`, { execution })).toMatchObject(
      {
        status: 200,
        body: { executed: true, execution },
      },
    );
    expect(await server.ask(`GET /repos/${repoId}/access/coder`, as(coder))).toMatchObject({
      level: 'maintain',
    });
    // It is carried out: nothing is decided any more that the council could do.
    expect((await actAs(coder, council, `POST /repos/${repoId}/maintainers`, wish)).status).toBe(404);
  });

  it('lands and promotes in the name of the council, as it was decided', async () => {
    const { coder, repoId, approved, decide, begin, actAs } = await start(makeDatabase);
    const stream = await approved('one');
    const landing = await decide({ type: 'merge_stream', target: stream });
    const { body: begun } = await begin(coder, landing, { head: oid('one') });
    const council = begun.councilAgentId as string;
    const asked = await actAs(coder, council, `POST /streams/${stream}/merge`, { facts: factsOf('one') });
    expect(asked).toMatchObject({ status: 200, body: { merge: { requestedBy: council } } });

    const release = await decide({ type: 'promote' });
    await begin(coder, release, { toCommit: oid('landed') });
    const move = { fromCommit: oid('main'), toCommit: oid('landed'), triggeredBy: 'council' };
    const request = `POST /repos/${repoId}/promote/request`;
    expect((await actAs(coder, council, request, { toCommit: oid('landed') })).status).toBe(200);
    expect(await actAs(coder, council, `POST /repos/${repoId}/promote`, move)).toMatchObject({
      status: 200,
      body: { promotion: { triggeredBy: 'council', actorId: council, toCommit: oid('landed') } },
    });
    const other = { ...move, toCommit: oid('other') };
    expect((await actAs(coder, council, `POST /repos/${repoId}/promote`, other)).status).toBe(403);
  });

  it('nothing but the decided call is let through, for nobody but a writer, and nothing is read', async () => {
    const story = await start(makeDatabase);
    const { server, owner, coder, reader, stranger, as, repoId, register, decide, begin, actAs } = story;
    const proposal = await decide({ type: 'add_maintainer', target: 'coder' });
    expect((await begin(stranger, proposal)).status).toBe(404);
    expect((await begin(reader, proposal)).status).toBe(403);
    const council = (await begin(coder, proposal)).body.councilAgentId as string;
    const add = (who: typeof coder, agent: { id: string }, repo = repoId) =>
      actAs(who, council, `POST /repos/${repo}/maintainers`, { agent: agent.id });
    for (const who of [reader, stranger]) expect((await add(who, coder)).status).toBe(403);
    expect((await add(coder, reader)).status).toBe(403);
    const config = { changes: { min_reviews: 1 } };
    expect((await actAs(coder, council, `PATCH /repos/${repoId}/config`, config)).status).toBe(403);
    expect((await actAs(coder, council, `GET /repos/${repoId}/access`)).status).toBe(403);
    expect((await actAs(coder, council, 'GET /me')).status).toBe(403);

    // Its decision holds in its own repository only.
    const other = await register('other');
    const headers = { 'x-gitswarm-agent': council };
    const elsewhere = as(coder, { agent: coder.id }, headers);
    expect((await server.request(`POST /repos/${other}/maintainers`, elsewhere)).status).toBe(404);
    const events = [
      { seq: 1, type: 'task.create', key: 'a', data: { repoId, title: 'x', agentId: council } },
    ];
    const { results } = await server.ask('POST /sync/batch', as(coder, { events }));
    expect(results).toMatchObject([{ error: { code: 'not_allowed' } }]);
    expect((await server.ask(`GET /repos/${repoId}/maintainers`, as(owner))).items).toHaveLength(2);
  });

  it('the council of a repository whose clone is at the server is nobody to act as', async () => {
    const story = await start(makeDatabase);
    const { server, owner, second, as } = story;
    const repo = await server.ask('POST /repos', as(owner, { name: 'here', ownershipModel: 'guild' }));
    await server.ask(`POST /repos/${repo.id}/maintainers`, as(owner, { agent: 'second' }));
    const council = `council of ${repo.handle}`;
    await govern(story, repo.id);
    expect(await server.ask(`GET /agents/${encodeURIComponent(council)}`, as(second))).toMatchObject({
      name: council,
    });
    const wish = as(second, { agent: 'coder' }, { 'x-gitswarm-agent': council });
    expect(await server.request(`POST /repos/${repo.id}/maintainers`, wish)).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringContaining('may act only as itself') } },
    });
  });
});
