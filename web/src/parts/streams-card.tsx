import { useState } from 'react';
import { listStreams, type Stream, StreamState } from '../api.ts';
import { useList } from '../queries.ts';
import { stateWords } from '../words.ts';
import { Ago } from './ago.tsx';
import { StateBadge } from './badge.tsx';
import { Card } from './card.tsx';
import { Listed } from './listed.tsx';
import { StreamRow } from './stream-row.tsx';

type Choice = 'open' | Stream['state'];

/** The streams of a repository by their state. */
export function StreamsCard({ repoId, counts }: { repoId: string; counts: Record<Stream['state'], number> }) {
  const [choice, setChoice] = useState<Choice>('open');
  const streams = useList(repoId, listStreams, {
    repoId,
    limit: 30,
    ...(choice === 'open' ? { open: true } : { state: choice }),
  });
  const states = StreamState.options.filter((state) => counts[state] > 0 || state === choice);
  const open = StreamState.options.filter((state) => state !== 'merged' && state !== 'abandoned');
  const openCount = open.reduce((sum, state) => sum + counts[state], 0);
  return (
    <Card title="Streams">
      <fieldset className="flex min-w-0 gap-1.5 overflow-x-auto border-b border-line px-4 py-2">
        <legend className="sr-only">State of the streams that are shown</legend>
        <Chip isChosen={choice === 'open'} onChoose={() => setChoice('open')}>{`open ${openCount}`}</Chip>
        {states.map((state) => (
          <Chip key={state} isChosen={choice === state} onChoose={() => setChoice(state)}>
            {`${stateWords(state).text} ${counts[state]}`}
          </Chip>
        ))}
      </fieldset>
      <Listed
        list={streams}
        empty={choice === 'open' ? 'No stream is open.' : `No stream is ${stateWords(choice).text}.`}
      >
        {(stream) => (
          <StreamRow
            key={stream.id}
            repoId={repoId}
            handle={stream.handle}
            title={stream.name}
            detail={
              <>
                {`${stream.authorName} · ${stream.commitCount} ${stream.commitCount === 1 ? 'commit' : 'commits'} · `}
                <Ago time={stream.updatedAt} />
              </>
            }
          >
            <StateBadge state={stream.state} />
          </StreamRow>
        )}
      </Listed>
    </Card>
  );
}

function Chip({
  isChosen,
  onChoose,
  children,
}: {
  isChosen: boolean;
  onChoose: () => void;
  children: string;
}) {
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onChoose}
      className="rounded-full px-2.5 py-1 text-xs whitespace-nowrap text-soft hover:bg-sunk aria-pressed:bg-strong aria-pressed:text-on-strong"
    >
      {children}
    </button>
  );
}
