import { resolveCommit } from '../../git/refs.ts';
import { fastForwardTarget } from '../../workflows/fast-forward-target.ts';
import { intake } from '../../workflows/plain-landings.ts';
import { fetchRemote } from '../../workflows/push.ts';
import { withQueue } from '../../workflows/queue-lock.ts';
import { recover } from '../../workflows/recover.ts';
import { actorOf } from '../../workflows/workflow.ts';
import type { Command } from '../command.ts';

const sync: Command = {
  name: 'sync',
  summary: "Fetch, and take what the target's upstream has into the target and the buffer.",
  actor: 'author',
  options: [{ flags: '--no-fetch', summary: 'only take in what is here already' }],
  async run(session, _args, options) {
    const workflow = await session.workflow();
    actorOf(workflow);
    await recover(workflow);
    const fetches = options.fetch !== false && !session.flags.offline;
    const remote = fetches ? await fetchRemote(workflow) : undefined;
    const target = await fastForwardTarget(workflow);
    const taken = await withQueue(workflow, () => intake(workflow));
    const buffer = await resolveCommit(workflow.git, `refs/heads/${workflow.repo.bufferBranch}`);
    return {
      data: { remote: remote ?? null, target, intake: taken.kind, buffer },
      exit: taken.kind === 'conflict' ? 5 : 0,
      text: () =>
        [
          remote ? `fetched from ${remote}` : 'nothing was fetched',
          target.moved
            ? `${workflow.repo.promoteTarget} moved to ${target.commit.slice(0, 10)}`
            : `${workflow.repo.promoteTarget} is ${target.why}`,
          taken.kind === 'taken_in'
            ? `taken into ${workflow.repo.bufferBranch} @ ${taken.landing.bufferAfter.slice(0, 10)}`
            : taken.kind === 'none'
              ? `${workflow.repo.bufferBranch} has it all`
              : `it clashes with ${workflow.repo.bufferBranch} in ${taken.files.join(', ')}: task ${taken.taskHandle}`,
        ].join('\n'),
      next: taken.kind === 'taken_in' ? 'gitswarm stabilize' : undefined,
    };
  },
};

export const commands = [sync];
