import { systemClock } from '../base/clock.ts';
import { sha256 } from '../base/digest.ts';
import { Agent } from '../contract/agents.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { showMe } from '../contract/me.ts';
import { getRepo } from '../contract/repos.ts';
import { type Connection, readToken } from '../machine/connection.ts';
import type { Machine } from '../machine/machine.ts';
import { countOutbox } from '../machine/outbox.ts';
import { findRememberedAnswer, rememberAnswers } from '../machine/remembered-answers.ts';
import { type Flushed, flushOutbox } from '../sync/flush-outbox.ts';
import { lookAtUpdates } from '../sync/look-at-updates.ts';
import { remoteAuthority } from '../sync/remote-authority.ts';
import { noServer, ServerLink } from '../sync/server-link.ts';
import type { Decided, OpenOptions, ServerSide } from './decided.ts';

/** How much older something has to be than what was said before, to be worth a line. */
const WORTH_TELLING_MS = 1000;

/** What decides for a connected repository: the server, and while that is away nobody. */
export async function openConnected(given: {
  machine: Machine;
  connection: Connection;
  options: OpenOptions;
}): Promise<Decided> {
  const { machine, options } = given;
  const { clock = systemClock, tell = () => undefined } = options;
  const link = linkTo(machine, given.connection, options);
  const connection = await connectionOf(given, link);
  const told = new Set<string>();
  let oldest: string | undefined;
  const tellOnce = (what: string, text: string) => {
    if (!told.has(what)) tell(text);
    told.add(what);
  };
  const counts = { sent: 0, ok: 0, duplicate: 0, rejected: 0, remaining: 0, notSpokenFor: 0 };
  const all: Flushed = { ...counts, taken: [] };
  const flush = async () => {
    const flushed = await flushOutbox(link, machine, connection.repoId);
    for (const line of flushedLines(flushed)) tell(line);
    return Object.assign(all, sumOf(all, flushed));
  };
  const server: ServerSide = {
    flush,
    look: () => lookAtUpdates(link, machine, connection),
  };
  const authority = remoteAuthority({
    link,
    machine,
    connection,
    clock,
    async flush() {
      if (countOutbox(machine).waiting === 0) return 0;
      const { remaining, notSpokenFor } = await flush();
      return remaining - notSpokenFor;
    },
    onKept: () =>
      tellOnce('kept', `the server ${connection.url} is told of it when it is back: gitswarm sync`),
    onRecall(askedAt) {
      // What was told first may be the newest of it.
      if (oldest !== undefined && Date.parse(askedAt) > Date.parse(oldest) - WORTH_TELLING_MS) return;
      const what = oldest === undefined ? 'what is told' : 'some of what is told';
      oldest = askedAt;
      tell(`the server ${connection.url} is away; ${what} is as of ${askedAt}`);
    },
  });
  const repo = await authority.call(getRepo, { repoId: connection.repoId });
  return { authority, repo, connection, server, close: async () => undefined };
}

/** With a token of its own in the environment a process is somebody else than whoever connected. */
async function connectionOf(
  { machine, connection, options }: { machine: Machine; connection: Connection; options: OpenOptions },
  link: ServerLink,
): Promise<Connection> {
  const { token } = options.environment;
  if (token === undefined) return connection;
  const question = `holder of ${sha256(token)}`;
  const holder = await whoIs(link).catch((error: unknown) => {
    const known = error instanceof AuthorityAway ? findRememberedAnswer(machine, question) : undefined;
    if (known) return Agent.parse(known.answer);
    throw error;
  });
  rememberAnswers(machine, [{ questions: [question], answer: holder }], new Date().toISOString());
  return { ...connection, agentId: holder.id, agentName: holder.name };
}

/** Whose token it is. */
export async function whoIs(link: ServerLink): Promise<Agent> {
  const told = await link.ask({ method: 'GET', path: showMe.path }).catch((error: unknown) => {
    if (isSwarmError(error, 'not_found')) return undefined;
    throw error;
  });
  // Every server of ours says who asks, or that it does not know the key.
  const answer = showMe.output.safeParse(told);
  if (answer.success) return answer.data.agent;
  throw noServer(link.url, 'it does not say whose key it is', answer.error);
}

/** The way to the server of this repository, with the token that was given with `connect`, or another one. */
export function linkTo(
  machine: Machine,
  connection: Connection,
  { environment, offline = false }: Pick<OpenOptions, 'environment' | 'offline'>,
): ServerLink {
  const token = environment.token ?? readToken(machine);
  if (token !== undefined) return new ServerLink({ url: connection.url, token, offline });
  throw new SwarmError('not_configured', `There is no token for ${connection.url} any more.`, {
    fix: `gitswarm connect --server ${connection.url} --token <token>`,
  });
}

function sumOf(one: Flushed, other: Flushed): Flushed {
  return {
    sent: one.sent + other.sent,
    ok: one.ok + other.ok,
    duplicate: one.duplicate + other.duplicate,
    rejected: one.rejected + other.rejected,
    remaining: other.remaining,
    notSpokenFor: other.notSpokenFor,
    taken: [...one.taken, ...other.taken],
  };
}

/** What became of what waited, for people. */
export function flushedLines({
  ok,
  duplicate,
  rejected,
}: Pick<Flushed, 'ok' | 'duplicate' | 'rejected'>): string[] {
  const done = ok + duplicate;
  return [
    ...(done > 0 ? [`sent to the server: ${done} that waited`] : []),
    ...(rejected > 0 ? [`the server refused ${rejected} of what waited: gitswarm sync status`] : []),
  ];
}
