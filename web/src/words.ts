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

/** `review.blocks_changed` as words; what it is about is shown beside it. */
export function eventWords({ type }: SwarmEvent): string {
  return type.replaceAll('_', ' ').replace('.', ' ');
}

/** What an event calls its subject, where it does. */
export function eventTitle({ data }: SwarmEvent): string | undefined {
  for (const name of ['title', 'name', 'handle', 'reason'])
    if (typeof data[name] === 'string' && data[name] !== '') return data[name];
  return undefined;
}

const UNITS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** `3 minutes ago`. */
export function agoWords(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000);
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? [];
  if (!unit || !size) return 'just now';
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-Math.floor(seconds / size), unit);
}
