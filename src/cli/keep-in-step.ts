import type { App } from '../app/open-app.ts';
import { isoTime } from '../base/clock.ts';
import { formatHandle, handleHash } from '../base/handles.ts';
import { plainLine } from '../base/plain-text.ts';
import { unlessAway } from '../contract/authority-away.ts';
import { isSwarmError } from '../contract/errors.ts';
import { findConnection } from '../machine/connection.ts';
import { forgetAnswersBefore } from '../machine/remembered-answers.ts';
import { pushStreams } from '../workflows/shared/push-shared.ts';
import { count } from './output/hints.ts';

/** How long a command waits before it asks again what has happened at the server, in milliseconds. */
const LOOK_EVERY_MS = 60_000;

/** What was not asked for this long is not what somebody works with. */
const REMEMBER_MS = 30 * 86_400_000;

/**
 * What follows a command in a connected clone, after its answer is out: streams that are written here are published, and
 * once a minute whoever sits here is told of what concerns them. The command is done; what fails is only remarked on.
 */
export async function keepInStep(app: App, { note }: { note: (text: string) => void }): Promise<void> {
  try {
    const { failed } = await pushStreams(app.workflow());
    for (const { streamId, why } of failed)
      note(`${streamHandle(streamId)} was not published: ${plainLine(why)}`);
    await unlessAway(tellNews(app, note), undefined);
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    note(`not published yet: ${plainLine(error.message)}`);
  }
}

/** People know a stream by its handle, and the id tells it without a question to the server. */
export function streamHandle(id: string): string {
  return formatHandle('stream', handleHash(id));
}

async function tellNews({ machine, server, clock }: App, note: (text: string) => void): Promise<void> {
  const lookedAt = findConnection(machine)?.lookedAt;
  if (!server || (lookedAt != null && isRecent(clock.now() - Date.parse(lookedAt)))) return;
  const { fresh } = await server.look();
  forgetAnswersBefore(machine, isoTime(clock.now() - REMEMBER_MS));
  if (fresh.length === 0) return;
  const what = [...new Set(fresh.map(({ type }) => type))].slice(0, 3).join(', ');
  note(`${count(fresh.length, 'notification')} (${what}): gitswarm notifications list --unread`);
}

/** A look that is yet to come was noted by a clock that has been put right since. */
function isRecent(agoMs: number): boolean {
  return agoMs >= 0 && agoMs < LOOK_EVERY_MS;
}
