import { isoTime, systemClock } from '../base/clock.ts';
import { listUpdates, type SwarmEvent } from '../contract/events.ts';
import { listNotifications, type Notification } from '../contract/notifications.ts';
import {
  type Connection,
  findConnection,
  findSeenNotification,
  recordLook,
  recordSeenNotification,
} from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { askFor } from './ask-for.ts';
import { requestOf } from './request-of.ts';
import type { ServerLink } from './server-link.ts';

/** What has happened at the server since somebody here looked last. */
export interface Updates {
  events: SwarmEvent[];
  /** What concerns whom the token belongs to, and was not read: the newest first, at most 20. */
  notifications: Notification[];
  /** Those of them that no look before this one has found. */
  fresh: Notification[];
}

const PATIENCE_MS = 5000;
/** Somebody who was away for long is told the rest by `gitswarm log`. */
const MOST_PAGES = 10;

/** Goes on where the last look ended, which is kept: nothing is told twice or left out. */
export async function lookAtUpdates(
  link: ServerLink,
  machine: Machine,
  { repoId }: Connection,
): Promise<Updates> {
  const events: SwarmEvent[] = [];
  let since = findConnection(machine)?.cursor ?? undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const request = requestOf(listUpdates, { since, repoId, limit: 200 });
    const told = await askFor(link, listUpdates.output, { ...request, patienceMs: PATIENCE_MS });
    events.push(...told.events);
    since = told.cursor;
    recordLook(machine, { cursor: told.cursor, at: isoTime(systemClock.now()) });
    if (!told.more) break;
  }
  const unread = requestOf(listNotifications, { unread: true, limit: 20 });
  const { items } = await askFor(link, listNotifications.output, {
    ...unread,
    patienceMs: PATIENCE_MS,
  });
  return { events, notifications: items, fresh: notSeen(machine, items) };
}

/** By their ids, which grow at the server: its clock and the one here need not agree. */
function notSeen(machine: Machine, items: readonly Notification[]): Notification[] {
  const seen = findSeenNotification(machine) ?? '';
  const fresh = items.filter(({ id }) => id > seen);
  const newest = fresh.reduce((last, { id }) => (id > last ? id : last), seen);
  if (newest !== seen) recordSeenNotification(machine, newest);
  return fresh;
}
