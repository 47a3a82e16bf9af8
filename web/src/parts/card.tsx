import { type ReactNode, useId } from 'react';

/** A titled part of a page. */
export function Card({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="overflow-hidden rounded-lg border border-line bg-card">
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-b border-line px-4 py-2.5">
        <h2 id={id} className="text-sm font-semibold">
          {title}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

export function Count({ children }: { children: number }) {
  return <span className="text-sm text-soft tabular-nums">{children}</span>;
}

/** The same around a list that the title of the page speaks of. */
export function Panel({ children }: { children: ReactNode }) {
  return <div className="overflow-hidden rounded-lg border border-line bg-card">{children}</div>;
}

/** What stands where there is nothing yet. */
export function Empty({ children }: { children: ReactNode }) {
  return <div className="px-4 py-6 text-center text-sm text-soft">{children}</div>;
}
