import { expect, it } from 'vitest';
import { startClientClone } from '../../test/support/client-clone-story.ts';
import { forEachDatabase } from '../../test/support/databases.ts';
import { newId } from '../base/ids.ts';

const inRepo = (repoId: string) => ({ 'x-gitswarm-repo': repoId });
const acting = (agent: string) => ({ 'x-gitswarm-agent': agent });

forEachDatabase((_kind, makeDatabase) => {
  it('a header says who acts, for reads too, and only as itself or for agents of its own', async () => {
    const { server, owner, coder, as, repoId } = await startClientClone(makeDatabase);
    const fleet = await server.ask('POST /agents/coder/keys', {
      as: server.admin,
      body: { name: 'fleet', mayRegister: true },
    });
    const sent = (headers: object, body?: object) => ({
      as: fleet.apiKey as string,
      headers: headers as Record<string, string>,
      ...(body ? { body } : {}),
    });
    const { agent: worker } = await server.ask('POST /agents', sent({}, { name: 'worker' }));
    await server.ask(`POST /repos/${repoId}/access`, as(owner, { agent: 'worker', level: 'write' }));

    expect((await server.ask('GET /me', sent({}))).agent.name).toBe('coder');
    expect((await server.ask('GET /me', sent(acting(worker.id)))).agent.name).toBe('worker');
    expect((await server.ask('GET /me', sent(acting('worker')))).agent.name).toBe('worker');
    const task = await server.ask(`POST /repos/${repoId}/tasks`, sent(acting('worker'), { title: 'x' }));
    expect(task.createdBy).toBe(worker.id);
    const stream = await server.ask(`POST /repos/${repoId}/streams`, sent(acting('worker'), { name: 'x' }));
    expect(stream.authorId).toBe(worker.id);

    const status = async (headers: object, body: object, key = fleet.apiKey as string) =>
      (await server.request(`POST /repos/${repoId}/tasks`, { ...sent(headers, body), as: key })).status;
    expect(await status(acting('worker'), { title: 'x', agentId: 'worker' })).toBe(201);
    expect(await status(acting('worker'), { title: 'x', agentId: coder.id })).toBe(400);
    expect(await status(acting('owner'), { title: 'x' })).toBe(403);
    expect(await status(acting('nobody'), { title: 'x' })).toBe(403);
    expect(await status(acting('worker'), { title: 'x' }, coder.key)).toBe(403);
    expect(await status(acting(''), { title: 'x' })).toBe(400);
    expect((await server.request('GET /me', as(coder, undefined, acting('owner')))).status).toBe(403);
  });

  it('in a repository that it names a request may name things as people do, and is told what was near', async () => {
    const { server, coder, as, repoId, stream } = await startClientClone(makeDatabase);
    const [one] = [await stream('Cache answers'), await stream('twice'), await stream('twice')];
    const get = (name: string, headers = inRepo(repoId)) =>
      server.request(`GET /streams/${encodeURIComponent(name)}`, as(coder, undefined, headers));
    expect(await get('Cache answers')).toMatchObject({ status: 200, body: { id: one } });
    expect(await get('Cache answers', {} as never)).toMatchObject({ status: 404 });
    expect(await get('twice')).toMatchObject({
      status: 404,
      body: { error: { code: 'ambiguous', details: { candidates: [{ name: 'twice' }, { name: 'twice' }] } } },
    });
    expect(await get('Cache answer')).toMatchObject({
      body: { error: { code: 'not_found', message: expect.stringContaining('Did you mean') } },
    });
    // A route of its own, that takes several steps.
    const submitted = as(coder, {}, inRepo(repoId));
    expect(await server.ask('POST /streams/Cache%20answers/submit', submitted)).toMatchObject({ id: one });
    const task = await server.ask(`POST /repos/${repoId}/tasks`, as(coder, { title: 'Only one' }));
    const { claim } = await server.ask('POST /tasks/Only%20one/claim', as(coder, {}, inRepo(repoId)));
    const submit = await server.ask(
      `POST /claims/${claim.id.slice(0, 30)}/submit`,
      as(coder, {}, inRepo(repoId)),
    );
    expect(submit).toMatchObject({ task: { id: task.id }, claim: { status: 'submitted' } });
    const events = [{ seq: 1, type: 'stream.pause', key: 'k', data: { stream: 'Cache answers' } }];
    const { results } = await server.ask('POST /sync/batch', as(coder, { events }, inRepo(repoId)));
    expect(results).toMatchObject([{ status: 'ok', id: one }]);
    expect((await get('x', inRepo('x'))).status).toBe(400);
    expect((await server.request('GET /me', as(coder, undefined, inRepo(newId(1))))).status).toBe(200);
  });

  it('both hold for files, and neither matters where a request is of no repository', async () => {
    const { server, owner, second, as } = await startClientClone(makeDatabase);
    const elsewhere = as(owner, { name: 'here' }, inRepo(newId(1)));
    const { id: repoId } = await server.ask('POST /repos', elsewhere);
    const wish = as(owner, { name: 'Notes' }, acting('owner'));
    const stream = await server.ask(`POST /repos/${repoId}/streams`, wish);
    const put = async (place: string, headers: Record<string, string>, who = owner) => {
      const sent = { as: who.key, body: 'hello\n', headers };
      return (await server.request(`PUT /streams/${place}/files/a.txt`, sent)).status;
    };
    expect(await put('Notes', { ...inRepo(repoId), ...acting('owner') })).toBe(201);
    expect(await put('Notes', {})).toBe(404);
    expect(await put(stream.id, inRepo(newId(1)))).toBe(404);
    expect(await put(stream.id, inRepo('here'))).toBe(400);
    expect(await put(stream.id, acting('owner'), second)).toBe(403);
  });

  it('a header leads nobody to another repository, nor tells of it', async () => {
    const { server, owner, coder, stranger, as, repoId, register, stream } =
      await startClientClone(makeDatabase);
    const other = await register('other');
    const hidden = await stream('secret plan', other);
    await server.ask(`POST /repos/${other}/tasks`, as(owner, { title: 'secret task' }));
    const { claim } = await server.ask('POST /tasks/secret%20task/claim', as(coder, {}, inRepo(other)));
    await server.ask(`DELETE /repos/${other}/access/coder`, as(owner));
    const get = async (who: typeof coder, path: string, headers: Record<string, string>) =>
      (await server.request(`GET ${path}`, as(who, undefined, headers))).body;
    const missing = newId(1);
    for (const repo of [repoId, other, missing]) {
      const unknown = JSON.stringify(await get(coder, `/streams/${missing}`, inRepo(repo)));
      const secret = JSON.stringify(await get(coder, `/streams/${hidden}`, inRepo(repo)));
      expect(secret.replaceAll(hidden, missing)).toBe(unknown);
      const name = await get(coder, '/streams/secret%20plan', inRepo(repo));
      const prefix = await get(coder, `/streams/${hidden.slice(0, 20)}`, inRepo(repo));
      const near = await get(coder, '/streams/secret%20plans', inRepo(repo));
      for (const { error } of [name, prefix, near]) {
        expect(error.code).toBe('not_found');
        expect(JSON.stringify(error)).not.toContain(hidden);
      }
      const submit = as(coder, {}, inRepo(repo));
      const { body } = await server.request(`POST /claims/${claim.id.slice(0, 20)}/submit`, submit);
      expect(JSON.stringify(body)).not.toContain(claim.id);
    }
    // Nor does it to one that the caller may read, under the name of this one.
    expect((await get(owner, `/streams/${hidden}`, inRepo(repoId))).error.code).toBe('not_found');
    expect((await get(owner, `/repos/${other}`, inRepo(repoId))).error.code).toBe('not_found');
    expect(await get(owner, `/streams/${hidden}`, inRepo(other))).toMatchObject({ id: hidden });
    expect((await get(stranger, '/streams/secret%20plan', inRepo(other))).error.message).toMatch(
      /that you may see/,
    );
  });
});
