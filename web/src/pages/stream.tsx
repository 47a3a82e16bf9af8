import { Link } from '@tanstack/react-router';
import { checkConsensus, repoStatus, type Stream, showStream } from '../api.ts';
import { Ago } from '../parts/ago.tsx';
import { Answered } from '../parts/answered.tsx';
import { StateBadge } from '../parts/badge.tsx';
import { CommitsCard } from '../parts/commits-card.tsx';
import { ConsensusCard } from '../parts/consensus-card.tsx';
import { DiffCard } from '../parts/diff-card.tsx';
import { ReviewsCard } from '../parts/reviews-card.tsx';
import { StreamActions } from '../parts/stream-actions.tsx';
import { useAnswer } from '../queries.ts';

/** One stream: what it changes, what others think of it, and what may be done with it. */
export function StreamPage({ repoId, handle }: { repoId: string; handle: string }) {
  const stream = useAnswer(repoId, showStream, { stream: handle });
  const status = useAnswer(repoId, repoStatus, { repoId });
  const consensus = useAnswer(repoId, checkConsensus, { stream: handle });
  const next = status.data?.attention.find((each) => each.subject.id === stream.data?.id);
  return (
    <Answered query={stream}>
      {(known) => (
        <>
          <title>{`${known.name} · GitSwarm`}</title>
          <nav aria-label="Breadcrumb" className="mb-3 flex gap-2 text-sm text-soft">
            <Link to="/" className="hover:underline">
              Repositories
            </Link>
            <span aria-hidden="true">/</span>
            <Link to="/repos/$repoId" params={{ repoId }} className="hover:underline">
              {status.data?.repo.name ?? 'repository'}
            </Link>
          </nav>
          <Head stream={known} bufferBranch={status.data?.repo.bufferBranch} />
          <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="order-last min-w-0 space-y-5 lg:order-none">
              <CommitsCard repoId={repoId} stream={known} />
              <DiffCard repoId={repoId} stream={known} />
            </div>
            <div className="space-y-5">
              <StreamActions
                repoId={repoId}
                stream={known}
                next={next}
                isReached={consensus.data?.reached ?? false}
              />
              <ConsensusCard consensus={consensus} />
              <ReviewsCard repoId={repoId} handle={handle} />
            </div>
          </div>
        </>
      )}
    </Answered>
  );
}

function Head({ stream, bufferBranch }: { stream: Stream; bufferBranch: string | undefined }) {
  return (
    <div className="mb-5">
      <h1 className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xl font-semibold [overflow-wrap:anywhere]">
        {stream.name}
        <StateBadge state={stream.state} />
      </h1>
      <p className="mt-1.5 flex flex-wrap gap-x-3 gap-y-1 text-sm text-soft">
        <span className="font-mono">{stream.handle}</span>
        <span>{`by ${stream.authorName}`}</span>
        <span>
          onto <code className="font-mono">{bufferBranch ?? stream.baseBranch}</code>
        </span>
        <span>
          changed <Ago time={stream.updatedAt} />
        </span>
        {stream.stateReason === null ? null : <span>{stream.stateReason.replaceAll('_', ' ')}</span>}
      </p>
    </div>
  );
}
