import { describe, expect, it } from 'vitest';
import {
  type Client,
  type ConnectedClone,
  connectClone,
  headWish,
  noneAlive,
  streamWish,
  withMachine,
} from '../../test/support/connected-clone.ts';
import { forEachDatabase } from '../../test/support/databases.ts';
import { type CannedAnswer, inBetween, redirectTo } from '../../test/support/faulty-proxy.ts';
import { refusal } from '../../test/support/story.ts';
import { factsOf, oid } from '../../test/support/stream-story.ts';
import { registerAgent } from '../contract/agents.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import { listQueue, prepareMerge, requestMerge } from '../contract/merges.ts';
import { getRepo } from '../contract/repos.ts';
import { checkConsensus } from '../contract/reviews.ts';
import {
  createStream,
  listStreamCommits,
  listStreams,
  recordHead,
  showStream,
  submitStream,
} from '../contract/streams.ts';
import { createTask, listTasks } from '../contract/tasks.ts';
import { saveConnection } from '../machine/connection.ts';
import { listOutbox, putIntoOutbox } from '../machine/outbox.ts';

const createdTasks = async ({ log }: ConnectedClone) =>
  (await log())
    .filter(({ type }) => type === 'task.created')
    .map(({ data }) => (data as { title: string }).title);

forEachDatabase((_kind, makeDatabase) => {
  const start = async () => connectClone(await makeDatabase.place());

  it('a write whose answer was lost is sent again under its key and done once', async () => {
    const clone = await start();
    const { proxy, repoId } = clone;
    for (const fault of ['loses_answer', 'truncates_answer'] as const) {
      const task = await clone.run((client) => {
        proxy.next = [fault];
        return client.authority.call(createTask, { repoId, title: fault });
      });
      expect(task.title).toBe(fault);
    }
    expect(await createdTasks(clone)).toEqual(['loses_answer', 'truncates_answer']);
    const keys = proxy.seen
      .filter(({ method }) => method === 'POST')
      .map((each) => each.headers['idempotency-key']);
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(2);
    expect(clone.outbox()).toEqual([]);
  });

  it('a write whose answers are all lost is kept, and found done when the server is asked again', async () => {
    const clone = await start();
    await clone.run(async ({ authority }) => {
      clone.proxy.fault = 'loses_answer';
      const away = await refusal(authority.call(createTask, { repoId: clone.repoId, title: 'once' }));
      expect(away).toBeInstanceOf(AuthorityAway);
    });
    expect(await createdTasks(clone)).toEqual(['once']);
    expect(clone.outbox()).toEqual(['waiting task.create']);
    clone.proxy.fault = 'none';
    expect(await clone.run(({ flush }) => flush())).toMatchObject({ ok: 0, duplicate: 1, remaining: 0 });
    expect(await createdTasks(clone)).toEqual(['once']);
  });

  it('while the server is away work is kept in its order, with answers to go on with', async () => {
    const clone = await start();
    const { proxy, repoId, coder } = clone;
    const wish = streamWish(repoId, 'cache');
    proxy.fault = 'away';
    await clone.run(async ({ authority, told }) => {
      const stream = await authority.call(createStream, wish);
      expect(stream).toMatchObject({ id: wish.id, state: 'active', authorId: coder.id, head: oid('buffer') });
      const worked = await authority.call(recordHead, headWish(wish.id, 'cache'));
      expect(worked).toMatchObject({ head: oid('cache'), commitCount: 1 });
      const asked = await authority.call(submitStream, { stream: wish.id, facts: factsOf('cache') });
      expect(asked).toMatchObject({ state: 'in_review' });
      expect(told.filter((line) => line.includes('gitswarm sync'))).toHaveLength(1);
    });
    // A later process goes on from what the first was told.
    await clone.run(async ({ authority }) => {
      expect(await authority.call(showStream, { stream: wish.id })).toMatchObject({ state: 'in_review' });
      expect(await authority.call(listStreamCommits, { stream: wish.id })).toMatchObject({
        items: [{ commit: oid('cache') }],
      });
      const away = await refusal(authority.call(createTask, { repoId, title: 'next' }));
      expect(away).toBeInstanceOf(AuthorityAway);
      expect(away).toMatchObject({ code: 'unavailable', kept: { operation: 'task.create', seq: 4 } });
    });
    const kept = ['stream.create', 'stream.record_head', 'stream.submit', 'task.create'];
    expect(clone.outbox()).toEqual(kept.map((name) => `waiting ${name}`));
    expect((await clone.log()).some(({ type }) => type.startsWith('stream'))).toBe(false);
    proxy.fault = 'none';
    expect(await clone.run(({ flush }) => flush())).toMatchObject({ sent: 4, ok: 4, taken: kept });
    const types = (await clone.log()).map(({ type }) => type);
    expect(types.slice(-4)).toEqual([
      'stream.created',
      'stream.committed',
      'stream.submitted',
      'task.created',
    ]);
    const own = await clone.run(({ authority }) => authority.call(showStream, { stream: wish.id }));
    expect(own).toMatchObject({ state: 'in_review', head: oid('cache'), authorId: coder.id });
  });

  it('a process that dies while the server is at it leaves a write that is done once', async () => {
    const clone = await start();
    const { proxy, repoId } = clone;
    const dying = await clone.open();
    proxy.next = ['hangs'];
    const call = dying.authority.call(createTask, { repoId, title: 'once' });
    await proxy.untilHanging();
    expect(clone.outbox()).toEqual(['sending task.create']);
    // To those who see it alive it is not theirs to send.
    expect(await clone.run(({ flush }) => flush())).toMatchObject({ sent: 0, remaining: 0 });
    expect(await clone.run(({ flush }) => flush(), noneAlive)).toMatchObject({ ok: 1, remaining: 0 });
    proxy.release();
    await call;
    expect(await createdTasks(clone)).toEqual(['once']);
    expect(clone.outbox()).toEqual([]);
  });
});

it('what means nothing later is refused while the server is away, and kept nowhere', async () => {
  const clone = await connectClone();
  clone.proxy.fault = 'away';
  await clone.run(async ({ authority }) => {
    const permit = { merge: streamWish('', '').id, commit: oid('c'), bufferBefore: oid('b'), holder: 'me' };
    for (const asked of [
      authority.call(prepareMerge, permit),
      authority.call(registerAgent, { name: 'worker' }),
    ]) {
      const away = await refusal(asked);
      expect(away).toBeInstanceOf(AuthorityAway);
      expect(away).toMatchObject({ kept: undefined });
      expect(away.fix).toContain('back');
    }
  });
  expect(clone.outbox()).toEqual([]);
});

it('decisions are never answered from memory', async () => {
  const clone = await connectClone();
  const { repoId, proxy } = clone;
  const wish = streamWish(repoId, 'cache');
  const questions = (authority: Client['authority']) => [
    authority.call(checkConsensus, { stream: wish.id }),
    authority.call(listQueue, { repoId }),
  ];
  await clone.run(async ({ authority }) => {
    await authority.call(createStream, wish);
    await authority.call(recordHead, headWish(wish.id, 'cache'));
    await Promise.all(questions(authority));
  });
  proxy.fault = 'away';
  await clone.run(async ({ authority }) => {
    for (const asked of questions(authority)) expect(await refusal(asked)).toBeInstanceOf(AuthorityAway);
    const merge = authority.call(requestMerge, { stream: wish.id, facts: factsOf('cache') });
    expect(await refusal(merge)).toMatchObject({ kept: { operation: 'merge.request' } });
    // The request for a landing changes nothing of what is known.
    expect(await authority.call(showStream, { stream: wish.id })).toMatchObject({ state: 'active' });
  });
});

it('what things are is told as it was last known, and of when that is', async () => {
  const clone = await connectClone();
  const { repoId, proxy } = clone;
  const wish = streamWish(repoId, 'cache');
  await clone.run(async ({ authority }) => {
    await authority.call(createStream, wish);
    await authority.call(listStreams, { repoId, open: true });
  });
  proxy.fault = 'away';
  await clone.run(async ({ authority, told }) => {
    expect(told).toEqual([expect.stringMatching(/is away; what is told is as of 20\d\d-.*Z$/)]);
    const { handle } = await authority.call(showStream, { stream: wish.id });
    for (const stream of [handle, 'cache'])
      expect(await authority.call(showStream, { stream })).toMatchObject({ id: wish.id });
    expect(await authority.call(listStreams, { repoId, open: true })).toMatchObject({
      items: [{ id: wish.id }],
    });
    // It is said once, and what was never asked is not made up.
    expect(told).toHaveLength(1);
    expect(await refusal(authority.call(listTasks, { repoId }))).toBeInstanceOf(AuthorityAway);
  });
  await clone.run(
    async ({ authority }) => {
      proxy.fault = 'none';
      expect(await authority.call(getRepo, { repoId })).toMatchObject({ id: repoId });
    },
    { offline: true },
  );
  expect(proxy.seen.filter(({ handedOn }) => !handedOn).length).toBeGreaterThan(0);
});

it('lists hold what was done here since, and the oldest of what is told is named', async () => {
  const clone = await connectClone();
  const { repoId, proxy } = clone;
  const [before, after] = [streamWish(repoId, 'before'), streamWish(repoId, 'after')];
  await clone.run(async ({ authority }) => {
    await authority.call(createStream, before);
    await authority.call(listStreams, { repoId, open: true });
    await authority.call(listTasks, { repoId });
  });
  withMachine(clone.dir, (machine) =>
    machine.run("update remembered_answer set asked_at = '2026-01-01T00:00:00.000Z'"),
  );
  await clone.run(async ({ authority }) => {
    await authority.call(createStream, after);
    await authority.call(createTask, { repoId, title: 'made here' });
  });
  proxy.fault = 'away';
  await clone.run(async ({ authority, told }) => {
    const { items } = await authority.call(listStreams, { repoId, open: true });
    expect(items.map(({ name }) => name)).toEqual(['before', 'after']);
    const tasks = await authority.call(listTasks, { repoId });
    expect(tasks.items.map(({ title }) => title)).toEqual(['made here']);
    expect(told).toHaveLength(2);
    expect(told[1]).toContain('some of what is told is as of 2026-01-01T00:00:00.000Z');
  });
});

it('a name that several streams have names none of them while the server is away', async () => {
  const clone = await connectClone();
  const { repoId, proxy } = clone;
  const [one, two] = [streamWish(repoId, 'work'), streamWish(repoId, 'work')];
  await clone.run(async ({ authority }) => {
    for (const wish of [one, two]) await authority.call(createStream, wish);
    await authority.call(showStream, { stream: one.id });
    const named = await refusal(authority.call(showStream, { stream: 'work' }));
    expect(named).toMatchObject({ code: 'ambiguous' });
  });
  proxy.fault = 'away';
  await clone.run(async ({ authority }) => {
    expect(await refusal(authority.call(showStream, { stream: 'work' }))).toBeInstanceOf(AuthorityAway);
    for (const { id } of [one, two])
      expect(await authority.call(showStream, { stream: id })).toMatchObject({ id });
  });
});

it('what is kept is about what its names stood for when it was asked', async () => {
  const clone = await connectClone();
  const { repoId, proxy, server, coder } = clone;
  const [wish, other] = [streamWish(repoId, 'cache'), streamWish(repoId, 'cache')];
  await clone.run(async ({ authority }) => {
    await authority.call(createStream, wish);
    await authority.call(recordHead, headWish(wish.id, 'cache'));
  });
  proxy.fault = 'away';
  await clone.run(async ({ authority }) => {
    const asked = authority.call(requestMerge, { stream: 'cache', facts: factsOf('cache') });
    expect(await refusal(asked)).toMatchObject({ kept: { operation: 'merge.request' } });
  });
  withMachine(clone.dir, (machine) => {
    expect(listOutbox(machine)).toMatchObject([{ input: { stream: wish.id } }]);
  });
  await server.ask(`POST /repos/${repoId}/streams`, { as: coder.key, body: other });
  proxy.fault = 'none';
  await clone.run(({ flush }) => flush());
  const [kept] = withMachine(clone.dir, listOutbox);
  expect(kept?.error?.code).not.toBe('ambiguous');
});

it.each(['gsw_a\nb', 'gsw_ä', '', 'two words'])(
  'the key %j is refused before anything is sent, and not shown',
  async (key) => {
    const clone = await connectClone();
    const before = clone.proxy.seen.length;
    const refused = await refusal(clone.open({ token: key === '' ? ' ' : key }));
    expect(refused).toMatchObject({ code: 'usage' });
    if (key !== '') expect(`${refused.message} ${refused.fix}`).not.toContain(key);
    expect(clone.proxy.seen).toHaveLength(before);
    const around = await clone.open({ token: `  ${clone.coder.key}\n` });
    expect(await around.authority.call(getRepo, { repoId: clone.repoId })).toMatchObject({ name: 'demo' });
  },
);

it('a write is never sent before what waits', async () => {
  const clone = await connectClone();
  const { proxy, repoId } = clone;
  proxy.fault = 'away';
  await clone.run(({ authority }) => refusal(authority.call(createTask, { repoId, title: 'first' })));
  proxy.fault = 'none';
  await clone.run(async ({ authority }) => {
    expect(await authority.call(createTask, { repoId, title: 'second' })).toMatchObject({ title: 'second' });
  });
  expect(await createdTasks(clone)).toEqual(['first', 'second']);
  // What waits is not taken yet: what comes after it waits too.
  proxy.fault = 'away';
  await clone.run(({ authority }) => refusal(authority.call(createTask, { repoId, title: 'third' })));
  proxy.fault = 'none';
  const client = await clone.open({ offline: true });
  const fourth = await refusal(client.authority.call(createTask, { repoId, title: 'fourth' }));
  expect(fourth).toMatchObject({ kept: { operation: 'task.create' } });
  expect(clone.outbox()).toEqual(['waiting task.create', 'waiting task.create']);
  await clone.run(({ flush }) => flush());
  expect(await createdTasks(clone)).toEqual(['first', 'second', 'third', 'fourth']);
});

it('what the server refuses is refused at once and not kept', async () => {
  const clone = await connectClone();
  const { repoId } = clone;
  await clone.run(async ({ authority }) => {
    const refused = await refusal(authority.call(createTask, { repoId, title: 'dear', amount: 10 }));
    expect(refused).not.toBeInstanceOf(AuthorityAway);
    expect(refused.fix ?? refused.message).not.toBe('');
    const { id } = streamWish(repoId, 'unknown');
    expect(await refusal(authority.call(recordHead, headWish(id, 'x')))).toMatchObject({
      code: 'not_found',
    });
  });
  expect(clone.outbox()).toEqual([]);
});

it('what a dead process wanted at once is dropped, and what is wanted later is sent', async () => {
  const clone = await connectClone();
  const { repoId } = clone;
  withMachine(clone.dir, (machine) => {
    const entry = { actorId: clone.coder.id, state: 'sending', at: clone.connection.connectedAt } as const;
    const next = { repoId, title: 'kept' };
    putIntoOutbox(machine, { ...entry, operation: 'agent.register', input: { name: 'worker' } });
    putIntoOutbox(machine, { ...entry, operation: 'task.create', input: next });
    putIntoOutbox(machine, { ...entry, operation: 'merge.prepare', input: { merge: 'm-1' } });
  });
  expect(await clone.run(({ flush }) => flush(), noneAlive)).toMatchObject({ sent: 1, ok: 1, rejected: 0 });
  expect(clone.outbox()).toEqual([]);
  expect(await createdTasks(clone)).toEqual(['kept']);
});

it('a revoked token loses nothing, and a new one goes on', async () => {
  const clone = await connectClone();
  const { server, proxy, repoId, coder } = clone;
  const fresh = await server.ask('POST /agents/coder/keys', { as: coder.key, body: { name: 'fresh' } });
  proxy.fault = 'away';
  await clone.run(({ authority }) => refusal(authority.call(createTask, { repoId, title: 'kept' })));
  proxy.fault = 'none';
  await server.ask('POST /agents/coder/rotate-key', { as: coder.key, body: {} });
  expect(await refusal(clone.open())).toMatchObject({ code: 'unauthenticated' });
  expect(clone.outbox()).toEqual(['waiting task.create']);
  withMachine(clone.dir, (machine) => saveConnection(machine, clone.connection, fresh.apiKey));
  await clone.run(({ authority }) => authority.call(createTask, { repoId, title: 'next' }));
  expect(await createdTasks(clone)).toEqual(['kept', 'next']);
  expect(clone.outbox()).toEqual([]);
});

it('the token goes to the server and nowhere else', async () => {
  const clone = await connectClone();
  const { proxy, repoId } = clone;
  const elsewhere = await connectClone();
  const before = elsewhere.proxy.seen.length;
  await clone.run(async ({ authority }) => {
    proxy.fault = { answers: redirectTo(`${elsewhere.proxy.url}/api/v1/repos`) };
    const refused = await refusal(authority.call(createTask, { repoId, title: 'elsewhere' }));
    expect(refused.message).toContain(proxy.url);
  });
  expect(elsewhere.proxy.seen).toHaveLength(before);
});

it.each([
  ['limited', inBetween.limited],
  ['a page', inBetween.portal],
  ['unauthenticated', errorAnswer(401, 'unauthenticated')],
  ['internal', errorAnswer(500, 'internal')],
] as const)('a lost answer and then "%s" do not say that nothing was done', async (_what, answers) => {
  const clone = await connectClone();
  const { proxy, repoId } = clone;
  await clone.run(async ({ authority }) => {
    proxy.next = ['loses_answer', { answers }];
    const away = await refusal(authority.call(createTask, { repoId, title: 'once' }));
    expect(away).toMatchObject({ code: 'unavailable', kept: { operation: 'task.create' } });
  });
  expect(await clone.run(({ flush }) => flush())).toMatchObject({ ok: 0, duplicate: 1 });
  expect(await createdTasks(clone)).toEqual(['once']);
});

describe('answers that no server of ours gives:', () => {
  const json = { 'content-type': 'application/json' };
  it.each([
    ['a page', inBetween.portal, 'not_configured'],
    ['a redirect', redirectTo('http://127.0.0.1:9/'), 'not_configured'],
    ['a reason nobody knows', errorAnswer(422, 'moon_phase'), 'not_configured'],
    ['a limit of what stands before it', inBetween.limited, 'limited'],
    ['no JSON', { status: 200, body: 'yes', headers: { 'content-type': 'text/plain' } }, 'not_configured'],
    ['half of the JSON', { status: 200, body: '{"id": "', headers: json }, 'unavailable'],
    ['nothing', { status: 200, body: '', headers: json }, 'unavailable'],
    ['another shape', { status: 200, body: '{"id": 1, "title": {}}', headers: json }, 'invalid'],
    ['a list', { status: 200, body: '[[]]', headers: json }, 'invalid'],
    ['null', { status: 200, body: 'null', headers: json }, 'invalid'],
    [
      'what does not end',
      { status: 200, body: Buffer.alloc(65 * 1024 * 1024, 32), headers: json },
      'unavailable',
    ],
    ['a busy gateway', inBetween.badGateway, 'unavailable'],
  ] satisfies [string, CannedAnswer, string][])('%s', async (_what, answers, code) => {
    const clone = await connectClone();
    const { proxy, repoId } = clone;
    const wish = streamWish(repoId, 'cache');
    const [one, two] = [await clone.open(), await clone.open()];
    await one.authority.call(createStream, wish);
    proxy.fault = { answers };
    expect(await refusal(one.authority.call(checkConsensus, { stream: wish.id }))).toMatchObject({ code });
    expect(await refusal(two.authority.call(createTask, { repoId, title: 'one' }))).toMatchObject({ code });
    // Only what may be done later is kept, and that is told.
    expect(clone.outbox()).toEqual(code === 'unavailable' ? ['waiting task.create'] : []);
    proxy.fault = 'none';
    expect(await clone.run(({ authority }) => authority.call(showStream, { stream: wish.id }))).toMatchObject(
      {
        state: 'active',
      },
    );
  });

  it('an error is told with its code, words and fix, and only texts are taken for those', async () => {
    const clone = await connectClone();
    const { proxy, repoId } = clone;
    await clone.run(async ({ authority }) => {
      const error = { code: 'not_allowed', message: 'No.', fix: 'Ask.', details: { level: 'read' } };
      proxy.fault = { answers: { status: 403, body: JSON.stringify({ error }) } };
      expect(await refusal(authority.call(createTask, { repoId, title: 'one' }))).toMatchObject(error);
      const odd = { code: 'not_allowed', message: { evil: 1 }, fix: 7, details: 'none' };
      proxy.fault = { answers: { status: 403, body: JSON.stringify({ error: odd }) } };
      const told = await refusal(authority.call(createTask, { repoId, title: 'one' }));
      expect(told).toMatchObject({ code: 'not_allowed', message: 'not_allowed', fix: undefined });
    });
  });
});

function errorAnswer(status: number, code: string): CannedAnswer {
  return { status, body: JSON.stringify({ error: { code, message: code } }) };
}
