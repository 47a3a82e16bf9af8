import * as z from 'zod';
import { newId } from '../base/ids.ts';
import { errorCodes, isRetryable, SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/plugins.ts';
import type { PluginExecutionRow } from '../db/tables.ts';
import {
  findExecution,
  finishExecution,
  insertExecution,
  listExecutionRows,
  restartExecution,
  toExecution,
} from '../domain/plugins/executions-store.ts';
import { serverSettings } from '../domain/repos/repos-store.ts';
import { operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

const list = query(contract.listPluginExecutions, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const rows = await listExecutionRows(db, {
      repoId: repo.id,
      plugin: input.plugin,
      beforeId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: page.items.map(toExecution), nextCursor: page.nextCursor };
  },
});

/**
 * One that is found running was interrupted: what it does can be done twice, so it goes on. One that was skipped while
 * plugins were off, or failed of what passes by itself, begins anew.
 */
const begin = operation(contract.beginPlugin, {
  on: 'repo',
  needs: 'write',
  async run({ db, actor, clock, repo, now, emit }, { plugin, trigger }) {
    const before = await findExecution(db, { repoId: repo.id, plugin, trigger });
    const isOn = serverSettings(repo).plugins_enabled;
    if (before && isOn && mayBeginAnew(before)) {
      const again = await restartExecution(db, before.id, { agentId: actor.id, now });
      return { execution: toExecution(again), proceed: true };
    }
    if (before) return { execution: toExecution(before), proceed: before.status === 'running' };
    const row: PluginExecutionRow = {
      id: newId(clock.now()),
      repo_id: repo.id,
      plugin,
      trigger_key: trigger,
      status: isOn ? 'running' : 'skipped',
      result: isOn ? '{}' : JSON.stringify({ reason: 'plugins_enabled is off' }),
      agent_id: actor.id,
      started_at: now,
      finished_at: isOn ? null : now,
    };
    await insertExecution(db, row);
    if (!isOn) {
      emit({
        type: 'plugin.executed',
        subject: { type: 'plugin_execution', id: row.id },
        data: { plugin, trigger, status: row.status },
      });
    }
    return { execution: toExecution(row), proceed: isOn };
  },
});

function mayBeginAnew({ status, result }: PluginExecutionRow): boolean {
  if (status !== 'failed') return status === 'skipped';
  const { code } = Failure.parse(JSON.parse(result));
  return code !== undefined && isRetryable(code);
}

/** What a failed execution has recorded; an outcome that is no error bears no code. */
const Failure = z.object({ code: z.enum(errorCodes).optional().catch(undefined) });

const finish = operation(contract.finishPlugin, {
  on: 'repo',
  needs: 'write',
  async run({ db, repo, now, emit }, input) {
    const done = { id: input.execution, status: input.status, result: JSON.stringify(input.result), now };
    const row = await finishExecution(db, repo.id, done);
    if (!row) throw new SwarmError('wrong_state', `Execution ${input.execution} is not running.`);
    emit({
      type: 'plugin.executed',
      subject: { type: 'plugin_execution', id: row.id },
      data: { plugin: row.plugin, trigger: row.trigger_key, status: row.status },
    });
    return toExecution(row);
  },
});

export const pluginOperations = [list, begin, finish];
