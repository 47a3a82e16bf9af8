import { isoTime } from '../base/clock.ts';
import { SwarmError } from '../contract/errors.ts';
import { isTrusted, trustCommand } from '../machine/trusted-commands.ts';
import { actorOf, type Workflow } from './workflow.ts';

/** The settings whose text is run as a command. */
export type CommandSetting = 'stabilize_command' | 'workspace.setup';

/**
 * Refuses a command whose exact text nobody has approved on this machine. Whoever clones a repository must not run
 * what its files say before an owner has read it.
 */
export function requireTrust(workflow: Workflow, setting: CommandSetting, text: string): void {
  if (isTrusted(workflow.machine, setting, text)) return;
  throw new SwarmError('untrusted_command', `${setting} has not been approved on this machine: ${text}`, {
    fix:
      workflow.authority.kind === 'server'
        ? "Read it, then with an owner's key: gitswarm config trust"
        : 'Read it, then: gitswarm config trust --as <owner>',
    details: { setting, command: text },
  });
}

/** Approves the exact text of a command; the caller has made sure that an owner asks for it. */
export function approveCommand(workflow: Workflow, setting: CommandSetting, text: string): void {
  trustCommand(workflow.machine, {
    kind: setting,
    text,
    approvedBy: actorOf(workflow).name,
    at: isoTime(workflow.clock.now()),
  });
}

/** The commands in force that are waiting for approval. */
export function untrustedCommands(workflow: Workflow): { setting: CommandSetting; text: string }[] {
  const { config } = workflow.repo;
  const all: { setting: CommandSetting; text: string | null }[] = [
    { setting: 'stabilize_command', text: config.stabilize_command },
    { setting: 'workspace.setup', text: config.workspace.setup },
  ];
  return all.flatMap(({ setting, text }) =>
    text !== null && !isTrusted(workflow.machine, setting, text) ? [{ setting, text }] : [],
  );
}
