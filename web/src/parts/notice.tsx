import type { ReactNode } from 'react';
import { Refused } from '../api.ts';
import { Button } from './button.tsx';

const TONES = { bad: 'bg-bad-wash text-bad', warn: 'bg-warn-wash text-warn' };

export function Notice({ tone, children }: { tone: keyof typeof TONES; children: ReactNode }) {
  return (
    <div role="alert" className={`rounded-md px-3.5 py-2.5 text-sm ${TONES[tone]}`}>
      {children}
    </div>
  );
}

/** What went wrong, and what to do about it, in the words of the server. */
export function ErrorNotice({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const isKnown = error instanceof Refused;
  return (
    <Notice tone="bad">
      <p className="font-medium">{isKnown ? error.message : 'The answer of the server could not be read.'}</p>
      <p className="mt-0.5 opacity-90">
        {isKnown ? error.fix : 'Reload the page: it may be older than the server.'}
      </p>
      {onRetry ? (
        <div className="mt-2">
          <Button onClick={onRetry}>Try again</Button>
        </div>
      ) : null}
    </Notice>
  );
}
