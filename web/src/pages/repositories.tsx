import { Link } from '@tanstack/react-router';
import { listRepos, type Repo, repoStatus } from '../api.ts';
import { Badge } from '../parts/badge.tsx';
import { Panel } from '../parts/card.tsx';
import { Listed } from '../parts/listed.tsx';
import { useAnswer, useList } from '../queries.ts';

export function RepositoriesPage() {
  const repos = useList('server', listRepos, {});
  return (
    <>
      <title>Repositories · GitSwarm</title>
      <h1 className="mb-4 text-xl font-semibold">Repositories</h1>
      <Panel>
        <Listed list={repos} empty={<HowToBegin />}>
          {(repo) => <RepoRow key={repo.id} repo={repo} />}
        </Listed>
      </Panel>
    </>
  );
}

function RepoRow({ repo }: { repo: Repo }) {
  const status = useAnswer(repo.id, repoStatus, { repoId: repo.id });
  const waiting = status.data?.attention.filter((each) => each.kind !== 'task').length ?? 0;
  return (
    <li className="relative flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 hover:bg-sunk">
      <div className="min-w-0 flex-1 basis-60">
        <Link
          to="/repos/$repoId"
          params={{ repoId: repo.id }}
          className="font-medium before:absolute before:inset-0 hover:underline"
        >
          {repo.name}
        </Link>
        <p className="truncate text-sm text-soft">{repo.description || `${repo.mergeMode} mode`}</p>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        {repo.status === 'archived' ? <Badge>archived</Badge> : null}
        {repo.frozenReason === null ? null : <Badge tone="bad">frozen</Badge>}
        {repo.queuePaused ? <Badge tone="warn">queue paused</Badge> : null}
        {status.data?.lastStabilization?.result === 'red' ? <Badge tone="bad">red</Badge> : null}
        {waiting > 0 ? <Badge tone="busy">{`${waiting} waiting`}</Badge> : null}
        {status.data ? (
          <span className="text-sm text-soft tabular-nums">{`${status.data.queue.length} queued`}</span>
        ) : null}
      </div>
    </li>
  );
}

function HowToBegin() {
  return (
    <>
      <p className="mb-3 font-medium text-ink">No repository yet</p>
      <p className="mb-2">Register one of your own, or have the server clone it:</p>
      <pre className="mx-auto max-w-xl overflow-x-auto rounded-md bg-sunk p-3 text-left font-mono text-xs text-ink">
        {`curl ${window.location.origin}/api/v1/repos -H "Authorization: Bearer $KEY" \\
  -H content-type:application/json -d '{"name":"demo","cloneUrl":"https://…"}'`}
      </pre>
    </>
  );
}
