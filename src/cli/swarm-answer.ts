import { plainLine } from '../base/plain-text.ts';
import { exitCodeOf } from '../contract/errors.ts';
import type { SwarmReport, TaskOutcome } from '../workflows/swarm/swarm-run.ts';
import type { Answer } from './command.ts';
import { count } from './output/hints.ts';
import type { Style } from './output/style-text.ts';
import { table } from './output/table.ts';

/** What a swarm has to say when it has ended. */
export function swarmAnswer(report: SwarmReport, style: Style): Answer {
  const { tasks, stabilizations, promotion, stopped, trusted } = report;
  return {
    data: {
      tasks: tasks.map(({ taskId, streamId, ...rest }) => ({
        ...rest,
        task: taskId,
        stream: streamId,
        streamHandle: rest.stream,
      })),
      totals: totalsOf(tasks),
      stabilizations: stabilizations.map(({ result, commit, tag, culprit, task, healed, reason }) => ({
        result,
        commit,
        tag,
        culprit: culprit?.merge.streamId ?? null,
        taskId: task?.id ?? null,
        healed,
        reason,
      })),
      promotion,
      stopped,
      trustedReviewers: trusted,
    },
    exit: exitOf(report),
    text: () => textOf(report, style),
    next: nextOf(report),
  };
}

function totalsOf(
  tasks: TaskOutcome[],
): Record<TaskOutcome['state'] | 'tasks' | 'attempts' | 'commits', number> {
  const inState = (state: TaskOutcome['state']) => tasks.filter((task) => task.state === state).length;
  return {
    tasks: tasks.length,
    done: inState('done'),
    in_review: inState('in_review'),
    queued: inState('queued'),
    given_back: inState('given_back'),
    interrupted: inState('interrupted'),
    not_started: inState('not_started'),
    attempts: tasks.reduce((sum, task) => sum + task.attempts, 0),
    commits: tasks.reduce((sum, task) => sum + task.commits, 0),
  };
}

/** 0 only where everything chosen is done and promoted; 8 where the time was over, 130 after Ctrl-C, else 6. */
function exitOf({ tasks, promotion, stopped }: SwarmReport): number {
  if (stopped === 'interrupted') return exitCodeOf('interrupted');
  if (stopped === 'time') return exitCodeOf('timed_out');
  const isPromoted = promotion !== null && !('reason' in promotion);
  return tasks.every((task) => task.state === 'done') && isPromoted ? 0 : exitCodeOf('gate_not_met');
}

function textOf({ tasks, stabilizations, promotion, stopped }: SwarmReport, style: Style): string {
  const done = tasks.filter((task) => task.state === 'done').length;
  const lines = [`${done} of ${count(tasks.length, 'task')} done`];
  if (tasks.length > 0) {
    lines.push(
      table(tasks, [
        { title: 'TASK', value: (task) => task.handle },
        { title: 'WHAT', value: (task) => plainLine(task.title), canShrink: true },
        { title: 'STREAM', value: (task) => task.stream ?? '' },
        { title: 'AGENT', value: (task) => task.agent ?? '' },
        { title: 'TRIES', value: (task) => String(task.attempts), align: 'right' },
        { title: 'STATE', value: (task) => task.state.replace('_', ' ') },
        { title: 'WHY', value: (task) => plainLine(task.reason ?? '').slice(0, 120) },
      ]),
    );
  }
  const last = stabilizations.at(-1);
  if (last) lines.push(`buffer   ${last.healed ? 'red, mended' : last.result} @ ${last.commit.slice(0, 10)}`);
  if (promotion && 'reason' in promotion)
    lines.push(style.yellow(`not promoted: ${plainLine(promotion.reason)}`));
  else if (promotion) {
    const way = `${promotion.to} ${promotion.fromCommit.slice(0, 10)} -> ${promotion.toCommit.slice(0, 10)}`;
    lines.push(promotion.promoted ? `promoted ${way}` : `${promotion.to} was up to date`);
  }
  if (stopped === 'time') lines.push('The time was over; what was begun is kept.');
  if (stopped === 'interrupted') lines.push('Interrupted; what was begun is kept.');
  return lines.join('\n');
}

function nextOf({ tasks, stopped }: SwarmReport): string | undefined {
  if (stopped !== 'finished') return 'gitswarm swarm …   (the same again goes on where this stopped)';
  if (tasks.some((task) => task.state === 'in_review')) return 'gitswarm review next';
  const given = tasks.find((task) => task.state === 'given_back');
  if (given) return given.agent ? `gitswarm swarm logs ${given.agent}` : `gitswarm task show ${given.handle}`;
  return undefined;
}
