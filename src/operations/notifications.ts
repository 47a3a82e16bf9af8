import { isoTime } from '../base/clock.ts';
import { randomHex } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import type { SwarmEvent } from '../contract/events.ts';
import * as contract from '../contract/notifications.ts';
import type { AgentRow, NotificationPreferenceRow } from '../db/tables.ts';
import { retryDelay, signBody } from '../domain/notifications/delivery-rules.ts';
import { endDeliveriesTo, mayHear } from '../domain/notifications/end-deliveries.ts';
import {
  countUnread,
  findDelivery,
  findPreference,
  listDueDeliveries,
  listNotificationRows,
  markRead,
  toNotification,
  updateDelivery,
  upsertPreference,
} from '../domain/notifications/notifications-store.ts';
import { operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

function named(caller: AgentRow | undefined): AgentRow {
  if (caller) return caller;
  throw new SwarmError('not_allowed', 'Nobody is named whose notifications these are.', {
    fix: 'Say who: --as <agent>.',
  });
}

const list = query(contract.listNotifications, {
  on: 'none',
  needs: 'member',
  async run({ db, caller }, input) {
    const cursor = decodeCursor(input.cursor);
    const rows = await listNotificationRows(db, {
      agentId: named(caller).id,
      unread: input.unread,
      before: cursor === undefined ? undefined : Number(cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => String(row.event_seq));
    return { items: page.items.map(toNotification), nextCursor: page.nextCursor };
  },
});

const read = operation(contract.readNotifications, {
  on: 'none',
  needs: 'member',
  async run({ db, actor, now }, input) {
    const marked = await markRead(db, { agentId: actor.id, ids: input.ids, now });
    return { read: marked, unread: await countUnread(db, actor.id) };
  },
});

const preferences = query(contract.showPreferences, {
  on: 'none',
  needs: 'member',
  run: async ({ db, caller }) => shown(await findPreference(db, named(caller).id), false),
});

function shown(
  row: NotificationPreferenceRow | undefined,
  withSecret: boolean,
): contract.NotificationPreferences {
  return {
    enabled: row ? row.enabled === 1 : true,
    events: row ? (JSON.parse(row.events) as string[]) : ['*'],
    webhookUrl: row?.webhook_url ?? null,
    webhookSecret: withSecret ? (row?.webhook_secret ?? null) : null,
  };
}

const set = operation(contract.setPreferences, {
  on: 'none',
  needs: 'member',
  // The same request answered again shows no secret.
  remember: (answer) => ({ ...answer, webhookSecret: null }),
  async run({ db, actor, now }, input) {
    const before = await findPreference(db, actor.id);
    const current = shown(before, false);
    const url = input.webhookUrl === undefined ? current.webhookUrl : input.webhookUrl;
    const isNewUrl = url !== null && url !== current.webhookUrl;
    const secret = url === null ? null : isNewUrl ? randomHex(32) : (before?.webhook_secret ?? null);
    const row: NotificationPreferenceRow = {
      agent_id: actor.id,
      events: JSON.stringify(input.events ?? current.events),
      enabled: (input.enabled ?? current.enabled) ? 1 : 0,
      webhook_url: url,
      webhook_secret: secret,
      updated_at: now,
    };
    await upsertPreference(db, row);
    const isSame = url === current.webhookUrl && secret === (before?.webhook_secret ?? null);
    if (!isSame || row.enabled === 0) await endDeliveriesTo({ db, now }, actor.id);
    return shown(row, isNewUrl);
  },
});

const due = query(contract.dueDeliveries, {
  on: 'repo',
  needs: 'admin',
  async run({ db, repo, clock, now }, input) {
    const rows = await listDueDeliveries(db, { repoId: repo.id, now, limit: input.limit });
    const timestamp = Math.floor(clock.now() / 1000);
    const open = [];
    for (const row of rows) {
      const event = JSON.parse(row.payload) as SwarmEvent;
      if (await mayHear(db, repo, { agentId: row.agent_id, event, now })) open.push(row);
    }
    const items = open.map((row) => ({
      id: row.id,
      url: row.url,
      attempts: row.attempts,
      body: row.payload,
      headers: {
        'X-GitSwarm-Event': row.type,
        'X-GitSwarm-Delivery': row.id,
        'X-GitSwarm-Timestamp': String(timestamp),
        'X-GitSwarm-Signature': signBody(row.webhook_secret, { timestamp, body: row.payload }),
      },
    }));
    return { items };
  },
});

type Status = 'pending' | 'delivered' | 'dead';

const record = operation(contract.recordDelivery, {
  on: 'repo',
  needs: 'admin',
  async run({ db, repo, clock, now, emit }, input) {
    const delivery = await findDelivery(db, input.delivery);
    if (!delivery || delivery.repo_id !== repo.id) {
      throw new SwarmError('not_found', `There is no delivery ${input.delivery}.`);
    }
    if (delivery.status !== 'pending') return { status: delivery.status as Status, nextAt: null };
    const attempts = delivery.attempts + 1;
    const delay = input.outcome === 'failed' ? retryDelay(attempts) : null;
    const next = delay === null ? null : isoTime(clock.now() + delay);
    const after: Status = input.outcome === 'delivered' ? 'delivered' : next === null ? 'dead' : 'pending';
    await updateDelivery(db, delivery.id, {
      status: after,
      attempts,
      next_at: next,
      last_error: input.error ?? null,
      updated_at: now,
    });
    if (after === 'dead') {
      emit({
        type: 'delivery.dead',
        subject: { type: 'agent', id: delivery.agent_id },
        data: { url: delivery.url, attempts, error: input.error ?? null },
      });
    }
    return { status: after, nextAt: next };
  },
});

export const notificationOperations = [list, read, preferences, set, due, record];
