import { listEvents } from '../api.ts';
import { useList } from '../queries.ts';
import { eventTitle, eventWords } from '../words.ts';
import { Ago } from './ago.tsx';
import { Card } from './card.tsx';
import { Listed } from './listed.tsx';

/** What has happened, newest first; it grows by itself while the log is open. */
export function ActivityCard({ repoId }: { repoId: string }) {
  const events = useList(repoId, listEvents, { repoId, limit: 20 });
  return (
    <Card title="Activity">
      <Listed list={events} empty="Nothing has happened yet.">
        {(event) => (
          <li key={event.id} className="px-4 py-2 text-sm">
            <p className="flex justify-between gap-3">
              <span className="min-w-0 truncate">
                <span className="font-medium">{event.actorName ?? 'GitSwarm'}</span>{' '}
                <span className="text-soft">{eventWords(event)}</span>
              </span>
              <Ago time={event.createdAt} />
            </p>
            {eventTitle(event) ? <p className="truncate text-soft">{eventTitle(event)}</p> : null}
          </li>
        )}
      </Listed>
    </Card>
  );
}
