import { claimTask, listTasks, type Task } from '../api.ts';
import { useList, useMe } from '../queries.ts';
import type { Tone } from '../words.ts';
import { useWrite } from '../write.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { Card } from './card.tsx';
import { Listed } from './listed.tsx';
import { ErrorNotice } from './notice.tsx';

const TONES: Record<Task['status'], Tone> = {
  open: 'plain',
  claimed: 'busy',
  submitted: 'busy',
  completed: 'good',
  cancelled: 'plain',
};

export function TasksCard({ repoId }: { repoId: string }) {
  const tasks = useList(repoId, listTasks, { repoId, limit: 30 });
  const claim = useWrite(repoId, claimTask);
  const me = useMe().data?.agent.id;
  return (
    <Card title="Tasks">
      {claim.error ? (
        <div className="p-3">
          <ErrorNotice error={claim.error} />
        </div>
      ) : null}
      <Listed list={tasks} empty="No task has been written down.">
        {(task) => (
          <li key={task.id} className="flex flex-wrap items-center gap-x-3 gap-y-1.5 px-4 py-2.5">
            <div className="min-w-0 flex-1 basis-56">
              <p className="truncate">
                <span className="font-medium">{task.title}</span>
                <span className="ml-2 font-mono text-xs text-soft">{task.handle}</span>
              </p>
              <p className="truncate text-sm text-soft">{detailOf(task)}</p>
            </div>
            {task.status === 'open' && task.ready ? (
              <Button
                aria-label={`Claim ${task.title}`}
                isBusy={claim.isPending && claim.variables.task === task.id}
                onClick={() => claim.mutate({ task: task.id })}
              >
                Claim
              </Button>
            ) : (
              <Badge tone={TONES[task.status]}>
                {task.claim?.agentId === me && task.status === 'claimed' ? 'claimed by you' : task.status}
              </Badge>
            )}
          </li>
        )}
      </Listed>
    </Card>
  );
}

function detailOf(task: Task): string {
  const waits = task.waitsFor.length;
  return [
    `${task.priority} priority`,
    task.amount > 0 ? `${task.amount} credits` : undefined,
    task.blockedReason === null ? undefined : `blocked: ${task.blockedReason}`,
    waits > 0 ? `waits for ${waits} ${waits === 1 ? 'task' : 'tasks'}` : undefined,
    ...task.labels,
  ]
    .filter((each) => each !== undefined)
    .join(' · ');
}
