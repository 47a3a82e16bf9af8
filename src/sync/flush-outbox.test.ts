import { describe, expect, it } from 'vitest';
import {
  type ConnectedClone,
  connectClone,
  headWish,
  streamWish,
  withMachine,
} from '../../test/support/connected-clone.ts';
import { forEachDatabase } from '../../test/support/databases.ts';
import { type CannedAnswer, inBetween, redirectTo } from '../../test/support/faulty-proxy.ts';
import { refusal } from '../../test/support/story.ts';
import { factsOf } from '../../test/support/stream-story.ts';
import { newId } from '../base/ids.ts';
import { createStream, listStreams } from '../contract/streams.ts';
import { createTask } from '../contract/tasks.ts';
import { listOutbox, type NewEntry, putIntoOutbox, waitAgain } from '../machine/outbox.ts';
import { flushOutbox } from './flush-outbox.ts';
import { ServerLink } from './server-link.ts';

/** Writes calls into the outbox as if the server had been away when they were made. */
function keep({ dir, coder, connection }: ConnectedClone, ...entries: Partial<NewEntry>[]): void {
  withMachine(dir, (machine) => {
    for (const entry of entries)
      putIntoOutbox(machine, {
        operation: createTask.name,
        actorId: coder.id,
        input: {},
        state: 'waiting',
        at: connection.connectedAt,
        ...entry,
      });
  });
}

const task = ({ repoId }: ConnectedClone, title: string, more: object = {}) => ({
  input: { repoId, title, ...more },
});
const flush = ({ run }: ConnectedClone, options = {}) => run((client) => client.flush(), options);
/** Without the first question of a process, which sends what waits too. */
const flushAlone = ({ dir, proxy, coder, repoId }: ConnectedClone) =>
  withMachine(dir, (machine) =>
    flushOutbox(new ServerLink({ url: proxy.url, token: coder.key }), machine, repoId),
  );
const entries = ({ dir }: ConnectedClone) => withMachine(dir, listOutbox);
const titles = async ({ log }: ConnectedClone) =>
  (await log())
    .filter(({ type }) => type === 'task.created')
    .map(({ data, actorName }) => `${actorName}: ${(data as { title: string }).title}`);

forEachDatabase((_kind, makeDatabase) => {
  it('what the server refuses stays with its reason, and what comes behind it goes on', async () => {
    const clone = await connectClone(await makeDatabase.place());
    const unknown = newId(1);
    keep(
      clone,
      task(clone, 'one'),
      { operation: 'stream.submit', input: { stream: unknown, facts: factsOf('x') } },
      task(clone, 'two'),
      task(clone, 'dear', { amount: 10 }),
      task(clone, 'three'),
    );
    expect(await flush(clone)).toEqual({
      ...{ sent: 5, ok: 3, duplicate: 0, rejected: 2, remaining: 0, notSpokenFor: 0 },
      taken: ['task.create', 'task.create', 'task.create'],
    });
    expect(await titles(clone)).toEqual(['coder: one', 'coder: two', 'coder: three']);
    const [stream, dear] = entries(clone);
    expect(stream).toMatchObject({
      operation: 'stream.submit',
      state: 'rejected',
      attempts: 1,
      error: { code: 'not_found', message: expect.stringContaining(unknown) },
    });
    expect(dear?.error?.message).not.toBe('');
    // What was refused is not sent again by itself, and is when somebody asks for it.
    expect(await flush(clone)).toMatchObject({ sent: 0 });
    await clone.server.ask(`POST /repos/${clone.repoId}/streams`, {
      as: clone.coder.key,
      body: { ...streamWish(clone.repoId, 'x'), id: unknown },
    });
    expect(withMachine(clone.dir, (machine) => waitAgain(machine, stream?.seq))).toBe(1);
    expect(await flush(clone)).toMatchObject({ sent: 1, ok: 1 });
    expect(clone.outbox()).toEqual(['rejected task.create']);
  });

  it("entries of two agents keep their order, and each is done as its agent's", async () => {
    const clone = await connectClone(await makeDatabase.place());
    const { server, owner, coder, repoId } = clone;
    const wish = { name: 'fleet', mayRegister: true };
    const fleet = await server.ask('POST /agents/coder/keys', { as: server.admin, body: wish });
    const { agent: worker } = await server.ask('POST /agents', {
      as: fleet.apiKey,
      body: { name: 'worker' },
    });
    const access = { agent: 'worker', level: 'write' };
    await server.ask(`POST /repos/${repoId}/access`, { as: owner.key, body: access });
    const by = (actorId: string, title: string) => ({ actorId, ...task(clone, title) });
    clone.proxy.fault = 'away';
    await clone.run(async ({ authority }) => {
      const call = (id: string, title: string) =>
        refusal(authority.as(id).call(createTask, { repoId, title }));
      for (const [id, title] of [
        [coder.id, 'a'],
        [worker.id, 'b'],
        [worker.id, 'c'],
      ] as const)
        await call(id, title);
    });
    keep(clone, by(coder.id, 'd'), by(worker.id, 'e'));
    clone.proxy.fault = 'none';
    expect(await flush(clone, { token: fleet.apiKey })).toMatchObject({ sent: 5, ok: 5 });
    const all = ['coder: a', 'worker: b', 'worker: c', 'coder: d', 'worker: e'];
    expect(await titles(clone)).toEqual(all);
  });

  it('many calls go in several requests and keep their order', async () => {
    const clone = await connectClone(await makeDatabase.place());
    const names = Array.from({ length: 12 }, (_, n) => `task ${n}`);
    // Five of these are more than one request may hold.
    keep(
      clone,
      ...names.map((title) =>
        task(clone, title, {
          acceptance: Array(40).fill('x'.repeat(1000)),
          description: 'y'.repeat(45_000),
          labels: [title],
        }),
      ),
      ...names.map((title) => task(clone, `small ${title}`)),
    );
    withMachine(clone.dir, (machine) =>
      machine.run(
        "update outbox set input = json_set(input, '$.padding', ?) where seq <= 12",
        'z'.repeat(700_000),
      ),
    );
    const before = clone.proxy.seen.length;
    expect(await flush(clone)).toMatchObject({ sent: 24, ok: 24 });
    const batches = clone.proxy.seen.slice(before).filter(({ url }) => url.endsWith('/sync/batch'));
    expect(batches.length).toBeGreaterThan(2);
    const expected = [...names, ...names.map((title) => `small ${title}`)].map((title) => `coder: ${title}`);
    expect(await titles(clone)).toEqual(expected);
  });
});

it('one call that is too large for the server does not hold up the others', async () => {
  const clone = await connectClone();
  keep(
    clone,
    task(clone, 'one'),
    task(clone, 'huge', { description: 'x'.repeat(9_000_000) }),
    task(clone, 'two'),
  );
  expect(await flush(clone)).toMatchObject({ ok: 2, rejected: 1, remaining: 0 });
  expect(await titles(clone)).toEqual(['coder: one', 'coder: two']);
  expect(entries(clone)).toMatchObject([{ state: 'rejected', error: { code: 'too_large' } }]);
});

it('one call that makes its request unfit does not hold up the others', async () => {
  const clone = await connectClone();
  const unfit = { ...task(clone, 'unfit'), key: 'a key with blanks' };
  keep(clone, task(clone, 'one'), unfit, { operation: 'no.such_thing' }, task(clone, 'two'));
  expect(await flush(clone)).toMatchObject({ ok: 2, rejected: 2, remaining: 0 });
  expect(await titles(clone)).toEqual(['coder: one', 'coder: two']);
});

describe('a server that cannot take it now leaves it waiting:', () => {
  const batchAnswer = (code: string, details = {}): CannedAnswer => ({
    status: 200,
    body: JSON.stringify({ results: [{ seq: 1, status: 'error', error: { code, message: code, details } }] }),
  });
  const wholeAnswer = (status: number, code: string): CannedAnswer => ({
    status,
    body: JSON.stringify({ error: { code, message: code } }),
  });
  const cases: Record<string, CannedAnswer> = {
    'busy with the first': batchAnswer('busy'),
    'at its limit with the first': batchAnswer('limited', { retryAfterSeconds: 7 }),
    'out of time with the first': batchAnswer('timed_out'),
    'with a fault of its own': batchAnswer('internal'),
    'with an error this program does not know': batchAnswer('moon_phase'),
    'at its limit': wholeAnswer(429, 'limited'),
    unavailable: wholeAnswer(503, 'unavailable'),
    'going down': wholeAnswer(503, 'interrupted'),
    'not letting us in': wholeAnswer(401, 'unauthenticated'),
    'broken inside': wholeAnswer(500, 'internal'),
    'behind a bad gateway': inBetween.badGateway,
    'behind a gateway that finds nobody': inBetween.unavailable,
    'behind a gateway with a limit': inBetween.limited,
    'behind a gateway that knows no such place': inBetween.notFound,
    'behind the page of a hotel': inBetween.portal,
    'moved elsewhere': redirectTo('http://127.0.0.1:9/'),
    'saying nothing': { status: 200, body: '' },
    'saying something else': { status: 200, body: '[]' },
    'saying half of it': { status: 200, body: '{"results": [{"seq": 1, "st' },
    'speaking of what nobody sent': {
      status: 200,
      body: JSON.stringify({ results: [{ seq: 77, status: 'ok' }] }),
    },
    'speaking of nothing': { status: 200, body: JSON.stringify({ results: [] }) },
    'speaking of the second only': {
      status: 200,
      body: JSON.stringify({ results: [{ seq: 2, status: 'ok' }] }),
    },
  };
  it.each(Object.entries(cases))('%s', async (_what, answers) => {
    const clone = await connectClone();
    keep(clone, task(clone, 'one'), task(clone, 'two'));
    clone.proxy.fault = { answers };
    await flushAlone(clone).catch(refusedWith);
    clone.proxy.fault = 'none';
    expect(clone.outbox()).toEqual(['waiting task.create', 'waiting task.create']);
    expect(await flush(clone)).toMatchObject({ ok: 2, remaining: 0 });
  });

  /** Refusals only: anything else is a fault of ours. */
  async function refusedWith(error: unknown): Promise<void> {
    await refusal(Promise.reject(error));
  }
});

it('a fault of the server that stays does not hold up what is behind for ever', async () => {
  const clone = await connectClone();
  keep(clone, task(clone, 'one'), task(clone, 'two'));
  const [first] = entries(clone);
  const results = [{ seq: first?.seq, status: 'error', error: { code: 'internal', message: 'oh' } }];
  const failing = { answers: { status: 200, body: JSON.stringify({ results }) } };
  let tries = 0;
  for (; entries(clone)[0]?.state === 'waiting' && tries < 20; tries++) {
    clone.proxy.next = [failing];
    await flushAlone(clone);
  }
  expect(tries).toBeGreaterThan(3);
  expect(clone.outbox()).toEqual(['rejected task.create']);
  expect(await titles(clone)).toEqual(['coder: two']);
});

it('a fault that a process meets is one occasion, however often it asks, and what is about the same follows it', async () => {
  const clone = await connectClone();
  const { repoId } = clone;
  const [wish, other] = [streamWish(repoId, 'cache'), streamWish(repoId, 'other')];
  const makes = (input: object) => ({ operation: createStream.name, input: createStream.input.parse(input) });
  keep(
    clone,
    makes(wish),
    { operation: 'stream.record_head', input: headWish(wish.id, 'cache') },
    makes(other),
    { operation: 'stream.abandon', input: { stream: wish.id } },
  );
  const [first] = entries(clone);
  const results = [{ seq: first?.seq, status: 'error', error: { code: 'internal', message: 'oh' } }];
  const failing = { answers: { status: 200, body: JSON.stringify({ results }) } };
  const ask = async () => {
    clone.proxy.next = [failing];
    await clone.run(async ({ authority }) => {
      for (let again = 0; again < 6; again++)
        await authority.call(listStreams, { repoId }).catch(() => undefined);
    });
  };
  await ask();
  expect(entries(clone)[0]).toMatchObject({ state: 'waiting', attempts: 1 });
  for (let again = 0; again < 5; again++) await ask();
  const about = 'rejected stream.record_head';
  expect(clone.outbox()).toEqual(['rejected stream.create', about, 'rejected stream.abandon']);
  expect(entries(clone)[1]?.error?.message).toContain(`follows ${first?.seq}`);
  withMachine(clone.dir, (machine) => waitAgain(machine));
  expect(await flush(clone)).toMatchObject({ ok: 3, remaining: 0 });
});

it('two processes that send at the same time send each call once', async () => {
  const clone = await connectClone();
  const names = ['one', 'two', 'three'];
  keep(clone, ...names.map((title) => task(clone, title)));
  const [one, two] = [await clone.open(), await clone.open()];
  const flushed = await Promise.all([one.flush(), two.flush()]);
  expect(flushed.map(({ ok }) => ok).sort()).toEqual([0, 3]);
  expect(flushed.map(({ duplicate }) => duplicate)).toEqual([0, 0]);
  expect(await titles(clone)).toEqual(names.map((title) => `coder: ${title}`));
});

it('a batch whose answer was lost is found done by the next', async () => {
  const clone = await connectClone();
  keep(clone, task(clone, 'one'), task(clone, 'dear', { amount: 10 }), task(clone, 'two'));
  clone.proxy.next = ['loses_answer'];
  expect(await refusal(flushAlone(clone))).toMatchObject({ code: 'unavailable' });
  expect(clone.outbox()).toHaveLength(3);
  expect(await flush(clone)).toMatchObject({ ok: 1, duplicate: 1, rejected: 1 });
  expect(await titles(clone)).toEqual(['coder: one', 'coder: two']);
});

it('calls of an agent that this token does not speak for wait for one that does', async () => {
  const clone = await connectClone();
  const { owner, coder, repoId } = clone;
  const wish = streamWish(repoId, 'cache');
  clone.proxy.fault = 'away';
  await clone.run(async ({ authority }) => {
    await authority.call(createStream, wish);
    await refusal(authority.call(createTask, { repoId, title: 'by the coder' }));
  });
  clone.proxy.fault = 'none';
  const byOwner = { token: owner.key };
  expect(await flush(clone, byOwner)).toMatchObject({ ok: 0, rejected: 0, remaining: 2, notSpokenFor: 2 });
  expect(clone.outbox()).toEqual(['waiting stream.create', 'waiting task.create']);
  await clone.run(({ authority }) => authority.call(createTask, { repoId, title: 'by the owner' }), byOwner);
  expect(await titles(clone)).toEqual(['owner: by the owner']);
  expect(await flush(clone, { token: coder.key })).toMatchObject({ ok: 2, remaining: 0, notSpokenFor: 0 });
  expect(await titles(clone)).toEqual(['owner: by the owner', 'coder: by the coder']);
});
