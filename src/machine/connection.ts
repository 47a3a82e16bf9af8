import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './machine.ts';

/** The server that decides for this repository, and whom we are there. */
export interface Connection {
  /** Without a slash at its end. */
  url: string;
  repoId: string;
  /** Whose token it is. */
  agentId: string;
  agentName: string;
  /** The git remote in which the clones meet; null where this is the only one. */
  remote: string | null;
  /** How far the server's log has been read. */
  cursor: string | null;
  /** When it was last read, in ISO 8601. */
  lookedAt: string | null;
  connectedAt: string;
}

interface Row {
  url: string;
  repo_id: string;
  agent_id: string;
  agent_name: string;
  remote: string | null;
  cursor: string | null;
  looked_at: string | null;
  connected_at: string;
}

export function findConnection(machine: Machine): Connection | undefined {
  const row = machine.get<Row>('select * from connection');
  return (
    row && {
      url: row.url,
      repoId: row.repo_id,
      agentId: row.agent_id,
      agentName: row.agent_name,
      remote: row.remote,
      cursor: row.cursor,
      lookedAt: row.looked_at,
      connectedAt: row.connected_at,
    }
  );
}

/**
 * Keeps the connection; the token beside it, for nobody else to read. What another server, or the same about another
 * repository, has answered is forgotten with it.
 */
export function saveConnection(machine: Machine, connection: Connection, token: string): void {
  saveToken(machine, token);
  const { url, repoId, agentId, agentName, remote, cursor, lookedAt, connectedAt } = connection;
  const values = [url, repoId, agentId, agentName, remote, cursor, lookedAt, connectedAt];
  machine.write(() => {
    const last = findConnection(machine);
    if (last?.url !== url || last.repoId !== repoId) machine.run('delete from remembered_answer');
    machine.run('insert or replace into connection values (1, ?, ?, ?, ?, ?, ?, ?, ?, null)', ...values);
  });
}

export function recordLook(machine: Machine, look: { cursor: string; at: string }): void {
  machine.run('update connection set cursor = ?, looked_at = ?', look.cursor, look.at);
}

/** The token alone, where it is another one of the same holder. */
export function saveToken(machine: Machine, token: string): void {
  mkdirSync(machine.localDir, { recursive: true });
  const draft = `${tokenFile(machine)}.${process.pid}`;
  // A file that was there would keep the rights it had, and be read in between.
  rmSync(draft, { force: true });
  writeFileSync(draft, token, { mode: 0o600, flag: 'wx' });
  renameSync(draft, tokenFile(machine));
}

/** The newest notification that was told here; undefined before the first. */
export function findSeenNotification(machine: Machine): string | undefined {
  const sql = 'select seen_notification from connection';
  return machine.get<{ seen_notification: string | null }>(sql)?.seen_notification ?? undefined;
}

export function recordSeenNotification(machine: Machine, id: string): void {
  machine.run('update connection set seen_notification = ?', id);
}

/** Forgets the server and the key; that a server decides is kept, so that nothing here begins to decide by itself. */
export function deleteConnection(machine: Machine): void {
  const last = findConnection(machine);
  if (last) writeFileSync(lastFile(machine), JSON.stringify({ url: last.url, repoId: last.repoId }));
  rmSync(tokenFile(machine), { force: true });
  machine.write(() => {
    machine.run('delete from connection');
    machine.run('delete from remembered_answer');
  });
}

/** The token that was given with `connect`; undefined where it is gone. */
export function readToken(machine: Machine): string | undefined {
  try {
    return readFileSync(tokenFile(machine), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The server that decided before `disconnect`; undefined where there was none. */
export function findLastConnection(machine: Machine): Pick<Connection, 'url' | 'repoId'> | undefined {
  try {
    return JSON.parse(readFileSync(lastFile(machine), 'utf8')) as Pick<Connection, 'url' | 'repoId'>;
  } catch {
    return undefined;
  }
}

function lastFile(machine: Machine): string {
  return join(machine.localDir, 'last-server.json');
}

function tokenFile(machine: Machine): string {
  return join(machine.localDir, 'server-token');
}
