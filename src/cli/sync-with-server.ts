import type { App } from '../app/open-app.ts';
import { listAgents } from '../contract/agents.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { listQueue } from '../contract/merges.ts';
import { explainAccess } from '../contract/repos.ts';
import { repoStatus } from '../contract/status.ts';
import { listStreams } from '../contract/streams.ts';
import { listTasks } from '../contract/tasks.ts';
import { reportSettings } from '../workflows/config-in-force.ts';
import { driveQueue } from '../workflows/drive-queue.ts';
import type { Workflow } from '../workflows/workflow.ts';
import { count } from './output/hints.ts';

/** What a sync with the server did. */
export interface Synced {
  sent: number;
  ok: number;
  duplicate: number;
  rejected: number;
  remaining: number;
  /** Handles of streams that landed, because their landing was asked for while the server was away. */
  landed: string[];
  /** `behind`: what is here is not known to be the newest, so nothing was told from it. */
  settings: 'same' | 'reported' | 'refused' | 'unusable' | 'behind';
  /** What happened at the server since the last look. */
  updates: number;
  unread: number;
}

/**
 * Brings clone and server in step: what waits is sent, what was asked to land meanwhile lands, settings that came to the
 * buffer are reported, and what happened there is looked at. Settings are told only by whoever has just `fetched`.
 */
export async function syncWithServer(
  app: App,
  workflow: Workflow,
  { fetched }: { fetched: boolean },
): Promise<Synced> {
  const { server } = app;
  if (!server) throw new SwarmError('not_configured', 'This repository is not connected to a server.');
  const { taken, ...flushed } = await server.flush();
  const settings = fetched ? await reportSettings(workflow) : { kind: 'behind' as const };
  if (settings.kind === 'reported') app.repo = settings.repo;
  const isAsked = taken.includes('merge.request');
  const landed = isAsked ? await landWhatWaits(workflow) : [];
  const { events, notifications } = await server.look();
  await getToKnow(workflow);
  return {
    ...flushed,
    landed,
    settings: settings.kind,
    updates: events.length,
    unread: notifications.length,
  };
}

/** What work needs while the server is away: it is remembered as it is answered. */
async function getToKnow({ authority, repo, actor }: Workflow): Promise<void> {
  await authority.call(listAgents, { limit: 200 });
  await authority.call(listStreams, { repoId: repo.id, open: true, limit: 200 });
  // As `stream list` asks.
  await authority.call(listStreams, { repoId: repo.id, limit: 200 });
  await authority.call(listTasks, { repoId: repo.id, limit: 200 });
  await authority.call(repoStatus, { repoId: repo.id });
  // While the server is away an owner may force a landing; who one is, is what was said last.
  if (actor) await authority.call(explainAccess, { repoId: repo.id, agent: actor.id });
}

async function landWhatWaits(workflow: Workflow): Promise<string[]> {
  const { items } = await workflow.authority.call(listQueue, { repoId: workflow.repo.id });
  if (items.length === 0) return [];
  try {
    const run = await driveQueue(workflow);
    return run.landed.flatMap(({ stream }) => (stream ? [stream.handle] : []));
  } catch (error) {
    if (!isSwarmError(error, 'untrusted_command')) throw error;
    // What was sent was sent, and another machine may land it.
    workflow.notify(`${error.message} (${error.fix})`);
    return [];
  }
}

export function syncLines(synced: Synced): string[] {
  const { ok, duplicate, rejected, remaining, landed, settings, updates, unread } = synced;
  return [
    ...(ok + duplicate > 0 ? [`sent     ${count(ok + duplicate, 'call')}`] : []),
    ...(rejected > 0 ? [`refused  ${count(rejected, 'call')}: gitswarm sync status`] : []),
    ...(remaining > 0 ? [`waiting  ${count(remaining, 'call')}`] : []),
    ...(landed.length > 0 ? [`landed   ${landed.join(', ')}`] : []),
    ...(settings === 'reported' ? ['settings of the buffer are in force at the server now'] : []),
    ...(settings === 'refused' ? ["settings of the buffer wait for a maintainer's gitswarm sync"] : []),
    ...(settings === 'unusable'
      ? ['settings of the buffer are not usable: those before them stay in force']
      : []),
    ...(updates > 0 ? [`news     ${count(updates, 'event')}: gitswarm log`] : []),
    ...(unread > 0 ? [`unread   ${count(unread, 'notification')}: gitswarm notifications list`] : []),
  ];
}
