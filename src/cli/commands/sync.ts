import { withConnection } from '../../app/disconnect.ts';
import { isId } from '../../base/ids.ts';
import { plainLine } from '../../base/plain-text.ts';
import { isSwarmError, SwarmError } from '../../contract/errors.ts';
import { resolveCommit } from '../../git/refs.ts';
import { countOutbox, type OutboxEntry, takeOut, waitAgain } from '../../machine/outbox.ts';
import { fastForwardTarget } from '../../workflows/fast-forward-target.ts';
import { intake } from '../../workflows/plain-landings.ts';
import { fetchRemote } from '../../workflows/push.ts';
import { withQueue } from '../../workflows/queue-lock.ts';
import { recover } from '../../workflows/recover.ts';
import { actorOf, targetTip, type Workflow } from '../../workflows/workflow.ts';
import type { Answer, Command } from '../command.ts';
import { streamHandle } from '../keep-in-step.ts';
import { meetOthers } from '../meet-others.ts';
import { count, relativeTime } from '../output/hints.ts';
import { table } from '../output/table.ts';
import type { Session } from '../session.ts';
import { syncLines, syncWithServer } from '../sync-with-server.ts';
import { connectAnswer } from './connect.ts';

const sync: Command = {
  name: 'sync',
  summary: "Bring server, remote and clone in step; without a server, take in the target's upstream.",
  actor: (_args, options) => (options.server === undefined ? 'author' : 'nobody'),
  options: [
    { flags: '--no-fetch', summary: 'only take in what is here already' },
    { flags: '--server <url>', summary: 'connect first' },
    { flags: '--token <key>', summary: 'your key there' },
  ],
  async run(session, _args, options) {
    if (options.server !== undefined) return connectAnswer(session, options);
    const app = await session.app();
    const workflow = await session.workflow();
    actorOf(workflow);
    await recover(workflow);
    const fetches = options.fetch !== false && !session.flags.offline;
    if (fetches) await meetOthers(workflow);
    const remote = fetches ? await fetchRemote(workflow) : undefined;
    const target = await followUpstream(workflow);
    if (target.inTheWay !== undefined) session.output.note(`warning: ${plainLine(target.inTheWay)}`);
    const taken = await withQueue(workflow, () => intake(workflow));
    const server = app.server ? await syncWithServer(app, workflow, { fetched: fetches }) : null;
    const buffer = await resolveCommit(workflow.git, `refs/heads/${workflow.repo.bufferBranch}`);
    return {
      data: { remote: remote ?? null, target, intake: taken.kind, buffer, server },
      exit: taken.kind === 'conflict' ? 5 : server && server.rejected > 0 ? 6 : 0,
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
          ...(server ? syncLines(server) : []),
        ].join('\n'),
      next:
        taken.kind === 'taken_in'
          ? 'gitswarm stabilize'
          : server && server.rejected > 0
            ? 'gitswarm sync status'
            : undefined,
    };
  },
};

/** A target that cannot follow keeps only a promotion from going on: it is told, and everything else is done. */
async function followUpstream(
  workflow: Workflow,
): Promise<Awaited<ReturnType<typeof fastForwardTarget>> & { inTheWay?: string }> {
  try {
    return await fastForwardTarget(workflow);
  } catch (error) {
    if (!isSwarmError(error, 'target_checked_out')) throw error;
    const why = 'behind its upstream; edits are in the way';
    return { moved: false, commit: await targetTip(workflow), why, inTheWay: error.message };
  }
}

const place = (session: Session) => ({ dir: session.flags.dir, environment: session.environment });

const status: Command = {
  name: 'sync status',
  summary: 'What waits for the server, and what it has refused. Works without it.',
  actor: 'nobody',
  run: (session) =>
    withConnection(place(session), ({ machine, connection, entries }) => {
      const { waiting, rejected } = countOutbox(machine);
      const shown = entries.map(({ seq, operation, actorId, state, attempts, error, createdAt }) => ({
        seq,
        operation,
        actorId,
        state,
        attempts,
        error,
        createdAt,
      }));
      const { url, repoId, agentId, agentName, remote, lookedAt } = connection;
      return {
        data: {
          server: url,
          repoId,
          agent: { id: agentId, name: agentName },
          remote,
          lookedAt,
          waiting,
          rejected,
          entries: shown,
        },
        text: () =>
          [
            `${url}, as ${plainLine(agentName)}: ${count(waiting, 'call')} waiting, ${rejected} refused`,
            ...(entries.length > 0 ? [entryTable(session, entries)] : []),
          ].join('\n'),
        next: rejected > 0 ? 'gitswarm sync retry' : waiting > 0 ? 'gitswarm sync flush' : undefined,
      } satisfies Answer;
    }),
};

function entryTable(session: Session, entries: readonly OutboxEntry[]): string {
  return table(
    entries,
    [
      { title: 'SEQ', value: (each) => String(each.seq), align: 'right' },
      { title: 'WHEN', value: (each) => relativeTime(each.createdAt, Date.now()) },
      { title: 'STATE', value: (each) => each.state },
      { title: 'WHAT', value: (each) => each.operation },
      { title: 'ABOUT', value: aboutWhat },
      { title: 'WHY', value: (each) => plainLine(each.error?.message ?? ''), canShrink: true },
    ],
    { width: session.output.width },
  );
}

/** What a call is about, as people know it. */
function aboutWhat({ input }: OutboxEntry): string {
  const stream = input.stream ?? (input.baseCommit === undefined ? undefined : input.id);
  if (typeof stream === 'string') return isId(stream) ? streamHandle(stream) : plainLine(stream);
  const named = [input.task, input.claim, input.title, input.proposal, input.agent].find(
    (each) => typeof each === 'string',
  );
  if (named === undefined) return '';
  return isId(String(named)) ? String(named).slice(0, 8) : plainLine(String(named)).slice(0, 30);
}

const flush: Command = {
  name: 'sync flush',
  summary: 'Send what waits for the server.',
  actor: 'reader',
  run: (session) => flushAnswer(session),
};

async function flushAnswer(session: Session): Promise<Answer> {
  const { server } = await session.app();
  if (!server)
    throw new SwarmError('not_configured', 'This repository is not connected to a server.', {
      fix: 'gitswarm connect --server <url> --token <key>',
    });
  const { taken, ...flushed } = await server.flush();
  return {
    data: flushed,
    exit: flushed.rejected > 0 ? 6 : 0,
    text: () => {
      const { ok, duplicate, rejected } = flushed;
      const lines = [
        ...(ok + duplicate > 0 ? [`${ok} done, ${duplicate} had been done`] : []),
        ...(rejected > 0 ? [`${rejected} refused: gitswarm sync status`] : []),
      ];
      if (flushed.remaining > 0) lines.push(`${count(flushed.remaining, 'call')} still waiting`);
      return lines.length === 0 ? 'Nothing waits.' : lines.join('\n');
    },
    next: taken.includes('merge.request') ? 'gitswarm queue run' : undefined,
  };
}

const retry: Command = {
  name: 'sync retry',
  summary: 'Send again what the server has refused: all of it, or one.',
  args: '[seq]',
  actor: 'reader',
  async run(session, [seq]) {
    const again = await withConnection(place(session), ({ machine }) => waitAgain(machine, placeOf(seq)));
    if (seq !== undefined && again === 0) throw noEntry(seq);
    return flushAnswer(session);
  },
};

const drop: Command = {
  name: 'sync drop',
  summary: 'Give up what waits for the server or was refused by it.',
  args: '<seq>',
  actor: 'nobody',
  run: (session, [seq = '']) =>
    withConnection(place(session), ({ machine, entries }) => {
      const entry = entries.find((each) => each.seq === placeOf(seq));
      if (!entry || !takeOut(machine, entry.seq)) throw noEntry(seq);
      return {
        data: { dropped: entry },
        text: () =>
          `dropped ${entry.seq}: ${entry.operation} ${plainLine(JSON.stringify(entry.input)).slice(0, 200)}`,
      };
    }),
};

function placeOf(seq: string | undefined): number | undefined {
  if (seq === undefined || /^\d{1,15}$/.test(seq)) return seq === undefined ? undefined : Number(seq);
  throw noEntry(seq);
}

function noEntry(seq: string): SwarmError {
  return new SwarmError('not_found', `There is no entry "${seq}" in the outbox that this is meant for.`, {
    fix: 'gitswarm sync status',
  });
}

export const commands = [sync, status, flush, retry, drop];
