import type { Attention, Stream, SwarmEvent } from './api.ts';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'busy';

const STATES: Record<Stream['state'], { text: string; tone: Tone }> = {
  active: { text: 'in progress', tone: 'plain' },
  in_review: { text: 'in review', tone: 'busy' },
  changes_requested: { text: 'changes requested', tone: 'warn' },
  approved: { text: 'approved', tone: 'good' },
  queued: { text: 'queued', tone: 'busy' },
  conflicted: { text: 'conflicted', tone: 'bad' },
  paused: { text: 'paused', tone: 'warn' },
  merged: { text: 'merged', tone: 'good' },
  abandoned: { text: 'abandoned', tone: 'plain' },
};

export function stateWords(state: Stream['state']): { text: string; tone: Tone } {
  return STATES[state];
}

const NEXT: Record<Attention['kind'], string> = {
  review: 'review it',
  changes: 'change it',
  conflict: 'resolve it',
  merge: 'merge it',
  task: 'go on',
  stuck: 'unblock it',
  frozen: 'unfreeze the queue',
  behind: 'update it',
  claim: 'judge it',
};

/** What the one who acts next is to do. */
export function nextWords(kind: Attention['kind']): string {
  return NEXT[kind];
}

const TOLD: Partial<Record<SwarmEvent['type'], string>> = {
  'stream.created': 'began a stream',
  'stream.committed': 'committed',
  'stream.rebased': 'was rebased',
  'stream.submitted': 'asked for review',
  'stream.conflicted': 'met a conflict',
  'stream.resolved': 'resolved a conflict',
  'consensus.reached': 'brought consensus',
  'merge.requested': 'asked to merge',
  'merge.prepared': 'prepared a landing',
  'merge.landed': 'landed',
  'merge.reverted': 'reverted a landing',
  'task.created': 'wrote a task',
  'task.claimed': 'claimed a task',
  'task.submitted': 'handed a task in',
  'task.completed': 'completed a task',
  'stabilization.recorded': 'tested the buffer',
  'promotion.recorded': 'promoted',
};

const VERDICTS: Record<string, string> = {
  approve: 'approved',
  request_changes: 'asked for changes',
  comment: 'commented',
};

/** What somebody did, after their name; `review.blocks_changed` is told as it is called. */
export function eventWords({ type, data }: SwarmEvent): string {
  const verdict = type === 'review.submitted' ? VERDICTS[String(data.verdict)] : undefined;
  return verdict ?? TOLD[type] ?? type.replaceAll('_', ' ').replace('.', ' ');
}

/** The stream that an event is about. */
export function streamOf({ subject, data }: SwarmEvent): string | undefined {
  if (subject.type === 'stream') return subject.id;
  return typeof data.streamId === 'string' ? data.streamId : undefined;
}

/** What an event says of itself, where it does. */
export function eventTitle({ data }: SwarmEvent): string | undefined {
  return [data.title, data.name, data.reason].find((each) => typeof each === 'string' && each !== '') as
    | string
    | undefined;
}

const UNITS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** `3m ago`. */
export function agoWords(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? [];
  if (!unit || !size) return 'just now';
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' }).format(
    -Math.floor(seconds / size),
    unit,
  );
}
