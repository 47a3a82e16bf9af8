import { Link } from '@tanstack/react-router';
import { type OutputOf, repoStatus } from '../api.ts';
import { ActivityCard } from '../parts/activity-card.tsx';
import { Ago } from '../parts/ago.tsx';
import { Answered } from '../parts/answered.tsx';
import { AttentionCard } from '../parts/attention-card.tsx';
import { Badge } from '../parts/badge.tsx';
import { Notice } from '../parts/notice.tsx';
import { QueueCard } from '../parts/queue-card.tsx';
import { StreamsCard } from '../parts/streams-card.tsx';
import { TasksCard } from '../parts/tasks-card.tsx';
import { useAnswer } from '../queries.ts';

type Status = OutputOf<typeof repoStatus>;

/** One repository: what waits for whom, its streams, queue and tasks, and what happens. */
export function RepositoryPage({ repoId }: { repoId: string }) {
  const status = useAnswer(repoId, repoStatus, { repoId });
  return (
    <Answered query={status}>
      {(known) => (
        <>
          <title>{`${known.repo.name} · GitSwarm`}</title>
          <Head status={known} />
          <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="space-y-5">
              <AttentionCard repoId={repoId} attention={known.attention} omitted={known.attentionOmitted} />
              <StreamsCard repoId={repoId} counts={known.streams} />
              <TasksCard repoId={repoId} />
            </div>
            <div className="space-y-5">
              <QueueCard repoId={repoId} />
              <ActivityCard repoId={repoId} attention={known.attention} />
            </div>
          </div>
        </>
      )}
    </Answered>
  );
}

function Head({ status }: { status: Status }) {
  const { repo, queue, lastStabilization, lastPromotion } = status;
  return (
    <div className="mb-5 space-y-3">
      <nav aria-label="Breadcrumb" className="text-sm text-soft">
        <Link to="/" className="hover:underline">
          Repositories
        </Link>
      </nav>
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h1 className="text-xl font-semibold">{repo.name}</h1>
        <span className="text-sm text-soft">{repo.description}</span>
      </div>
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1.5 text-sm text-soft">
        <span>{`${repo.mergeMode} mode`}</span>
        <span>
          lands on <code className="font-mono text-ink">{repo.bufferBranch}</code>, promoted to{' '}
          <code className="font-mono text-ink">{repo.promoteTarget}</code>
        </span>
        {lastStabilization ? (
          <span className="flex items-center gap-1.5">
            <Badge tone={lastStabilization.result === 'green' ? 'good' : 'bad'}>
              {lastStabilization.result}
            </Badge>
            <Ago time={lastStabilization.stabilizedAt} />
          </span>
        ) : (
          <span>never tested</span>
        )}
        {lastPromotion ? (
          <span>
            promoted <Ago time={lastPromotion.promotedAt} />
          </span>
        ) : null}
      </p>
      {queue.frozenReason === null ? null : (
        <Notice tone="bad">{`Nothing lands: ${queue.frozenReason}`}</Notice>
      )}
      {queue.paused ? (
        <Notice tone="warn">The queue is paused: streams wait until it is resumed.</Notice>
      ) : null}
      {repo.status === 'archived' ? (
        <Notice tone="warn">This repository is archived: it can only be read.</Notice>
      ) : null}
    </div>
  );
}
