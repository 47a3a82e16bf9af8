import { plainLine } from '../../base/plain-text.ts';
import { listAgents } from '../../contract/agents.ts';
import { listEvents } from '../../contract/events.ts';
import { reportStatus, type StatusReport } from '../../workflows/status-report.ts';
import type { Answer, Command } from '../command.ts';
import { flagOption } from '../options.ts';
import { count, relativeTime } from '../output/hints.ts';
import type { Style } from '../output/style-text.ts';
import { table } from '../output/table.ts';
import type { Session } from '../session.ts';

const status: Command = {
  name: 'status',
  summary: 'What goes on in this repository, and what waits for whom.',
  actor: 'reader',
  options: [{ flags: '--watch', summary: 'show it again whenever something happens, until Ctrl-C' }],
  async run(session, _args, options) {
    if (flagOption(options, 'watch')) await watch(session);
    return answer(session);
  },
};

async function answer(session: Session): Promise<Answer> {
  const workflow = await session.workflow();
  const report = await reportStatus(workflow);
  const { items: agents } = await workflow.authority.call(listAgents, { limit: 200 });
  for (const warning of report.warnings) session.output.note(`warning: ${warning}`);
  for (const repair of report.repairs)
    session.output.note(`mended: ${repair.what} ${repair.subject}: ${repair.done}`);
  const { repo, attention } = report;
  return {
    data: {
      ...report,
      repo: {
        id: repo.id,
        name: repo.name,
        mergeMode: repo.mergeMode,
        ownershipModel: repo.ownershipModel,
        bufferBranch: repo.bufferBranch,
        promoteTarget: repo.promoteTarget,
      },
      mode: repo.authority,
      authority: repo.authority,
      agents: agents.map(({ id, handle, name, kind, status: state }) => ({
        id,
        handle,
        name,
        kind,
        status: state,
      })),
    },
    text: () => statusText(report, session.output.style, workflow.clock.now()),
    next: attention[0]?.next ?? (report.tasks.ready > 0 ? 'gitswarm task next --claim' : undefined),
  };
}

function statusText(report: StatusReport, style: Style, now: number): string {
  const { repo, streams, tasks, queue, buffer, lastStabilization, lastPromotion } = report;
  const open = Object.entries(streams).filter(
    ([state, n]) => n > 0 && state !== 'merged' && state !== 'abandoned',
  );
  const lines = [
    `${style.bold(plainLine(repo.name))}  ${repo.mergeMode} mode, ${repo.ownershipModel} ownership`,
    `buffer   ${repo.bufferBranch} @ ${buffer.commit?.slice(0, 10) ?? 'gone'}, ${count(buffer.aheadOfTarget, 'commit')} ahead of ${repo.promoteTarget}`,
    `tested   ${lastStabilization ? `${colour(style, lastStabilization.result)} ${relativeTime(lastStabilization.stabilizedAt, now)} @ ${lastStabilization.commit.slice(0, 10)}` : 'never'}`,
    `promoted ${lastPromotion ? `${relativeTime(lastPromotion.promotedAt, now)} @ ${lastPromotion.toCommit.slice(0, 10)}` : 'never'}`,
    `streams  ${open.length === 0 ? 'none open' : open.map(([state, n]) => `${n} ${state.replace('_', ' ')}`).join(', ')}; ${streams.merged} landed`,
    `tasks    ${tasks.ready} ready, ${tasks.open - tasks.ready} waiting, ${tasks.claimed} claimed, ${tasks.submitted} submitted, ${tasks.completed} done`,
    `queue    ${queue.length === 0 ? 'empty' : count(queue.length, 'stream')}${queue.paused ? ', paused' : ''}${queue.frozenReason ? `, frozen: ${plainLine(queue.frozenReason)}` : ''}`,
  ];
  for (const line of report.moved) lines.push(style.yellow(`note     ${plainLine(line)}`));
  if (report.attention.length > 0) {
    lines.push(
      '',
      table(report.attention.slice(0, 20), [
        { title: 'NEEDS', value: (item) => (item.agentName ? plainLine(item.agentName) : 'a reviewer') },
        { title: 'STREAM', value: (item) => item.subject.handle },
        { title: 'WHAT', value: (item) => plainLine(item.subject.title), canShrink: true },
        { title: 'WHY', value: (item) => item.text },
        { title: 'THEN', value: (item) => item.next },
      ]),
    );
  }
  return lines.join('\n');
}

function colour(style: Style, result: string): string {
  if (result === 'green') return style.green(result);
  return result === 'red' ? style.red(result) : style.yellow(result);
}

const LOOK_EVERY_MS = 1000;

/** Prints the state again whenever the event log has grown. */
async function watch(session: Session): Promise<void> {
  const workflow = await session.workflow();
  let seen = -1;
  while (!session.signal.aborted) {
    const { items } = await workflow.authority.call(listEvents, { repoId: workflow.repo.id, limit: 1 });
    const newest = items[0]?.seq ?? 0;
    if (newest !== seen) {
      seen = newest;
      const report = await reportStatus(workflow, { readOnly: true });
      session.output.note(`\n${statusText(report, session.output.style, workflow.clock.now())}`);
    }
    await new Promise<void>((done) => {
      const timer = setTimeout(done, LOOK_EVERY_MS);
      session.signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          done();
        },
        { once: true },
      );
    });
  }
}

export const commands = [status];
