import { sha256 } from '../base/digest.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { httpStatusOf, isSwarmError, SwarmError } from '../contract/errors.ts';
import { MOST_EVENTS, type SyncEvent, type SyncResult } from '../contract/hosted-sync.ts';
import type { Authenticated } from '../operations/authenticate.ts';
import { isRemembered } from '../operations/remember.ts';
import type { Face } from './face.ts';
import { shapeOf, withOurNames } from './input-shape.ts';
import { perform } from './perform.ts';
import { takeActor } from './request-input.ts';
import { senderOf } from './sender.ts';
import { meaningOf } from './sync-types.ts';

/** Who sent a batch, and what can be asked of this server. */
export interface Sender {
  who: Authenticated;
  /** The agent that the batch says it comes from; an event may say otherwise. */
  actingAs: string | undefined;
  /** The repository in which its events name things. */
  repoId: string | undefined;
  endpoints: readonly Endpoint[];
  /** Counts one more write of the sender. Throws limited. */
  countWrite(): Promise<void>;
  /** Told of what nobody foresaw; answers what may be said of it. */
  onFailure(error: unknown): SwarmError;
}

/**
 * Does the events of a batch one after the other, each under its own key and with the sender's own rights, up to the
 * first that fails. Each counts as a write, the first as that of the request. The batch as a whole is not remembered: sent again it finds each of its events done.
 */
export async function runBatch(
  face: Face,
  sender: Sender,
  events: readonly SyncEvent[],
): Promise<SyncResult[]> {
  if (events.length > MOST_EVENTS)
    throw new SwarmError('too_large', `${events.length} events are too many for one batch.`, {
      fix: `Send at most ${MOST_EVENTS} at a time.`,
    });
  const results: SyncResult[] = [];
  for (const [n, event] of events.entries()) {
    const result = await runEvent(face, sender, { event, isCounted: n === 0 });
    results.push(result);
    if (result.status === 'error') break;
  }
  return results;
}

async function runEvent(
  face: Face,
  sender: Sender,
  { event, isCounted }: { event: SyncEvent; isCounted: boolean },
): Promise<SyncResult> {
  const { seq } = event;
  try {
    if (!isCounted) await sender.countWrite();
    return { seq, ...(await runOnce(face, sender, event)) };
  } catch (thrown) {
    const isTold = isSwarmError(thrown) && httpStatusOf(thrown.code) !== 500;
    const { code, message, fix, details } = isTold ? thrown : sender.onFailure(thrown);
    const more = { ...(fix === undefined ? {} : { fix }), ...(details === undefined ? {} : { details }) };
    return { seq, status: 'error', error: { code, message, ...more } };
  }
}

async function runOnce(
  face: Face,
  { who, actingAs: sentBy, repoId, endpoints }: Sender,
  event: SyncEvent,
): Promise<Omit<SyncResult, 'seq'>> {
  const { endpoint, data } = meaningOf(event, endpoints);
  const shape = shapeOf(endpoint);
  const named = withOurNames(data, shape) as Record<string, unknown>;
  const { rest: input, actingAs = sentBy } = takeActor(named, shape.properties ?? {});
  const { kernel } = face.server;
  const agent = await senderOf(kernel, { who, actingAs, toWrite: true });
  const key = event.key ?? ownKey(event);
  return face.inTurn(`sync ${agent.id} ${key}`, async () => {
    const isKnown = await isRemembered(kernel, { actorId: agent.id, key });
    const caller = { kind: 'known', who } as const;
    const answer = await perform(face, { endpoint, input, caller, isNamed: true, actingAs, repoId, key });
    return { status: isKnown ? ('duplicate' as const) : ('ok' as const), ...madeBy(endpoint, answer) };
  });
}

/** Of an event without a key: the same number, time, type and data are the same event. */
function ownKey({ seq, createdAt, type, data }: SyncEvent): string {
  return `sync-${sha256(JSON.stringify([seq, createdAt, type, data]))}`;
}

/** What an answer is about: itself, or the part that bears the name of its operation's noun. */
function madeBy(endpoint: Endpoint, answer: unknown): { id?: string; handle?: string } {
  const noun = endpoint.name.split('.')[0] ?? '';
  const whole = asObject(answer);
  const { id, handle } = 'id' in whole ? whole : asObject(whole[noun]);
  return {
    ...(typeof id === 'string' ? { id } : {}),
    ...(typeof handle === 'string' ? { handle } : {}),
  };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
