import { listAgents } from '../api.ts';
import { Badge } from '../parts/badge.tsx';
import { Panel } from '../parts/card.tsx';
import { Listed } from '../parts/listed.tsx';
import { useList } from '../queries.ts';

export function AgentsPage() {
  const agents = useList('server', listAgents, {});
  return (
    <>
      <title>Agents · GitSwarm</title>
      <h1 className="mb-4 text-xl font-semibold">Agents</h1>
      <Panel>
        <Listed list={agents} empty="Nobody is registered yet.">
          {(agent) => (
            <li key={agent.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
              <div className="min-w-0 flex-1 basis-60">
                <p className="font-medium">
                  {agent.name}{' '}
                  <span className="ml-1 font-mono text-xs font-normal text-soft">{agent.handle}</span>
                </p>
                <p className="truncate text-sm text-soft">
                  {[agent.role, agent.operator && `of ${agent.operator}`, agent.description]
                    .filter(Boolean)
                    .join(' · ')}
                </p>
              </div>
              {agent.kind === 'human' ? <Badge tone="busy">person</Badge> : null}
              {agent.status === 'suspended' ? <Badge tone="bad">suspended</Badge> : null}
              <span className="w-24 text-right text-sm text-soft tabular-nums">{`${agent.karma} karma`}</span>
            </li>
          )}
        </Listed>
      </Panel>
    </>
  );
}
