import { initApp } from '../../app/init-app.ts';
import { plainLine } from '../../base/plain-text.ts';
import { MergeMode, OwnershipModel } from '../../contract/repo-files.ts';
import type { Command } from '../command.ts';
import { askYesNo, canAsk } from '../confirm.ts';
import { exactText } from '../offer-trust.ts';
import { textOption } from '../options.ts';
import { commandText } from '../output/hints.ts';
import type { Session } from '../session.ts';

const init: Command = {
  name: 'init',
  summary: 'Make this git repository a GitSwarm repository. A second time changes nothing.',
  actor: 'nobody',
  options: [
    { flags: '--name <name>', summary: 'name of the repository (else its folder)' },
    { flags: '--mode <mode>', summary: 'how work lands', choices: MergeMode.options },
    { flags: '--model <model>', summary: 'whose verdicts count', choices: OwnershipModel.options },
    { flags: '--owner <name>', summary: "the owner (else git's user.name)" },
    { flags: '--buffer <branch>', summary: 'integration branch (default: buffer)' },
    { flags: '--target <branch>', summary: 'branch to promote to (default: the current one)' },
    { flags: '--stabilize <command>', summary: 'the command that tests the buffer' },
  ],
  examples: ['gitswarm init', 'gitswarm init --mode swarm --stabilize "npm test"'],
  async run(session, _args, options) {
    const result = await initApp({
      dir: session.flags.dir,
      environment: session.environment,
      request: {
        name: textOption(options, 'name'),
        mode: textOption(options, 'mode') as MergeMode | undefined,
        model: textOption(options, 'model') as OwnershipModel | undefined,
        owner: textOption(options, 'owner'),
        buffer: textOption(options, 'buffer'),
        target: textOption(options, 'target'),
        stabilize: textOption(options, 'stabilize'),
        acceptStabilize: (command) => accept(session, command),
      },
    });
    const { repo, owner, created, proposedStabilize } = result;
    const needsReviewer = repo.mergeMode !== 'swarm' && repo.ownershipModel !== 'solo';
    return {
      data: {
        repo: {
          id: repo.id,
          name: repo.name,
          mergeMode: repo.mergeMode,
          ownershipModel: repo.ownershipModel,
          bufferBranch: repo.bufferBranch,
          promoteTarget: repo.promoteTarget,
        },
        owner: { id: owner.id, name: owner.name },
        created,
        configFile: result.configFile,
        proposedStabilize,
      },
      text: () => {
        const name = plainLine(repo.name);
        if (!created) return `${name} is a GitSwarm repository already; nothing was changed.`;
        const lines = [
          `${name} is a GitSwarm repository now: ${repo.mergeMode} mode, ${repo.ownershipModel} ownership.`,
          `  owner    ${plainLine(owner.name)}`,
          `  buffer   ${repo.bufferBranch}  promoted to ${repo.promoteTarget}`,
        ];
        if (result.configFile) lines.push(`  settings ${result.configFile} (commit it when you like it)`);
        if (repo.config.stabilize_command)
          lines.push(`  tests    ${plainLine(repo.config.stabilize_command)}`);
        if (proposedStabilize) {
          lines.push(
            `  tests    none yet; it looks like: gitswarm config set stabilize_command ${commandText([proposedStabilize])}`,
          );
        }
        if (needsReviewer) {
          lines.push(
            `${plainLine(owner.name)} is the only maintainer: streams of the owner find no reviewer until you run`,
            '  gitswarm repo maintainer add <agent>',
          );
        }
        return lines.join('\n');
      },
      undo: created ? 'gitswarm uninit' : undefined,
      next: created ? 'gitswarm agent register <name>' : 'gitswarm status',
    };
  },
};

/** Only a person at the terminal is asked; without one the command is proposed in the answer. */
async function accept(session: Session, command: string): Promise<boolean> {
  if (session.flags.yes) return true;
  return canAsk(session) && askYesNo(session, `Found: ${exactText(command)}\nTest the buffer with it?`, true);
}

export const commands = [init];
