import { newId } from '../base/ids.ts';
import type { Machine } from './machine.ts';

/** A worktree on this machine; `synced_oid` is the commit its files were last brought to. */
export interface Workspace {
  stream_id: string;
  path: string;
  agent_id: string;
  branch: string;
  synced_oid: string | null;
  created_at: string;
}

export function insertWorkspace(machine: Machine, workspace: Workspace): void {
  machine.run(
    'insert into workspace (stream_id, path, agent_id, branch, synced_oid, created_at) values (?, ?, ?, ?, ?, ?)',
    workspace.stream_id,
    workspace.path,
    workspace.agent_id,
    workspace.branch,
    workspace.synced_oid,
    workspace.created_at,
  );
}

export function findWorkspace(machine: Machine, streamId: string): Workspace | undefined {
  return machine.get<Workspace>('select * from workspace where stream_id = ?', streamId);
}

/** The workspace at exactly this directory. */
export function findWorkspaceAt(machine: Machine, path: string): Workspace | undefined {
  return machine.get<Workspace>('select * from workspace where path = ?', path);
}

export function listWorkspaces(machine: Machine): Workspace[] {
  return machine.all<Workspace>('select * from workspace order by created_at, stream_id');
}

export function setSyncedOid(machine: Machine, streamId: string, oid: string): void {
  machine.run('update workspace set synced_oid = ? where stream_id = ?', oid, streamId);
}

/** Another agent works there from now on. */
export function assignWorkspace(machine: Machine, streamId: string, agentId: string): void {
  machine.run('update workspace set agent_id = ? where stream_id = ?', agentId, streamId);
}

export function moveWorkspace(machine: Machine, streamId: string, path: string): void {
  machine.run('update workspace set path = ? where stream_id = ?', path, streamId);
}

export function deleteWorkspace(machine: Machine, streamId: string): void {
  machine.run('delete from workspace where stream_id = ?', streamId);
}

/** Somebody at work in a workspace: a swarm run or `workspace exec`. Its files must not be moved meanwhile. */
export interface WorkspaceUse {
  id: string;
  stream_id: string;
  reason: string;
  holder: string;
  started_at: string;
}

/** Says that `holder` is at work there; several may be at once. Returns the id to leave with. */
export function enterWorkspace(
  machine: Machine,
  {
    streamId,
    reason,
    at,
    holder = machine.holder,
  }: { streamId: string; reason: string; at: string; holder?: string },
): string {
  const id = newId();
  machine.run('insert into workspace_use values (?, ?, ?, ?, ?)', id, streamId, reason, holder, at);
  return id;
}

export function leaveWorkspace(machine: Machine, useId: string): void {
  machine.run('delete from workspace_use where id = ?', useId);
}

/** Who is at work there now; those whose process is gone are forgotten on the way. */
export function listWorkspaceUses(machine: Machine, streamId: string): WorkspaceUse[] {
  const uses = machine.all<WorkspaceUse>(
    'select * from workspace_use where stream_id = ? order by started_at, id',
    streamId,
  );
  return uses.filter((use) => {
    const alive = machine.isAlive(use.holder);
    if (!alive) leaveWorkspace(machine, use.id);
    return alive;
  });
}
