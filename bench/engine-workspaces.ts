import { rmSync } from 'node:fs';
import { type Agent, registerAgent } from '../src/contract/agents.ts';
import { registerWorktree } from '../src/git/worktrees.ts';
import { withLock } from '../src/machine/locks.ts';
import { createWorkspace } from '../src/workflows/create-workspace.ts';
import { actingAs } from '../src/workflows/workflow.ts';
import { atMost, type Row, timed } from './measure.ts';
import { openProduct } from './product.ts';
import { runQuiet } from './run-quiet.ts';
import type { Shape } from './synthetic-repository.ts';

const AGENTS = 32;

/** 32 workspaces at once: none may fail, nothing may be left over, and the step that must be alone must be short. */
export async function benchWorkspaces(shape: Shape, copy: () => Promise<string>): Promise<Row[]> {
  const admin = await adminStep(await copy());
  if (shape.files > 10_000) return [atMost('administrative step of 32, seconds', admin / 1000, 0.5, ' s')];
  const bare = await copy();
  const { app, workflow } = await openProduct(bare);
  const agents: Agent[] = [];
  for (let i = 0; i < AGENTS; i++)
    agents.push((await workflow.authority.call(registerAgent, { name: `agent ${i}` })).agent);
  let failures = 0;
  const all = await timed(() =>
    Promise.all(
      agents.map((agent) =>
        createWorkspace(actingAs(workflow, agent), {}).catch(() => {
          failures++;
        }),
      ),
    ),
  );
  const branches = (await runQuiet('git', ['-C', bare, 'for-each-ref', '--format=x', 'refs/heads/stream/']))
    .split('\n')
    .filter(Boolean).length;
  await app.close();
  rmSync(bare, { recursive: true, force: true });
  return [
    {
      what: '32 at once: failures, orphans',
      measured: `${failures}, ${branches - (AGENTS - failures)}`,
      target: '0, 0',
      holds: failures === 0 && branches === AGENTS,
    },
    atMost('administrative step of 32, seconds', admin / 1000, 0.5, ' s'),
    {
      what: 'all of it with files, seconds',
      measured: (all / 1000).toFixed(2),
      target: '',
      holds: undefined,
    },
  ];
}

async function adminStep(bare: string): Promise<number> {
  const { app, workflow } = await openProduct(bare);
  const oid = (await runQuiet('git', ['-C', bare, 'rev-parse', 'buffer'])).trim();
  const total = await timed(() =>
    Promise.all(
      Array.from({ length: AGENTS }, (_, i) =>
        withLock(workflow.home, 'worktrees', () =>
          registerWorktree(workflow.git, { path: `${bare}-ws/${i}`, branch: `stream/x${i}`, oid }),
        ),
      ),
    ),
  );
  await app.close();
  rmSync(`${bare}-ws`, { recursive: true, force: true });
  return total;
}
