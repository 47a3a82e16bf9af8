import { listPromotions } from '../../contract/stabilizations.ts';
import { promote } from '../../workflows/promote.ts';
import { push, remoteOf } from '../../workflows/push.ts';
import { recover } from '../../workflows/recover.ts';
import type { Command, Options } from '../command.ts';
import { flagOption, textOption } from '../options.ts';
import { relativeTime } from '../output/hints.ts';
import { requireNetwork } from '../require-network.ts';
import type { Session } from '../session.ts';
import { historyCommand } from './history.ts';

const options = [
  { flags: '--tag <tag>', summary: 'a green tag instead of the newest green commit' },
  { flags: '--plan', summary: 'say what would move, and move nothing' },
  { flags: '--push', summary: 'push buffer and target afterwards' },
];

async function run(session: Session, _args: string[], given: Options) {
  const workflow = await session.workflow();
  await recover(workflow);
  const plan = flagOption(given, 'plan');
  if (flagOption(given, 'push')) requireNetwork(session);
  const result = await promote(workflow, { tag: textOption(given, 'tag'), plan });
  const pushes =
    !plan &&
    (flagOption(given, 'push') ||
      (workflow.repo.config.push === 'auto' && result.promoted && !session.flags.offline));
  const pushed = pushes ? await push(workflow) : [];
  // Where clones meet in a remote it moved there first.
  const remote = result.promoted && !pushes && !workflow.shared ? await remoteOf(workflow) : undefined;
  const way = `${result.to} ${result.fromCommit.slice(0, 10)} -> ${result.toCommit.slice(0, 10)}`;
  return {
    data: { ...result, pushed },
    text: () => {
      if (plan && result.fromCommit !== result.toCommit) return `would move ${way}`;
      if (!result.promoted)
        return `${result.to} is at the newest ${result.untested ? '' : 'green '}commit already`;
      return `promoted ${way}${result.untested ? '  (untested: there is no stabilize_command)' : ''}`;
    },
    next: remote ? `git push ${remote} ${result.to}` : undefined,
  };
}

const history = historyCommand({
  name: 'promote history',
  summary: 'Earlier promotions, newest first.',
  none: 'Nothing has been promoted yet.',
  async list({ authority, repo }, limit) {
    return (await authority.call(listPromotions, { repoId: repo.id, limit })).items;
  },
  columns: (now) => [
    { title: 'TO', value: (each) => each.to },
    { title: 'COMMIT', value: (each) => each.toCommit.slice(0, 10) },
    { title: 'WHEN', value: (each) => relativeTime(each.promotedAt, now) },
    { title: 'BY', value: (each) => each.triggeredBy },
    { title: 'TESTED', value: (each) => (each.untested ? 'no' : 'green') },
  ],
});

const summary = 'Move the target to the newest green commit of the buffer: forward only, never past it.';
export const commands: Command[] = [
  { name: 'promote', summary, actor: 'author', options, run },
  { name: 'promote run', summary, actor: 'author', options, run },
  history,
];
