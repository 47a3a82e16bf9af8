import type { ReactNode } from 'react';
import { Answered } from './answered.tsx';
import { Button } from './button.tsx';
import { Empty } from './card.tsx';

interface List<T> {
  items: T[] | undefined;
  error: Error | null;
  refetch(): unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

/** A list of the server, of which more is fetched when it is asked for. */
export function Listed<T>({
  list,
  empty,
  children,
}: {
  list: List<T>;
  empty: ReactNode;
  children: (item: T) => ReactNode;
}) {
  return (
    <Answered query={{ data: list.items, error: list.error, refetch: list.refetch }}>
      {(items) => (
        <>
          {items.length === 0 ? (
            <Empty>{empty}</Empty>
          ) : (
            <ul className="divide-y divide-line">{items.map(children)}</ul>
          )}
          {list.hasNextPage ? (
            <div className="border-t border-line p-3 text-center">
              <Button isBusy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                Show more
              </Button>
            </div>
          ) : null}
        </>
      )}
    </Answered>
  );
}
