import { expect, it } from 'vitest';
import { startClientClone } from '../../test/support/client-clone-story.ts';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid } from '../../test/support/stream-story.ts';
import { newId } from '../base/ids.ts';

forEachDatabase((_kind, makeDatabase) => {
  it('a client with the clone lands a stream step by step, as a workflow does', async () => {
    const { server, coder, as, repoId, approved } = await startClientClone(makeDatabase);
    const stream = await approved('one');
    const id = newId(Date.now());
    const asked = await server.ask(`POST /streams/${stream}/merge`, as(coder, { id, facts: factsOf('one') }));
    expect(asked.merge).toMatchObject({ id, state: 'requested', permitUntil: null });
    const next = (tried: string[]) =>
      server.ask(`POST /repos/${repoId}/queue/next`, as(coder, { tried, until: id }));
    expect(await next([])).toMatchObject({ next: { merge: { id } }, goesOn: true });
    expect(await next([id])).toMatchObject({ next: null });

    const intent = { commit: oid('landing'), bufferBefore: oid('buffer'), holder: 'client' };
    const prepared = await server.ask(`POST /merges/${id}/prepare`, as(coder, intent));
    expect(prepared).toMatchObject({ state: 'prepared', commit: oid('landing'), holder: 'client' });
    expect(Date.parse(prepared.permitUntil) - Date.now()).toBeGreaterThan(0);
    const once = { 'idempotency-key': 'land' };
    const land = () => server.ask(`POST /merges/${id}/land`, as(coder, { commit: oid('landing') }, once));
    const landed = await land();
    expect(landed).toMatchObject({
      merge: { state: 'landed', permitUntil: null },
      stream: { id: stream, state: 'merged', mergedCommit: oid('landing') },
    });
    expect(await land()).toEqual(landed);

    const other = await approved('two');
    const taken = as(coder, { id, facts: factsOf('two') });
    expect(await server.request(`POST /streams/${other}/merge`, taken)).toMatchObject({
      status: 409,
      body: { error: { code: 'already_exists' } },
    });
  });

  it('a landing under way is taken back by nobody else before its permit ends by the clock of the server', async () => {
    const { server, coder, second, as, approved } = await startClientClone(makeDatabase);
    const id = newId(Date.now());
    const stream = await approved('one');
    await server.ask(`POST /streams/${stream}/merge`, as(coder, { id, facts: factsOf('one') }));
    const intent = { commit: oid('landing'), bufferBefore: oid('buffer'), holder: 'first' };
    const prepared = await server.ask(`POST /merges/${id}/prepare`, as(coder, intent));
    const takeBack = (holder: string | null) =>
      server.request(`POST /merges/${id}/end`, as(second, { state: 'withdrawn', requeue: true, holder }));
    for (const holder of [null, 'another'])
      expect(await takeBack(holder)).toMatchObject({
        status: 409,
        body: { error: { code: 'busy', details: { permitUntil: prepared.permitUntil } } },
      });
    expect(await takeBack('first')).toMatchObject({ status: 200, body: { stream: { state: 'queued' } } });
  });

  it('what a client measured is taken from those who may write, and in the order of a batch too', async () => {
    const { server, owner, coder, reader, stranger, as, stream } = await startClientClone(makeDatabase);
    const id = await stream('one');
    const body = { facts: factsOf('two'), cause: 'adopted' };
    const tell = (who: typeof owner) => server.request(`POST /streams/${id}/head`, as(who, body));
    expect(await tell(stranger)).toMatchObject({ status: 404 });
    expect(await tell(reader)).toMatchObject({ status: 403 });
    expect(await server.request(`POST /streams/${id}/head`, { body })).toMatchObject({ status: 401 });
    expect(await server.request(`POST /streams/${id}/edit`, as(owner, {}))).toMatchObject({ status: 403 });
    expect(await server.ask(`POST /streams/${id}/edit`, as(coder, {}))).toMatchObject({ id });
    const events = [{ seq: 1, type: 'stream.record_head', key: 'k', data: { stream: id, ...body } }];
    const { results } = await server.ask('POST /sync/batch', as(coder, { events }));
    expect(results).toEqual([{ seq: 1, status: 'ok', id, handle: expect.any(String) }]);
    expect(await server.ask(`GET /streams/${id}`, as(coder))).toMatchObject({ head: oid('two') });
  });

  it('what a stream holds is said by its author, a fleet that its author belongs to, or a maintainer', async () => {
    const { server, owner, coder, second, as, repoId, approved } = await startClientClone(makeDatabase);
    const other = await server.agent('other');
    const { apiKey } = await server.ask('POST /agents/coder/keys', {
      as: server.admin,
      body: { name: 'fleet', mayRegister: true },
    });
    const { agent: mate, apiKey: mateKey } = await server.ask('POST /agents', {
      as: apiKey,
      body: { name: 'mate' },
    });
    for (const agent of ['other', 'mate'])
      await server.ask(`POST /repos/${repoId}/access`, as(owner, { agent, level: 'write' }));
    const id = await approved('one');
    // The same patch, so that every approval would stand, and a commit of somebody else.
    const forged = { facts: { ...factsOf('one'), head: oid('evil') }, cause: 'adopted' };
    const clash = { with: 'buffer', onto: oid('buffer'), files: [] };
    const tell = (who: typeof owner, path: string, body: object) =>
      server.request(`POST /streams/${id}/${path}`, as(who, body));
    expect(await tell(other, 'head', forged)).toMatchObject({ status: 403 });
    expect(await tell(other, 'conflicted', clash)).toMatchObject({ status: 403 });
    const standing = await server.ask(`GET /streams/${id}`, as(coder));
    expect(standing).toMatchObject({ head: oid('one'), state: 'approved' });
    const rebased = { facts: { ...factsOf('one'), head: oid('rebased') }, cause: 'rebased' };
    for (const who of [{ id: mate.id, name: 'mate', key: mateKey }, second])
      expect(await tell(who, 'head', rebased)).toMatchObject({ status: 200, body: { state: 'approved' } });
  });

  it('a verdict on one block is one on that block and not on the stream', async () => {
    const { server, owner, as, stream } = await startClientClone(makeDatabase);
    const id = await stream('one');
    const verdict = { verdict: 'approve', block: '1', head: oid('one') };
    const { review } = await server.ask(`POST /streams/${id}/reviews`, as(owner, verdict));
    expect(review).toMatchObject({ standing: false, reviewBlockId: expect.any(String) });
    const none = as(owner, { ...verdict, block: '2' });
    expect(await server.request(`POST /streams/${id}/reviews`, none)).toMatchObject({ status: 404 });
  });

  it('a test of the buffer that says more about an earlier one completes it', async () => {
    const { server, coder, as, repoId, approved } = await startClientClone(makeDatabase);
    const stream = await approved('one');
    const { merge } = await server.ask(`POST /streams/${stream}/merge`, as(coder, { facts: factsOf('one') }));
    const landing = { commit: oid('landing'), bufferBefore: oid('buffer'), holder: 'client' };
    await server.ask(`POST /merges/${merge.id}/prepare`, as(coder, landing));
    await server.ask(`POST /merges/${merge.id}/land`, as(coder, { commit: oid('landing') }));
    const red = { result: 'red', commit: oid('landing') };
    const { stabilization } = await server.ask(`POST /repos/${repoId}/stabilize`, as(coder, red));
    const blame = { ...red, completes: stabilization.id, culpritMerge: merge.id };
    expect(await server.ask(`POST /repos/${repoId}/stabilize`, as(coder, blame))).toMatchObject({
      stabilization: { id: stabilization.id, culpritMergeId: merge.id },
      task: { revertOfStreamId: stream },
    });
    const { items } = await server.ask(`GET /repos/${repoId}/stabilize/history`, as(coder));
    expect(items).toHaveLength(1);
    const wish = { kind: 'revert', head: oid('revert'), revertsMerge: merge.id };
    expect((await server.request(`POST /repos/${repoId}/merges`, as(coder, wish))).status).toBe(403);
    const automatic = as(coder, { ...wish, automatic: true });
    expect(await server.ask(`POST /repos/${repoId}/merges`, automatic)).toMatchObject({ kind: 'revert' });
  });

  it('a client that wrote the settings file too may set what the file decides', async () => {
    const { server, owner, as, repoId } = await startClientClone(makeDatabase);
    const text = 'min_reviews: 1\n';
    await server.ask(`PUT /repos/${repoId}/config/file`, as(owner, { text }));
    const changes = { min_reviews: 2 };
    const set = (more: object) =>
      server.request(`PATCH /repos/${repoId}/config`, as(owner, { changes, ...more }));
    expect([(await set({})).status, (await set({ fileWritten: true })).status]).toEqual([409, 200]);
  });

  it('a server that has the clone measures itself, and takes no word for it', async () => {
    const { server, owner, as } = await startClientClone(makeDatabase);
    const repo = await server.ask('POST /repos', as(owner, { name: 'here' }));
    const { id } = await server.ask(`POST /repos/${repo.id}/streams`, as(owner, { name: 'x' }));
    const refused = { status: 422, body: { error: { code: 'wrong_state', fix: expect.any(String) } } };
    const head = { facts: factsOf('forged'), cause: 'commit' };
    expect(await server.request(`POST /streams/${id}/head`, as(owner, head))).toMatchObject(refused);
    expect(await server.request(`POST /streams/${id}/edit`, as(owner, {}))).toMatchObject(refused);
    const intake = { kind: 'intake', head: oid('x') };
    expect(await server.request(`POST /repos/${repo.id}/merges`, as(owner, intake))).toMatchObject(refused);
    const file = { as: owner.key, body: 'hello\n' };
    expect((await server.request(`PUT /streams/${id}/files/a.txt`, file)).status).toBe(201);
    const made = await server.ask(`POST /streams/${id}/commits`, as(owner, { message: 'x' }));
    expect(made.commit).toMatch(/^[0-9a-f]{40}$/);
  });
});
