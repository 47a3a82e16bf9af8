import { plainLine } from '../base/plain-text.ts';
import { isSwarmError } from '../contract/errors.ts';
import { setConfig } from '../contract/repos.ts';
import { approveCommand, type CommandSetting, untrustedCommands } from '../workflows/trust.ts';
import type { Workflow } from '../workflows/workflow.ts';
import { askYesNo, canAsk } from './confirm.ts';
import type { Session } from './session.ts';

/**
 * Shows an owner at the terminal the commands that would be run and that nobody has approved here, word for word, and
 * asks for each. `--yes` does not answer: what nobody has read is not approved. Whoever declines, or cannot be asked,
 * is refused later with untrusted_command.
 */
export async function offerTrust(
  session: Session,
  workflow: Workflow,
  settings: readonly CommandSetting[] = ['stabilize_command', 'workspace.setup'],
): Promise<void> {
  const waiting = untrustedCommands(workflow).filter(({ setting }) => settings.includes(setting));
  if (waiting.length === 0 || !canAsk(session) || !(await mayApprove(workflow))) return;
  await askTrust(session, workflow, waiting);
}

/** Asks for each command, and answers those that were approved. */
export async function askTrust<T extends { setting: CommandSetting; text: string }>(
  session: Session,
  workflow: Workflow,
  waiting: readonly T[],
): Promise<T[]> {
  const approved: T[] = [];
  for (const each of waiting) {
    const { setting, text } = each;
    const question = `${setting} has not been approved on this machine:\n${exactText(text)}\nMay it run?`;
    if (!(await askYesNo(session, question, false))) continue;
    approveCommand(workflow, setting, text);
    approved.push(each);
  }
  return approved;
}

/** A command such that nothing in it is hidden: no second line, no invisible character. */
export function exactText(text: string): string {
  if (plainLine(text) === text) return text;
  return JSON.stringify(text).replace(
    /[^ -~]/g,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** Changing nothing asks the authority whether this actor may change settings; throws not_allowed. */
export async function requireOwner(workflow: Workflow): Promise<void> {
  await workflow.authority.call(setConfig, { repoId: workflow.repo.id, changes: {} });
}

async function mayApprove(workflow: Workflow): Promise<boolean> {
  if (!workflow.actor) return false;
  try {
    await requireOwner(workflow);
    return true;
  } catch (error) {
    if (isSwarmError(error, 'not_allowed')) return false;
    throw error;
  }
}
