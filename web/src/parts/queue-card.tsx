import { Link } from '@tanstack/react-router';
import { listQueue } from '../api.ts';
import { useAnswer } from '../queries.ts';
import { Answered } from './answered.tsx';
import { Card, Count, Empty } from './card.tsx';

/** What waits to land, in the order in which it will. */
export function QueueCard({ repoId }: { repoId: string }) {
  const queue = useAnswer(repoId, listQueue, { repoId });
  return (
    <Card title="Queue" aside={<Count>{queue.data?.items.length ?? 0}</Count>}>
      <Answered query={queue}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>Nothing waits to land.</Empty>
          ) : (
            <ol className="divide-y divide-line">
              {items.map(({ merge, stream, waitsFor }, i) => (
                <li key={merge.id} className="flex gap-3 px-4 py-2.5 text-sm">
                  <span className="w-5 text-right text-soft tabular-nums">{i + 1}</span>
                  <span className="min-w-0 flex-1">
                    {stream ? (
                      <Link
                        to="/repos/$repoId/streams/$stream"
                        params={{ repoId, stream: stream.handle }}
                        className="block truncate font-medium hover:underline"
                      >
                        {stream.name}
                      </Link>
                    ) : (
                      <span className="font-medium">{merge.kind}</span>
                    )}
                    <span className="block text-soft">
                      {waitsFor.length > 0
                        ? `after ${waitsFor.join(', ')}`
                        : `${merge.state}, ${merge.priority}`}
                    </span>
                  </span>
                </li>
              ))}
            </ol>
          )
        }
      </Answered>
    </Card>
  );
}
