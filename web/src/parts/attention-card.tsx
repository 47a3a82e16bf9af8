import type { Attention } from '../api.ts';
import { useMe } from '../queries.ts';
import { nextWords, type Tone } from '../words.ts';
import { Badge } from './badge.tsx';
import { Card, Count, Empty } from './card.tsx';
import { StreamRow } from './stream-row.tsx';

const TONES: Partial<Record<Attention['kind'], Tone>> = {
  conflict: 'bad',
  frozen: 'bad',
  stuck: 'warn',
  changes: 'warn',
  merge: 'good',
  review: 'busy',
};

interface AttentionCardProps {
  repoId: string;
  attention: readonly Attention[];
  /** Open streams that were not looked at. */
  omitted: number;
}

/** Every stream that waits for somebody, with the one who acts next; what waits for the reader comes first. */
export function AttentionCard({ repoId, attention, omitted }: AttentionCardProps) {
  const me = useMe().data?.agent.id;
  const waiting = attention.filter((each) => each.kind !== 'task');
  const isMine = (each: Attention) => me !== undefined && each.agentId === me;
  const ordered = [...waiting.filter(isMine), ...waiting.filter((each) => !isMine(each))];
  return (
    <Card title="Needs attention" aside={<Count>{waiting.length}</Count>}>
      {ordered.length === 0 ? (
        <Empty>Nothing waits for anybody.</Empty>
      ) : (
        <ul className="divide-y divide-line">
          {ordered.map((each) => (
            <StreamRow
              key={each.subject.id}
              repoId={repoId}
              handle={each.subject.handle}
              title={each.subject.title}
              detail={each.text}
            >
              <Badge tone={TONES[each.kind] ?? 'plain'}>
                {`${isMine(each) ? 'you' : (each.agentName ?? 'nobody')}: ${nextWords(each.kind)}`}
              </Badge>
            </StreamRow>
          ))}
        </ul>
      )}
      {omitted > 0 && <Empty>{`${omitted} more open streams are not looked at here.`}</Empty>}
    </Card>
  );
}
