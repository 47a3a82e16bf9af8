import type { App } from '../../app/open-app.ts';
import { plainLine } from '../../base/plain-text.ts';
import { listAgents } from '../../contract/agents.ts';
import { listEvents } from '../../contract/events.ts';
import type { Connection } from '../../machine/connection.ts';
import { countOutbox } from '../../machine/outbox.ts';
import { reportStatus, type StatusReport } from '../../workflows/status-report.ts';
import type { Answer, Command } from '../command.ts';
import { flagOption } from '../options.ts';
import { commandText, count, relativeTime } from '../output/hints.ts';
import type { Style } from '../output/style-text.ts';
import { table } from '../output/table.ts';
import { patiently } from '../patiently.ts';
import type { Session } from '../session.ts';

const status: Command = {
  name: 'status',
  summary: 'What goes on in this repository, and what waits for whom.',
  actor: 'reader',
  options: [{ flags: '--watch', summary: 'show it again whenever something happens, until Ctrl-C' }],
  async run(session, _args, options) {
    if (!flagOption(options, 'watch')) return answer(session);
    await watch(session);
    // What was watched has been seen; programs get the last state.
    return { ...(await answer(session)), text: () => '', next: undefined };
  },
};

async function answer(session: Session): Promise<Answer> {
  const workflow = await session.workflow();
  const app = await session.app();
  const { isReadOnly, connection } = app;
  const report = await reportStatus(workflow, { readOnly: isReadOnly });
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
    text: () => shownText(session, app, report),
    next:
      forWhom(
        attention.find(
          // With a server others act with keys of their own.
          (item) => item.kind !== 'task' && (!connection || item.agentName === workflow.actor?.name),
        ),
        workflow.actor?.name,
      ) ?? (report.tasks.ready > 0 ? 'gitswarm task next --claim' : undefined),
  };
}

/** With a server its line stands second. */
function shownText(session: Session, { connection, machine, clock }: App, report: StatusReport): string {
  const [name = '', ...lines] = statusText(report, lookOf(session, clock.now())).split('\n');
  const decides = connection ? [serverLine(connection, countOutbox(machine))] : [];
  return [name, ...decides, ...lines].join('\n');
}

function serverLine(
  { url, agentName }: Connection,
  { waiting, rejected }: { waiting: number; rejected: number },
): string {
  const calls = [
    ...(waiting > 0 ? [`${count(waiting, 'call')} waiting`] : []),
    ...(rejected > 0 ? [`${rejected} refused: gitswarm sync status`] : []),
  ];
  return [`server   ${url}, as ${plainLine(agentName)}`, ...calls].join('; ');
}

interface Look {
  style: Style;
  width: number | undefined;
  now: number;
}

function lookOf({ output }: Session, now: number): Look {
  return { style: output.style, width: output.width, now };
}

/** What is for somebody else is done in their name. */
function forWhom(item: StatusReport['attention'][number] | undefined, me: string | undefined) {
  if (!item?.agentName || item.agentName === me || item.next.includes(' --as ')) return item?.next;
  return `${item.next} ${commandText(['--as', item.agentName])}`;
}

const MOST_CLASHES = 5;
const MOST_WAITING = 20;

function statusText(report: StatusReport, look: Look): string {
  const { style, now } = look;
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
  for (const { streams: pair, files } of report.clashes.slice(0, MOST_CLASHES)) {
    const names = pair.map(({ handle }) => handle).join(' and ');
    lines.push(style.yellow(`clash    ${names} in ${plainLine(files.slice(0, 3).join(', '))}`));
  }
  if (report.clashes.length > MOST_CLASHES)
    lines.push(`         and ${report.clashes.length - MOST_CLASHES} more pairs`);
  for (const line of report.moved) lines.push(style.yellow(`note     ${plainLine(line)}`));
  const waiting = report.attention.filter((item) => item.kind !== 'task');
  if (waiting.length > 0) {
    lines.push(
      '',
      table(
        waiting.slice(0, MOST_WAITING),
        [
          { title: 'NEEDS', value: (item) => (item.agentName ? plainLine(item.agentName) : 'a reviewer') },
          { title: 'STREAM', value: (item) => item.subject.handle },
          { title: 'WHAT', value: (item) => plainLine(item.subject.title), canShrink: true },
          { title: 'WHY', value: (item) => item.text },
          { title: 'THEN', value: (item) => item.next },
        ],
        { width: look.width },
      ),
    );
  }
  if (waiting.length > MOST_WAITING) lines.push(`and ${waiting.length - MOST_WAITING} more that wait`);
  if (report.attentionOmitted > 0)
    lines.push(`and ${count(report.attentionOmitted, 'open stream')} more than are looked at here`);
  return lines.join('\n');
}

function colour(style: Style, result: string): string {
  if (result === 'green') return style.green(result);
  return result === 'red' ? style.red(result) : style.yellow(result);
}

const LOOK_EVERY_MS = 1000;

/** Shows the state again whenever the event log has grown: in place on a terminal, below the one before elsewhere. */
async function watch(session: Session): Promise<void> {
  const workflow = await session.workflow();
  const app = await session.app();
  const screen = session.output.live();
  const rows = process.stderr.rows ?? 24;
  let seen = -1;
  while (!session.signal.aborted) {
    const look = await patiently(session, async () => {
      const { items } = await workflow.authority.call(listEvents, { repoId: workflow.repo.id, limit: 1 });
      const newest = items[0]?.seq ?? 0;
      return newest === seen
        ? { newest }
        : { newest, report: await reportStatus(workflow, { readOnly: true }) };
    });
    if (look?.report) {
      seen = look.newest;
      const text = shownText(session, app, look.report);
      if (screen) screen.draw(text.split('\n').slice(0, rows - 1));
      else session.output.note(`\n${text}`);
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
