import { existsSync } from 'node:fs';
import { allPages } from '../../base/all-pages.ts';
import { plainLine } from '../../base/plain-text.ts';
import { listAgents } from '../../contract/agents.ts';
import { isSwarmError } from '../../contract/errors.ts';
import { type Stream, showStream } from '../../contract/streams.ts';
import { worktreeStatus } from '../../git/worktree-files.ts';
import { listWorkspaces, listWorkspaceUses, type Workspace } from '../../machine/workspaces.ts';
import type { Workflow } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';
import { count } from '../output/hints.ts';
import { table } from '../output/table.ts';

interface Row {
  path: string;
  stream: { id: string; handle: string; name: string; branch: string; state: Stream['state'] } | null;
  agent: { id: string; name: string };
  /** Null where nobody can look: the directory is gone, or git does not know it. */
  clean: boolean | null;
  changedFiles: number;
  exists: boolean;
  inProgress: string | null;
  /** Who is at work there now. */
  uses: string[];
}

export const list: Command = {
  name: 'workspace list',
  summary: 'The worktrees on this machine, and what is in them.',
  actor: 'reader',
  async run(session) {
    const workflow = await session.workflow();
    const agents = await allPages((cursor) => workflow.authority.call(listAgents, { limit: 200, cursor }));
    const names = new Map(agents.map((agent) => [agent.id, agent.name]));
    const rows: Row[] = [];
    for (const workspace of listWorkspaces(workflow.machine))
      rows.push(await look(workflow, workspace, names));
    return {
      data: rows,
      text: () =>
        rows.length === 0
          ? 'There is no workspace on this machine.'
          : table(
              rows,
              [
                { title: 'STREAM', value: (row) => row.stream?.handle ?? '?' },
                { title: 'NAME', value: (row) => plainLine(row.stream?.name ?? ''), canShrink: true },
                { title: 'AGENT', value: (row) => plainLine(row.agent.name) },
                { title: 'STATE', value: (row) => row.stream?.state.replace('_', ' ') ?? 'unknown' },
                { title: 'FILES', value: filesWords },
                { title: 'PATH', value: (row) => plainLine(row.path) },
              ],
              { width: session.output.width },
            ),
      next: rows.length === 0 ? 'gitswarm workspace create' : undefined,
    };
  },
};

async function look(workflow: Workflow, workspace: Workspace, names: Map<string, string>): Promise<Row> {
  const stream = await streamOf(workflow, workspace.stream_id);
  const exists = existsSync(workspace.path);
  const status = exists
    ? await worktreeStatus(workflow.git, workspace.path).catch(() => undefined)
    : undefined;
  const changed = status
    ? [...status.staged, ...status.unstaged, ...status.untracked, ...status.unmerged]
    : [];
  return {
    path: workspace.path,
    stream: stream
      ? {
          id: stream.id,
          handle: stream.handle,
          name: stream.name,
          branch: stream.branch,
          state: stream.state,
        }
      : null,
    agent: { id: workspace.agent_id, name: names.get(workspace.agent_id) ?? '' },
    clean: status?.clean ?? null,
    changedFiles: new Set(changed).size,
    exists,
    inProgress: status?.inProgress ?? null,
    uses: listWorkspaceUses(workflow.machine, workspace.stream_id).map((use) => use.reason),
  };
}

async function streamOf(workflow: Workflow, id: string): Promise<Stream | undefined> {
  try {
    return await workflow.authority.call(showStream, { stream: id });
  } catch (error) {
    if (isSwarmError(error, 'not_found')) return undefined;
    throw error;
  }
}

function filesWords(row: Row): string {
  const words =
    row.clean === null
      ? row.exists
        ? 'unknown'
        : 'gone'
      : row.clean
        ? 'clean'
        : `${count(row.changedFiles, 'file')} changed`;
  return [
    words,
    ...(row.inProgress ? [`${row.inProgress} begun`] : []),
    ...(row.uses.length > 0 ? ['in use'] : []),
  ].join(', ');
}
