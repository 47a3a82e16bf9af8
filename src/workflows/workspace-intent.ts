import { existsSync } from 'node:fs';
import { isoTime } from '../base/clock.ts';
import { insertIntent, listIntents } from '../machine/intents.ts';
import { findWorkspaceAt } from '../machine/workspaces.ts';
import type { Workflow } from './workflow.ts';

/** What is written down before anything is made, so that a crash in between leaves nothing behind. */
export interface CreateIntent {
  streamId: string;
  branch: string;
  path: string;
  commit: string;
  /** Only the worktree is made: stream and branch were there before and stay. */
  restores?: boolean;
}

/** Chooses a place and writes it down in one step, so that of many processes at once each has a place of its own. */
export function intendWorkspace(
  workflow: Workflow,
  choose: () => CreateIntent,
): { intent: string; data: CreateIntent } {
  const { machine } = workflow;
  return machine.write(() => {
    const data = choose();
    const at = isoTime(workflow.clock.now());
    return { data, intent: insertIntent(machine, { kind: 'create', data, at }) };
  });
}

/** True where something stands, or somebody is about to make something. */
export function isTakenPath({ machine }: Workflow, path: string): boolean {
  if (existsSync(path) || findWorkspaceAt(machine, path) !== undefined) return true;
  return listIntents(machine).some(
    (intent) => intent.kind === 'create' && (JSON.parse(intent.data) as CreateIntent).path === path,
  );
}
