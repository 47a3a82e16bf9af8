import { nearest } from '../base/nearest.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';

/** A word of older clients: which operation it means, and where its words differ from that operation's. */
interface OlderWord {
  operation: string;
  /** The object of `data` that holds the rest of the input. */
  inside?: string;
  names?: Readonly<Record<string, string>>;
  fixed?: Readonly<Record<string, unknown>>;
}

const OLDER: Readonly<Record<string, OlderWord>> = {
  repo_registered: { operation: 'repo.register' },
  stream_created: { operation: 'stream.create' },
  commit: { operation: 'stream.commit' },
  stream_submitted: { operation: 'stream.submit' },
  submit_for_review: { operation: 'stream.submit' },
  review: { operation: 'review.submit', inside: 'review' },
  review_submitted: { operation: 'review.submit', inside: 'review' },
  merge_requested: { operation: 'merge.request' },
  merge: { operation: 'stream.update', fixed: { status: 'merged' } },
  stream_merged: { operation: 'stream.update', fixed: { status: 'merged' } },
  stream_abandoned: { operation: 'stream.abandon' },
  stabilization: { operation: 'stabilization.record', names: { bufferCommit: 'commit' } },
  promotion: { operation: 'promotion.record' },
  task_created: { operation: 'task.create', inside: 'task' },
  task_claimed: { operation: 'task.claim' },
  task_submission: { operation: 'task.submit', names: { taskId: 'claim', submissionNotes: 'notes' } },
  task_abandoned: { operation: 'task.abandon', names: { taskId: 'claim' } },
  council_proposal: { operation: 'proposal.create', inside: 'proposal', names: { proposalType: 'type' } },
  council_vote: { operation: 'proposal.vote', inside: 'vote' },
  stage_progression: { operation: 'stage.advance' },
};

/** Their answers are shown once and remembered without their secret: nobody wants one that was made hours ago. */
const TELL_SECRETS = [
  'agent.register',
  'agent.rotate_key',
  'key.create',
  'invite.create',
  'notification.set',
];

/**
 * What an event of a batch asks for: the endpoint of its type, and its data in that endpoint's words. The dot in the name
 * of an operation may be written as `_`.
 */
export function meaningOf(
  { type, data }: { type: string; data: Readonly<Record<string, unknown>> },
  endpoints: readonly Endpoint[],
): { endpoint: Endpoint; data: Record<string, unknown> } {
  const older = Object.hasOwn(OLDER, type) ? OLDER[type] : undefined;
  const writes = endpoints.filter((each) => !each.isRead && !TELL_SECRETS.includes(each.name));
  const named = older?.operation ?? type;
  const endpoint = writes.find((each) => each.name === named || each.name.replace('.', '_') === named);
  if (endpoint) return { endpoint, data: older ? inNewWords(data, older) : { ...data } };
  const near = nearest(type, [...writes.map((each) => each.name), ...Object.keys(OLDER)]);
  throw new SwarmError('invalid', `There is no event of type "${type}".`, {
    fix:
      near === undefined ? 'Use the name of an operation that changes something.' : `Did you mean ${near}?`,
    details: near === undefined ? {} : { nearest: near },
  });
}

function inNewWords(
  data: Readonly<Record<string, unknown>>,
  { inside, names = {}, fixed = {} }: OlderWord,
): Record<string, unknown> {
  const inner = inside === undefined ? undefined : data[inside];
  const isNested = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
  const { [inside ?? '']: _, ...outer } = data;
  const flat = isNested ? { ...outer, ...inner } : data;
  const renamed = Object.entries(flat).map(([name, value]) => [names[camelCase(name)] ?? name, value]);
  return { ...Object.fromEntries(renamed), ...fixed };
}

function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
