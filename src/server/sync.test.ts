import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeServer, type ServerForTests } from '../../test/support/server.ts';
import { newId } from '../base/ids.ts';
import { endpoints } from '../contract/api.ts';
import { meaningOf } from './sync-types.ts';

type Call =
  | { kind: 'task'; title: string }
  | { kind: 'stream' }
  | { kind: 'commit'; of: number; commit: string }
  | { kind: 'submit' | 'abandon'; of: number };

const oid = (digit: string) => digit.repeat(40);
type Event = { seq: number; type: string; data: object; created_at: string; key?: string };

/** Events as a client keeps them: numbered, with the time at which it did them. */
function outbox(...calls: [type: string, data: object, key?: string][]): Event[] {
  return calls.map(([type, data, key], i) => ({
    seq: i + 1,
    type,
    data,
    created_at: `2026-03-01T00:00:${String(i).padStart(2, '0')}Z`,
    ...(key === undefined ? {} : { key }),
  }));
}

const batch = (server: ServerForTests, as: string, events: unknown) =>
  server.request('POST /sync/batch', { as, body: { events } });
const statuses = (reply: { body: { results: { status: string }[] } }) =>
  reply.body.results.map((each) => each.status);

forEachDatabase((_kind, makeDatabase) => {
  async function start(names = ['owner', 'coder', 'other']) {
    const server = await makeServer({ place: await makeDatabase.place() });
    const agents = [];
    for (const name of names) agents.push(await server.agent(name));
    const [owner, coder, other] = agents as [(typeof agents)[0], (typeof agents)[0], (typeof agents)[0]];
    const body = { name: 'demo', ownership_model: 'guild', is_private: true, agent_access: 'allowlist' };
    const { id: repoId } = await server.ask('POST /repos/register', { as: owner.key, body });
    await server.ask(`POST /repos/${repoId}/access`, {
      as: owner.key,
      body: { agent: 'coder', level: 'write' },
    });
    return { server, owner, coder, other, repoId };
  }

  it('does what a client did while it was away, in order, and none of it twice', async () => {
    const { server, coder, repoId } = await start();
    const streamId = newId(Date.now());
    const events = outbox(
      ['stream_created', { repoId, streamId, agentId: coder.id, name: 'cache' }],
      ['commit', { streamId, message: 'Work', commit: oid('1'), change_id: 'I1' }],
      ['stream.submit', { stream: streamId }, 'own-key'],
      ['task.create', { repo_id: repoId, title: 'Next' }],
    );
    const first = await batch(server, coder.key, events);
    expect(first).toMatchObject({ status: 200 });
    expect(statuses(first)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(first.body.results[0]).toEqual({ seq: 1, status: 'ok', id: streamId, handle: expect.any(String) });
    const log = () => server.ask(`GET /repos/${repoId}/activity?limit=200`, { as: coder.key });
    const { items } = await log();
    const again = await batch(server, coder.key, events);
    expect(statuses(again)).toEqual(['duplicate', 'duplicate', 'duplicate', 'duplicate']);
    expect(again.body.results[3].id).toBe(first.body.results[3].id);
    expect((await log()).items).toEqual(items);
    expect(await server.ask(`GET /streams/${streamId}`, { as: coder.key })).toMatchObject({
      state: 'in_review',
      head: oid('1'),
      authorId: coder.id,
    });
  });

  it('what was done under a key by a call of its own is not done again by a batch', async () => {
    const { server, coder, repoId } = await start();
    const headers = { 'idempotency-key': 'k' };
    const body = { title: 'one' };
    const made = await server.ask(`POST /repos/${repoId}/tasks`, { as: coder.key, body, headers });
    const sent = await batch(server, coder.key, outbox(['task.create', { repoId, title: 'one' }, 'k']));
    expect(sent.body.results).toEqual([{ seq: 1, status: 'duplicate', id: made.id, handle: made.handle }]);
    const other = await batch(server, coder.key, outbox(['task.create', { repoId, title: 'two' }, 'k']));
    expect(other.body.results).toMatchObject([{ status: 'error', error: { code: 'conflict' } }]);
  });

  it("an agent sends what agents of its own did, each under that one's keys", async () => {
    const { server, owner, coder, repoId } = await start();
    const fleet = await server.ask('POST /agents/coder/keys', {
      as: server.admin,
      body: { name: 'fleet', mayRegister: true },
    });
    const { agent: worker } = await server.ask('POST /agents', {
      as: fleet.apiKey,
      body: { name: 'worker' },
    });
    const access = { as: owner.key, body: { agent: 'worker', level: 'write' } };
    await server.ask(`POST /repos/${repoId}/access`, access);
    const [one, two] = [newId(1), newId(2)];
    const events = outbox(
      ['stream_created', { repoId, streamId: one, agent_id: worker.id }, 'k'],
      ['stream_created', { repoId, streamId: two }, 'k'],
    );
    const forged = await batch(server, coder.key, events);
    expect(forged.body.results).toMatchObject([{ status: 'error', error: { code: 'not_allowed' } }]);
    expect(statuses(await batch(server, fleet.apiKey, events))).toEqual(['ok', 'ok']);
    for (const [id, authorId] of [
      [one, worker.id],
      [two, coder.id],
    ])
      expect(await server.ask(`GET /streams/${id}`, { as: owner.key })).toMatchObject({ authorId });
  });

  it('stops at the first that fails, and says why as a direct call would', async () => {
    const { server, owner, coder, other, repoId } = await start();
    const failing = async (as: string, type: string, data: object) => {
      const good = ['task.create', { repoId, title: 'before' }] as [string, object];
      const events = outbox(good, [type, data], ['task.create', { repoId, title: 'never' }]);
      const { body } = await batch(server, as, as === other.key ? events.slice(1) : events);
      return body.results.at(-1).error.code;
    };
    expect(await failing(coder.key, 'stream_createt', {})).toBe('invalid');
    expect(await failing(coder.key, 'stream_created', { repoId, agentId: owner.id })).toBe('not_allowed');
    expect(await failing(coder.key, 'repo.set_config', { repoId, changes: {} })).toBe('not_allowed');
    expect(await failing(coder.key, 'task.create', { repoId })).toBe('invalid');
    expect(await failing(coder.key, 'merge.land', { merge: 'x', commit: oid('1') })).toBe('not_found');
    expect(await failing(coder.key, 'repo.report_config', { repoId, blob: null })).toBe('invalid');
    expect(await failing(coder.key, 'queue.next', { repoId })).toBe('invalid');
    expect(await failing(coder.key, 'stream.edit', { stream: 'x' })).toBe('invalid');
    expect(await failing(coder.key, 'key.create', { agent: coder.id, name: 'x' })).toBe('invalid');
    expect(await failing(coder.key, 'sync.batch', { events: [] })).toBe('invalid');
    expect(await failing(other.key, 'task.create', { repoId, title: 'x' })).toBe('not_found');
    const { items } = await server.ask(`GET /repos/${repoId}/tasks`, { as: owner.key });
    expect(new Set(items.map((each: { title: string }) => each.title))).toEqual(new Set(['before']));
  });

  it('takes at most 500 events and 4 MiB, and nothing that cannot be told from another', async () => {
    const { server, coder, repoId } = await start();
    const many = Array.from({ length: 501 }, (_, i) => ({ seq: i, type: 'x', data: {}, key: `k${i}` }));
    expect(await batch(server, coder.key, many)).toMatchObject({ status: 413 });
    const large = outbox(['task.create', { repoId, title: 'x', description: 'x'.repeat(5_000_000) }]);
    expect(await batch(server, coder.key, large)).toMatchObject({ status: 413 });
    for (const events of [[{ seq: 1, type: 'x', data: {} }], [{ type: 'x', key: 'k' }], 'x'])
      expect(await batch(server, coder.key, events)).toMatchObject({ status: 400 });
    expect(await server.request('POST /sync/batch', { body: { events: [] } })).toMatchObject({ status: 401 });
  });

  it('batches that are cut, repeated and sent again leave what one clean run leaves', async () => {
    const { server, owner, coder } = await start();
    const call = fc.oneof(
      fc.record({ kind: fc.constant('task' as const), title: fc.constantFrom('a', 'b') }),
      fc.record({ kind: fc.constant('stream' as const) }),
      fc.record({ kind: fc.constant('commit' as const), of: fc.nat(3), commit: fc.constantFrom('1', '2') }),
      fc.record({ kind: fc.constant('submit' as const), of: fc.nat(3) }),
      fc.record({ kind: fc.constant('abandon' as const), of: fc.nat(3) }),
    );
    const sends = fc.array(fc.record({ from: fc.nat(8), length: fc.integer({ min: 1, max: 9 }) }), {
      maxLength: 4,
    });
    const property = fc.asyncProperty(
      fc.array(call, { minLength: 1, maxLength: 8 }),
      sends,
      async (calls, cuts) => {
        const clean = await fresh();
        const torn = await fresh();
        const whole = eventsFor(clean.id, calls);
        await sendAll(whole);
        const events = eventsFor(torn.id, calls);
        let done = 0;
        for (const { from, length } of cuts) {
          // Never past what was answered: a client that stops at an error sends that event again, not the next.
          const start = Math.min(from, done);
          const send = () => batch(server, coder.key, events.slice(start, start + length));
          // The answer is lost and the batch is sent again while the first may still run.
          const [{ body }] = await Promise.all([send(), send()]);
          for (const { seq, status } of body.results) if (status !== 'error') done = Math.max(done, seq);
        }
        await sendAll(events);
        expect(await stateOf(torn.id)).toEqual(await stateOf(clean.id));
      },
    );
    await fc.assert(property, { numRuns: 8 });

    async function fresh() {
      const repo = await server.ask('POST /repos/register', { as: owner.key, body: { name: 'r' } });
      return repo as { id: string };
    }
    /** As a client does it: up to the first that fails, which it drops, and goes on after it. */
    async function sendAll(events: Event[]) {
      for (let rest = events; rest.length > 0; ) {
        const { body } = await batch(server, coder.key, rest);
        rest = rest.slice(body.results.length);
      }
    }
    function eventsFor(repoId: string, calls: Call[]): Event[] {
      const streams: string[] = [];
      return outbox(
        ...calls.map((each): [string, object] => {
          const stream = 'of' in each ? (streams[each.of] ?? newId(1)) : '';
          if (each.kind === 'task') return ['task_created', { repoId, title: each.title }];
          if (each.kind === 'commit')
            return ['commit', { streamId: stream, message: 'x', commit: oid(each.commit) }];
          if (each.kind === 'submit') return ['stream.submit', { stream }];
          if (each.kind === 'abandon') return ['stream_abandoned', { streamId: stream }];
          streams.push(newId(Date.now()));
          return ['stream_created', { repoId, streamId: streams.at(-1), name: `s${streams.length}` }];
        }),
      );
    }
    /** Everything that was told of a repository, without ids and times, which are never the same. */
    async function stateOf(repoId: string) {
      const as = { as: coder.key };
      const { items: log } = await server.ask(`GET /repos/${repoId}/activity?limit=200`, as);
      const { items: streams } = await server.ask(`GET /repos/${repoId}/streams`, as);
      const { items: tasks } = await server.ask(`GET /repos/${repoId}/tasks`, as);
      return {
        log: log.map((event: { type: string }) => event.type),
        streams: streams
          .map((each: Record<string, unknown>) => [each.name, each.state, each.head, each.commitCount])
          .sort(),
        tasks: tasks.map((each: Record<string, unknown>) => each.title).sort(),
      };
    }
  });

  it('tells what happened since, of what one may read, without loss or repetition', async () => {
    const { server, owner, coder, other, repoId } = await start();
    const updates = (as: string, query: string) => server.ask(`GET /updates?${query}`, { as });
    const { cursor: begin } = await updates(coder.key, '');
    for (let i = 0; i < 7; i++)
      await server.ask(`POST /repos/${repoId}/tasks`, { as: owner.key, body: { title: `t${i}` } });
    const titles: string[] = [];
    for (let since = begin, more = true; more; ) {
      const page = await updates(coder.key, `since=${since}&limit=3&repoId=${repoId}`);
      titles.push(...page.events.map((event: { data: { title: string } }) => event.data.title));
      ({ cursor: since, more } = page);
    }
    expect(titles).toEqual(['t0', 't1', 't2', 't3', 't4', 't5', 't6']);
    const strange = await updates(other.key, `since=${begin}`);
    expect(strange.events).toEqual([]);
    expect(Number(strange.cursor)).toBeGreaterThanOrEqual(Number(begin) + 7);
    expect(await updates(coder.key, `since=${strange.cursor}`)).toMatchObject({ events: [], more: false });
    expect(await server.request(`GET /updates?repoId=${repoId}`, { as: other.key })).toMatchObject({
      status: 404,
    });
    expect(await server.request('GET /updates?since=x', { as: coder.key })).toMatchObject({ status: 400 });
  });
});

it('knows every operation that changes something by its name, and the words of older clients', () => {
  for (const type of [
    'task_create',
    'branch_rule.add',
    'stream_abandoned',
    'council_vote',
    'stage_progression',
    'task_submission',
  ])
    expect(meaningOf({ type, data: {} }, endpoints).endpoint.method).not.toBe('GET');
  const proposal = { repoId: 'r', proposal: { type: 'promote', title: 'x' } };
  expect(meaningOf({ type: 'council_proposal', data: proposal }, endpoints).data).toEqual({
    repoId: 'r',
    type: 'promote',
    title: 'x',
  });
  expect(
    meaningOf({ type: 'task_submission', data: { taskId: 't', submission_notes: 'n' } }, endpoints).data,
  ).toEqual({ claim: 't', notes: 'n' });
  for (const type of ['task.creat', 'strem_created'])
    expect(() => meaningOf({ type, data: {} }, endpoints)).toThrow(/no event of type/);
  try {
    meaningOf({ type: 'task.creat', data: {} }, endpoints);
  } catch (error) {
    expect(error).toMatchObject({ fix: 'Did you mean task.create?' });
  }
});
