import { listReviews, type Verdict } from '../api.ts';
import { useList } from '../queries.ts';
import type { Tone } from '../words.ts';
import { Ago } from './ago.tsx';
import { Badge } from './badge.tsx';
import { Card } from './card.tsx';
import { Listed } from './listed.tsx';

const VERDICTS: Record<Verdict, { text: string; tone: Tone }> = {
  approve: { text: 'approved', tone: 'good' },
  request_changes: { text: 'asked for changes', tone: 'warn' },
  comment: { text: 'commented', tone: 'plain' },
};

export function ReviewsCard({ repoId, handle }: { repoId: string; handle: string }) {
  const reviews = useList(repoId, listReviews, { stream: handle, limit: 20 });
  return (
    <Card title="Reviews">
      <Listed list={reviews} empty="Nobody has judged it yet.">
        {(review) => (
          <li key={review.id} className="space-y-1 px-4 py-2.5 text-sm">
            <p className="flex flex-wrap items-center gap-2">
              <span className="font-medium">{review.reviewerName}</span>
              <Badge tone={VERDICTS[review.verdict].tone}>{VERDICTS[review.verdict].text}</Badge>
              {review.stale ? <Badge>of an older change</Badge> : null}
              <Ago time={review.reviewedAt} />
            </p>
            {review.feedback === '' ? null : (
              <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{review.feedback}</p>
            )}
          </li>
        )}
      </Listed>
    </Card>
  );
}
