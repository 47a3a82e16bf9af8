import type { ReactNode } from 'react';
import { ErrorNotice } from './notice.tsx';

interface Query<T> {
  data: T | undefined;
  error: Error | null;
  refetch(): unknown;
}

/** Shows an answer of the server, that it is awaited, or why there is none. An older answer is better than none. */
export function Answered<T>({ query, children }: { query: Query<T>; children: (answer: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) {
    return (
      <div className="p-4">
        <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      </div>
    );
  }
  return <Waiting />;
}

export function Waiting() {
  return (
    <div role="status" aria-label="Loading" className="motion-safe:animate-pulse space-y-2.5 p-4">
      {['w-3/4', 'w-1/2', 'w-2/3'].map((width) => (
        <div key={width} className={`h-3.5 rounded bg-sunk ${width}`} />
      ))}
    </div>
  );
}
