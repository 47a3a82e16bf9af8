import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { listEvents } from '../contract/events.ts';
import { runDue } from '../contract/housekeeping.ts';
import {
  dueDeliveries,
  listNotifications,
  readNotifications,
  recordDelivery,
  setPreferences,
  showPreferences,
} from '../contract/notifications.ts';
import { setConfig } from '../contract/repos.ts';
import { verifyBody } from '../domain/notifications/delivery-rules.ts';

const URL = 'https://hooks.example.org/x';

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const story = await startStory(await makeDatabase(), {
      agents: ['coder', 'ann', 'ben'],
      maintainers: ['ann'],
    });
    const { call, repoId, owner, coder } = story;
    const told = async (as: { id: string }, unread?: boolean) =>
      (await call(listNotifications, { unread }, { as })).items.map(
        (item) => `${item.type} by ${item.actorName}`,
      );
    const due = () => call(runDue, { repoId });
    await due();
    for (const as of [owner, coder, story.ann]) await call(readNotifications, {}, { as });
    const work = async (name = 'work') => {
      const { id } = await story.stream(coder, name);
      await story.submit(coder, id, factsOf(name));
      return id;
    };
    return { ...story, told, due, work };
  }

  it('tells those whom it concerns, once, and not the one who did it', async () => {
    const { coder, ann, ben, owner, verdict, told, due, work } = await start();
    const id = await work();
    await verdict(ann, id);
    await due();
    expect(await due()).toMatchObject({ notified: 0 });
    expect(await told(coder, true)).toEqual(['consensus.reached by ann', 'review.submitted by ann']);
    expect(await told(ann, true)).toEqual(['stream.submitted by coder']);
    expect(await told(owner, true)).toEqual(['stream.submitted by coder']);
    expect(await told(ben)).toEqual([]);
  });

  it('is read by its own agent only', async () => {
    const { call, coder, ann, verdict, told, due, work } = await start();
    await verdict(ann, await work());
    await due();
    const { items } = await call(listNotifications, { limit: 1 }, { as: coder });
    expect(await call(readNotifications, { ids: [items[0]?.id ?? ''] }, { as: ann })).toMatchObject({
      read: 0,
    });
    expect(await call(readNotifications, { ids: [items[0]?.id ?? ''] }, { as: coder })).toEqual({
      read: 1,
      unread: 1,
    });
    expect(await call(readNotifications, {}, { as: coder })).toEqual({ read: 1, unread: 0 });
    expect(await told(coder, true)).toEqual([]);
  });

  it('tells what is wanted, nothing where it is off, and nothing of what may not be read', async () => {
    const { call, repoId, owner, coder, ann, verdict, told, due, work } = await start();
    await call(setPreferences, { events: ['consensus.*'] }, { as: coder });
    await verdict(ann, await work());
    await due();
    expect(await told(coder, true)).toEqual(['consensus.reached by ann']);
    await call(setPreferences, { enabled: false }, { as: coder });
    await verdict(ann, await work('other'));
    await due();
    expect(await told(coder, true)).toHaveLength(1);
    await call(setPreferences, { enabled: true }, { as: coder });
    await verdict(ann, await work('third'));
    await call(setConfig, { repoId, changes: { is_private: true } }, { as: owner });
    await due();
    expect(await told(coder, true)).toHaveLength(1);
  });

  it('shows the secret of a webhook once, and refuses addresses that are none', async () => {
    const { call, coder } = await start();
    const set = (webhookUrl: string | null) =>
      call(setPreferences, { webhookUrl }, { as: coder, key: `${webhookUrl}` });
    expect(await refusedWith(set('file:///etc/passwd'))).toBe('invalid');
    const first = await set(URL);
    expect(first.webhookSecret).toMatch(/^[0-9a-f]{64}$/);
    expect((await set(URL)).webhookSecret).toBeNull();
    expect(await call(showPreferences, {}, { as: coder })).toMatchObject({
      webhookUrl: URL,
      webhookSecret: null,
    });
    expect((await set(null)).webhookUrl).toBeNull();
  });

  it('is delivered signed, tried again later and later, and given up in the end', async () => {
    const { call, clock, repoId, owner, coder, ann, verdict, due, work } = await start();
    const { webhookSecret } = await call(
      setPreferences,
      { webhookUrl: URL, events: ['review.*'] },
      { as: coder },
    );
    await verdict(ann, await work());
    await due();
    const waiting = async () => (await call(dueDeliveries, { repoId }, { as: owner })).items;
    expect(await refusedWith(call(dueDeliveries, { repoId }, { as: ann }))).toBe('not_allowed');
    const [delivery] = await waiting();
    if (!delivery) throw new Error('nothing is due');
    const received = {
      body: delivery.body,
      timestamp: Number(delivery.headers['X-GitSwarm-Timestamp']),
      signature: delivery.headers['X-GitSwarm-Signature'] ?? '',
      now: clock.now(),
    };
    expect(verifyBody(webhookSecret ?? '', received)).toBe(true);
    const record = (outcome: 'failed' | 'delivered') =>
      call(recordDelivery, { repoId, delivery: delivery.id, outcome, error: 'away' }, { as: owner });
    let tries = 0;
    for (let status = 'pending'; status === 'pending'; tries++) {
      const recorded = await record('failed');
      status = recorded.status;
      expect(await waiting()).toEqual([]);
      if (recorded.nextAt) clock.advance(Date.parse(recorded.nextAt) - clock.now());
      if (status === 'pending') expect((await waiting())[0]?.attempts).toBe(tries + 1);
    }
    expect(tries).toBe(8);
    expect(await record('delivered')).toEqual({ status: 'dead', nextAt: null });
    const { items } = await call(listEvents, { repoId, type: 'delivery.dead' }, { as: owner });
    expect(items).toMatchObject([{ subject: { id: coder.id }, data: { attempts: 8, error: 'away' } }]);
  });

  it.each([
    ['withdrawn', { webhookUrl: null }],
    ['changed', { webhookUrl: `${URL}/new` }],
    ['switched off', { enabled: false }],
  ])('what waits for a webhook that was %s is sent nowhere, then or later', async (_what, change) => {
    const { call, repoId, owner, coder, ann, verdict, due, work } = await start();
    const waiting = async () => (await call(dueDeliveries, { repoId }, { as: owner })).items.length;
    const first = { webhookUrl: URL, enabled: true, events: ['review.*'] };
    await call(setPreferences, first, { as: coder });
    await verdict(ann, await work());
    await due();
    expect(await waiting()).toBe(1);
    await call(setPreferences, { events: ['review.*', 'stream.*'] }, { as: coder });
    expect(await waiting()).toBe(1);
    await call(setPreferences, change, { as: coder });
    expect(await waiting()).toBe(0);
    await call(setPreferences, first, { as: coder });
    expect(await waiting()).toBe(0);
  });

  it('what waits for an agent that may not read the repository any more is not sent', async () => {
    const { call, repoId, owner, coder, ann, database, verdict, due, work } = await start();
    await call(setPreferences, { webhookUrl: URL, events: ['review.*'] }, { as: coder });
    await verdict(ann, await work());
    await due();
    const waiting = async () => (await call(dueDeliveries, { repoId }, { as: owner })).items.length;
    expect(await waiting()).toBe(1);
    await call(setConfig, { repoId, changes: { is_private: true } }, { as: owner });
    expect(await waiting()).toBe(0);
    await due();
    await call(setConfig, { repoId, changes: { is_private: false } }, { as: owner });
    expect(await waiting()).toBe(0);
    const rows = await database.read.selectFrom('delivery').select(['status', 'last_error']).execute();
    expect(rows).toEqual([
      { status: 'dead', last_error: 'its receiver may not read the repository any more' },
    ]);
  });

  it('the log is filtered by who did something, what it is about, and since when', async () => {
    const { call, clock, repoId, owner, coder, ann, show, verdict, work } = await start();
    const id = await work();
    clock.advance(60_000);
    const since = new Date(clock.now()).toISOString();
    await verdict(ann, id);
    const log = async (filter: object) =>
      (await call(listEvents, { repoId, ...filter }, { as: owner })).items.map(({ type }) => type);
    const { handle } = await show(id);
    expect(await log({ subject: handle, actor: 'coder' })).toEqual([
      'stream.submitted',
      'stream.committed',
      'stream.created',
    ]);
    expect(await log({ subject: id, since })).toEqual(['consensus.reached', 'review.submitted']);
    expect(await refusedWith(call(listEvents, { repoId, actor: 'nobody' }, { as: coder }))).toBe('not_found');
  });
});
