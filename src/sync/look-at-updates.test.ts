import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import type { App } from '../app/open-app.ts';
import { newId } from '../base/ids.ts';
import { keepInStep } from '../cli/keep-in-step.ts';
import { listUpdates } from '../contract/events.ts';
import type { Notification } from '../contract/notifications.ts';
import { type Connection, recordLook, saveConnection } from '../machine/connection.ts';
import { openMachine } from '../machine/machine.ts';
import { lookAtUpdates } from './look-at-updates.ts';
import type { ServerLink } from './server-link.ts';

const AT = '2026-03-01T00:00:00.000Z';
const AHEAD = '2099-01-01T00:00:00.000Z';

it('news is told once, whatever the clocks here and at the server say', async () => {
  const machine = openMachine(tempDir('machine'));
  const who = { agentId: newId(1), agentName: 'coder', remote: null, cursor: null };
  const connection: Connection = {
    ...{ url: 'http://127.0.0.1:9', repoId: newId(2), ...who },
    ...{ lookedAt: null, connectedAt: AT },
  };
  saveConnection(machine, connection, 'gsw_x');
  const unread: Notification[] = [];
  const happens = (n: number) =>
    unread.unshift({
      ...{ id: newId(1000 + n), type: 'review.submitted', repoId: connection.repoId, actorName: 'owner' },
      ...{ subject: { type: 'stream', id: newId(3) }, data: {}, read: false, createdAt: AT },
    });
  const link = {
    ask: async ({ path }: { path: string }) =>
      path.startsWith(listUpdates.path)
        ? { events: [], cursor: '7', more: false }
        : { items: unread, nextCursor: null },
  } as unknown as ServerLink;
  const told: string[] = [];
  const keep = (at: string) => {
    recordLook(machine, { cursor: '7', at });
    const server = { look: () => lookAtUpdates(link, machine, connection) };
    const app = { machine, clock: { now: () => Date.now() }, server, workflow: () => ({}) };
    return keepInStep(app as unknown as App, { note: (text) => told.push(text) });
  };
  happens(1);
  // The clock here was ahead when it was looked last, and is ahead of the server's.
  await keep(AHEAD);
  expect(told).toEqual([expect.stringMatching(/^1 notification/)]);
  await keep(AT);
  expect(told).toHaveLength(1);
  happens(2);
  await keep('2026-06-01T00:00:00.000Z');
  expect(told).toHaveLength(2);
  expect(told[1]).toMatch(/^1 notification/);
  machine.close();
});
