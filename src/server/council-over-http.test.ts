import { expect, it } from 'vitest';
import { startClientClone } from '../../test/support/client-clone-story.ts';
import { type DatabaseMaker, forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid } from '../../test/support/stream-story.ts';

type Story = Awaited<ReturnType<typeof startClientClone>>;

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

forEachDatabase((_kind, makeDatabase) => {
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
