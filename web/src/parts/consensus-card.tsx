import type { Consensus } from '../api.ts';
import type { Tone } from '../words.ts';
import { Answered } from './answered.tsx';
import { Badge } from './badge.tsx';
import { Card } from './card.tsx';

const STATES: Record<Consensus['state'], { text: string; tone: Tone }> = {
  reached: { text: 'reached', tone: 'good' },
  waiting: { text: 'waiting', tone: 'plain' },
  blocked: { text: 'blocked', tone: 'bad' },
  insufficient_reviews: { text: 'too few reviews', tone: 'plain' },
  no_eligible_reviewers: { text: 'nobody to judge it', tone: 'warn' },
};

interface ConsensusCardProps {
  consensus: { data: Consensus | undefined; error: Error | null; refetch(): unknown };
}

/** What the rule of consensus says, and what it is computed from. */
export function ConsensusCard({ consensus }: ConsensusCardProps) {
  return (
    <Card
      title="Consensus"
      aside={
        consensus.data ? (
          <Badge tone={STATES[consensus.data.state].tone}>{STATES[consensus.data.state].text}</Badge>
        ) : null
      }
    >
      <Answered query={consensus}>
        {(known) => (
          <div className="space-y-3 px-4 py-3 text-sm">
            <Measure consensus={known} />
            {known.votes.length > 0 ? (
              <ul className="space-y-1.5">
                {known.votes.map((vote) => (
                  <li key={vote.reviewer} title={vote.why} className={vote.counts ? '' : 'text-soft'}>
                    <span className="font-medium">{vote.reviewerName}</span>{' '}
                    {`${vote.verdict.replaceAll('_', ' ')}${vote.counts ? '' : `, does not count: ${vote.why}`}`}
                  </li>
                ))}
              </ul>
            ) : null}
            {known.reached ? (
              <p className="text-soft">{`${known.approvals} in favour, ${known.rejections} against.`}</p>
            ) : (
              known.reasons.map((reason) => (
                <p key={reason} className="text-soft">
                  {reason}
                </p>
              ))
            )}
          </div>
        )}
      </Answered>
    </Card>
  );
}

/** How much of the weight is in favour, against what is needed. */
function Measure({ consensus }: { consensus: Consensus }) {
  const score = Math.round(consensus.score * 100);
  const needed = Math.round(consensus.threshold * 100);
  const tone = consensus.reached ? 'text-good' : 'text-accent';
  return (
    <svg viewBox="0 0 100 5" preserveAspectRatio="none" role="img" className={`h-2 w-full ${tone}`}>
      <title>{`${score}% in favour, ${needed}% needed`}</title>
      <rect width="100" height="5" rx="1" className="fill-plain-wash" />
      <rect width={score} height="5" rx="1" fill="currentColor" />
      <rect x={Math.min(needed, 99)} width="0.7" height="5" className="fill-ink" />
    </svg>
  );
}
