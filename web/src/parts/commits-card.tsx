import { listStreamCommits, type Stream } from '../api.ts';
import { useAnswer } from '../queries.ts';
import { Answered } from './answered.tsx';
import { Card, Count, Empty } from './card.tsx';

export function CommitsCard({ repoId, stream }: { repoId: string; stream: Stream }) {
  const commits = useAnswer(repoId, listStreamCommits, { stream: stream.id });
  return (
    <Card title="Commits" aside={<Count>{stream.commitCount}</Count>}>
      <Answered query={commits}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>No commit yet.</Empty>
          ) : (
            <ol className="divide-y divide-line">
              {items.map((each) => (
                <li key={each.commit} className="flex items-baseline gap-3 px-4 py-2.5 text-sm">
                  <code className="font-mono text-xs text-soft">{each.commit.slice(0, 8)}</code>
                  <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
                    {each.message.split('\n')[0]}
                  </span>
                  <span className="max-w-32 truncate text-soft">{each.author.replace(/ <.*/, '')}</span>
                </li>
              ))}
            </ol>
          )
        }
      </Answered>
    </Card>
  );
}
