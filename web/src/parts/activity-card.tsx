import { Link } from '@tanstack/react-router';
import { type Attention, listEvents, type SwarmEvent } from '../api.ts';
import { useList } from '../queries.ts';
import { eventTitle, eventWords, streamOf } from '../words.ts';
import { Ago } from './ago.tsx';
import { Card } from './card.tsx';
import { Listed } from './listed.tsx';

interface ActivityCardProps {
  repoId: string;
  /** Names the streams that are open: events name them by their ids. */
  attention: readonly Attention[];
}

/** What has happened, newest first; it grows by itself while the log is open. */
export function ActivityCard({ repoId, attention }: ActivityCardProps) {
  const events = useList(repoId, listEvents, { repoId, limit: 20 });
  const titles = new Map(attention.map(({ subject }) => [subject.id, subject.title]));
  return (
    <Card title="Activity">
      <Listed list={events} empty="Nothing has happened yet.">
        {(event) => (
          <li key={event.id} className="px-4 py-2 text-sm">
            <p className="flex justify-between gap-3">
              <span className="min-w-0 [overflow-wrap:anywhere]">
                <span className="font-medium">{event.actorName ?? 'GitSwarm'}</span>{' '}
                <span className="text-soft">{eventWords(event)}</span>
              </span>
              <Ago time={event.createdAt} />
            </p>
            <Subject event={event} titles={titles} repoId={repoId} />
          </li>
        )}
      </Listed>
    </Card>
  );
}

function Subject({
  event,
  titles,
  repoId,
}: {
  event: SwarmEvent;
  titles: ReadonlyMap<string, string>;
  repoId: string;
}) {
  const stream = streamOf(event);
  const title = (stream === undefined ? undefined : titles.get(stream)) ?? eventTitle(event);
  if (stream === undefined) return title === undefined ? null : <p className="truncate text-soft">{title}</p>;
  return (
    <p className="truncate text-soft">
      <Link to="/repos/$repoId/streams/$stream" params={{ repoId, stream }} className="hover:underline">
        {title ?? 'its stream'}
      </Link>
    </p>
  );
}
