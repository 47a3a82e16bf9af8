import { expect, it } from 'vitest';
import { forEachDatabase } from '../support/databases.ts';
import { makeServer } from '../support/server.ts';

const oid = (digit: string) => digit.repeat(40);

forEachDatabase((_kind, makeDatabase) => {
  async function start(wish: object = {}) {
    const place = await makeDatabase.place();
    const server = await makeServer({ place });
    const [owner, coder, second] = [
      await server.agent('owner'),
      await server.agent('coder'),
      await server.agent('second'),
    ];
    const body = { name: 'demo', ownership_model: 'guild', ...wish };
    const { id: repoId, clone } = await server.ask('POST /repos/register', { as: owner.key, body });
    expect(clone).toBe('client');
    await server.ask(`POST /repos/${repoId}/maintainers`, { as: owner.key, body: { agentId: second.id } });
    return { server, place, owner, coder, second, repoId };
  }

  it('a client with a clone of its own claims, commits, is judged, lands, tests and promotes', async () => {
    const { server, owner, coder, second, repoId } = await start();
    const as = { as: coder.key };
    const agentId = coder.id;
    await server.ask(`POST /repos/${repoId}/tasks`, {
      as: owner.key,
      body: { title: 'Cache', priority: 'high' },
    });
    const { items } = await server.ask(`GET /repos/${repoId}/tasks?ready=true&status=open`, as);
    await server.ask(`POST /tasks/${items[0].id}/claim`, { ...as, body: { agentId } });
    const own = '0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e';
    const stream = await server.ask(`POST /repos/${repoId}/streams`, {
      ...as,
      body: { agentId, taskId: items[0].id, name: 'cache', streamId: own },
    });
    expect(stream).toMatchObject({ id: own, baseBranch: 'buffer', taskId: items[0].id });
    const commit = (head: string) =>
      server.ask(`POST /streams/${own}/commits`, {
        ...as,
        body: { agentId, message: 'Work', commit: head, changeId: `I${head}` },
      });
    await commit(oid('1'));
    await commit(oid('1'));
    expect((await server.ask(`GET /streams/${own}/commits`, as)).items).toHaveLength(1);
    await server.ask(`POST /streams/${own}/submit`, { ...as, body: { agentId } });
    const judge = (agent: { id: string; key: string }, head = oid('1')) =>
      server.request(`POST /streams/${own}/reviews`, {
        as: agent.key,
        body: { reviewerId: agent.id, verdict: 'approve', head },
      });
    expect(await judge(second)).toMatchObject({ status: 200 });
    expect(await judge(owner)).toMatchObject({ body: { consensus: { reached: true } } });
    await commit(oid('2'));
    const merge = () => server.request(`POST /streams/${own}/merge`, { ...as, body: { agentId } });
    expect(await merge()).toMatchObject({ status: 422 });
    for (const agent of [second, owner]) expect(await judge(agent, oid('2'))).toMatchObject({ status: 200 });
    const record = (as: string) =>
      server.request(`PATCH /streams/${own}`, { as, body: { status: 'merged', mergeCommit: oid('a') } });
    expect(await record(coder.key)).toMatchObject({ status: 422 });
    expect(await merge()).toMatchObject({
      status: 200,
      body: { approved: true, merged: false, bufferBranch: 'buffer' },
    });
    expect(await record(coder.key)).toMatchObject({ status: 200, body: { status: 'merged' } });
    expect(await record(coder.key)).toMatchObject({ status: 200, body: { status: 'merged' } });
    expect(await server.ask(`GET /tasks/${items[0].id}`, as)).toMatchObject({ status: 'completed' });

    const green = { result: 'green', commit: oid('a'), tag: 'green/1', details: { tests: 12 } };
    expect(await server.ask(`POST /repos/${repoId}/stabilize`, { ...as, body: green })).toMatchObject({
      result: 'green',
    });
    const body = { from: 'buffer', to: 'main', commit: oid('a') };
    expect(await server.request(`POST /repos/${repoId}/promote`, { ...as, body })).toMatchObject({
      status: 403,
    });
    expect(await server.ask(`POST /repos/${repoId}/promote`, { as: owner.key, body })).toMatchObject({
      promoted: true,
    });
    const changes = { auto_promote_on_green: true };
    await server.ask(`PATCH /repos/${repoId}/config`, { as: owner.key, body: { changes } });
    expect(await server.ask(`POST /repos/${repoId}/promote`, { ...as, body })).toMatchObject({
      promoted: true,
    });
    const history = (await server.ask(`GET /repos/${repoId}/promote/history`, as)).items;
    expect(history.map((each: { triggeredBy: string }) => each.triggeredBy)).toEqual(['auto', 'manual']);
  });

  it('nobody judges, lands or records for another', async () => {
    const { server, owner, coder, second, repoId } = await start();
    const { id } = await server.ask(`POST /repos/${repoId}/streams`, { as: coder.key, body: { name: 'x' } });
    await server.ask(`POST /streams/${id}/commits`, {
      as: coder.key,
      body: { message: 'x', commit: oid('1') },
    });
    await server.ask(`POST /streams/${id}/submit`, { as: coder.key, body: {} });
    const forged = { reviewerId: owner.id, verdict: 'approve', head: oid('1'), isHuman: true };
    expect(
      await server.request(`POST /streams/${id}/reviews`, { as: coder.key, body: forged }),
    ).toMatchObject({ status: 403 });
    const { review } = await server.ask(`POST /streams/${id}/reviews`, {
      as: second.key,
      body: { ...forged, reviewerId: second.id },
    });
    expect(review.isHuman).toBe(false);
    const other = { message: 'x', commit: oid('2') };
    expect(
      await server.request(`POST /streams/${id}/commits`, { as: second.key, body: other }),
    ).toMatchObject({ status: 403 });
    for (const path of ['tree', 'conflicts', 'diff', 'files/a.txt'])
      expect(await server.request(`GET /streams/${id}/${path}`, { as: coder.key })).toMatchObject({
        status: 422,
      });
  });

  it('who lost the right to read is not told again what was remembered, and only maintainers say which settings hold', async () => {
    const { server, owner, coder, second, repoId } = await start({
      is_private: true,
      agent_access: 'allowlist',
    });
    const access = { as: owner.key, body: { agent: 'coder', level: 'write' } };
    await server.ask(`POST /repos/${repoId}/access`, access);
    const open = () =>
      server.request(`POST /repos/${repoId}/streams`, {
        as: coder.key,
        body: { name: 'x' },
        headers: { 'idempotency-key': 'k' },
      });
    const first = await open();
    expect((await open()).body).toEqual(first.body);
    const report = (as: string, text: string | null) =>
      server.request(`PUT /repos/${repoId}/config/file`, { as, body: { text } });
    expect(await report(coder.key, 'min_reviews: 1')).toMatchObject({ status: 403 });
    expect(await report(second.key, 'min_reviews: none')).toMatchObject({ status: 400 });
    expect(await report(second.key, 'min_reviews: 3')).toMatchObject({
      body: { configSource: 'file', config: { min_reviews: 3 } },
    });
    await server.ask(`DELETE /repos/${repoId}/access/coder`, { as: owner.key });
    expect(await open()).toMatchObject({ status: 404 });
  });

  it('two servers on one database decide as one', async () => {
    const { server, place, coder, repoId } = await start();
    const other = await makeServer({ place });
    const servers = [server, other];
    const { id } = await server.ask(`POST /repos/${repoId}/tasks`, { as: coder.key, body: { title: 'one' } });
    const agents = await Promise.all(Array.from({ length: 6 }, (_, i) => server.agent(`racer-${i}`)));
    const claims = await Promise.all(
      agents.map((agent, i) =>
        servers[i % 2]?.request(`POST /tasks/${id}/claim`, { as: agent.key, body: {} }),
      ),
    );
    expect(claims.map((each) => each?.status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
    const key = { 'idempotency-key': 'k' };
    const made = await Promise.all(
      servers.map((each) =>
        each.ask(`POST /repos/${repoId}/tasks`, { as: coder.key, body: { title: 'two' }, headers: key }),
      ),
    );
    expect(made[0].id).toBe(made[1].id);
  });
});
