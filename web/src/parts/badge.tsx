import type { ReactNode } from 'react';
import type { Stream } from '../api.ts';
import { stateWords, type Tone } from '../words.ts';

const TONES: Record<Tone, string> = {
  plain: 'bg-plain-wash text-soft',
  good: 'bg-good-wash text-good',
  warn: 'bg-warn-wash text-warn',
  bad: 'bg-bad-wash text-bad',
  busy: 'bg-busy-wash text-busy',
};

export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={`inline-block rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}

export function StateBadge({ state }: { state: Stream['state'] }) {
  const { text, tone } = stateWords(state);
  return <Badge tone={tone}>{text}</Badge>;
}
