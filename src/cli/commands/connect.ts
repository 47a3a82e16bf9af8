import { connectApp } from '../../app/connect.ts';
import { disconnectApp } from '../../app/disconnect.ts';
import { plainLine } from '../../base/plain-text.ts';
import { isSwarmError, SwarmError } from '../../contract/errors.ts';
import type { Answer, Command, Options } from '../command.ts';
import { meetOthers } from '../meet-others.ts';
import { flagOption, textOption } from '../options.ts';
import { count } from '../output/hints.ts';
import type { Session } from '../session.ts';
import { syncLines, syncWithServer } from '../sync-with-server.ts';

const connect: Command = {
  name: 'connect',
  summary: 'Let a server decide for this repository; the clone stays here.',
  actor: 'nobody',
  options: [
    { flags: '--server <url>', summary: 'its address: https://swarm.example' },
    { flags: '--token <key>', summary: 'your key there (else GITSWARM_TOKEN)' },
    { flags: '--repo <repo>', summary: 'the repository there: name, handle or id' },
    { flags: '--new', summary: 'make another one there, even if this name is taken' },
    {
      flags: '--remote <name>',
      summary: 'the git remote in which the clones meet (else the only one, or origin)',
    },
    { flags: '--insecure', summary: 'send the key over a network in the clear' },
  ],
  examples: ['gitswarm connect --server https://swarm.example --token gsw_…'],
  run: (session, _args, options) => connectAnswer(session, options),
};

/** Also what `sync --server … --token …` does. */
export async function connectAnswer(session: Session, options: Options): Promise<Answer> {
  const server = textOption(options, 'server');
  const token = textOption(options, 'token') ?? session.environment.token;
  if (server === undefined || token === undefined)
    throw new SwarmError('usage', `${server === undefined ? '--server' : '--token'} is missing.`, {
      fix: 'gitswarm connect --server <url> --token <key>',
    });
  const made = await connectApp({
    dir: session.flags.dir,
    environment: session.environment,
    request: {
      server,
      token,
      repo: textOption(options, 'repo'),
      isNew: flagOption(options, 'new'),
      remote: textOption(options, 'remote'),
      insecure: flagOption(options, 'insecure'),
    },
  });
  const { connection, repo, agent, registered, carriedOver, spokenFor } = made;
  const app = await session.app();
  const workflow = app.workflow({ actor: agent, notify: (text) => session.output.progress(text) });
  // What landed here is what others build on; where it cannot be published now, the next sync does it.
  const fetched = await meetOthers(workflow).then(
    () => true,
    (error: unknown) => {
      if (!isSwarmError(error)) throw error;
      session.output.note(`not in step with the other clones yet: ${plainLine(error.message)}`);
      return false;
    },
  );
  const synced = await syncWithServer(app, workflow, { fetched });
  return {
    data: {
      server: connection.url,
      repo: { id: repo.id, handle: repo.handle, name: repo.name, orgId: repo.orgId },
      agent: { id: agent.id, handle: agent.handle, name: agent.name },
      remote: connection.remote,
      registered,
      carriedOver,
      spokenFor,
      sync: synced,
    },
    text: () =>
      [
        `${plainLine(repo.name)} (${repo.handle}) is decided by ${connection.url} now; you are ${plainLine(agent.name)} there.`,
        registered ? '  it was made there just now, and you own it' : '  it was there already',
        connection.remote === null
          ? '  clone    this is the only one: there is no git remote'
          : `  clones   meet in ${plainLine(connection.remote)}`,
        ...(carriedOver.tasks + carriedOver.streams > 0
          ? [`  carried  ${count(carriedOver.tasks, 'task')}, ${count(carriedOver.streams, 'stream')}`]
          : []),
        ...(spokenFor.length > 0
          ? [
              `  the token cannot speak for ${spokenFor.map(plainLine).join(', ')}: their work is recorded as yours`,
            ]
          : []),
        ...syncLines(synced).map((line) => `  ${line}`),
      ].join('\n'),
    undo: 'gitswarm disconnect',
    next: 'gitswarm status',
  };
}

const disconnect: Command = {
  name: 'disconnect',
  summary: "Forget the server and the key on this machine; the repository stays the server's.",
  actor: 'nobody',
  options: [{ flags: '--force', summary: 'even with calls that were not sent; they are kept in a file' }],
  async run(session, _args, options) {
    const force = flagOption(options, 'force');
    const given = { dir: session.flags.dir, environment: session.environment };
    const { connection, keptIn } = await disconnectApp(given, { force });
    return {
      data: { server: connection.url, repoId: connection.repoId, keptIn },
      text: () =>
        [
          `not connected to ${connection.url} any more; nothing can be decided here until it is again`,
          ...(keptIn === null ? [] : [`  what was not sent is kept in ${keptIn}`]),
        ].join('\n'),
      next: `gitswarm connect --server ${connection.url} --token <key>`,
    };
  },
};

export const commands = [connect, disconnect];
