import { isSwarmError } from '../contract/errors.ts';
import { beginPlugin, finishPlugin, type Plugin } from '../contract/plugins.ts';
import type { Workflow } from './workflow.ts';

/**
 * Does what a builtin plugin does, once for each trigger, as a recorded execution. Answers null where it was done
 * already, plugins are switched off, or it was refused: an automation never fails what set it off.
 */
export async function runPlugin<T extends object>(
  workflow: Workflow,
  { plugin, key }: { plugin: Plugin; key: string },
  act: () => Promise<T>,
): Promise<T | null> {
  const { authority, repo } = workflow;
  const { execution, proceed } = await authority.call(beginPlugin, { repoId: repo.id, plugin, trigger: key });
  if (!proceed) return null;
  const finish = (status: 'succeeded' | 'failed', result: object) =>
    authority.call(finishPlugin, {
      repoId: repo.id,
      execution: execution.id,
      status,
      result: JSON.parse(JSON.stringify(result)) as Record<string, unknown>,
    });
  try {
    const result = await act();
    await finish('kind' in result && result.kind === 'conflict' ? 'failed' : 'succeeded', result);
    return result;
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    await finish('failed', { code: error.code, message: error.message });
    workflow.notify(`${plugin}: ${error.message}`);
    return null;
  }
}
