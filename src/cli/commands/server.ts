import { SwarmError } from '../../contract/errors.ts';
import type { RunningServer, StartOptions } from '../../server/start-server.ts';
import type { Answer, Command, CommandOption, Options } from '../command.ts';
import { flagOption, numberOption, textOption } from '../options.ts';
import type { Session } from '../session.ts';

const DEFAULT_PORT = 7433;

const PORT: CommandOption = {
  flags: '--port <number>',
  summary: `where to listen (${DEFAULT_PORT}; 0: any free port)`,
};

const PLACE: CommandOption[] = [
  { flags: '--db <place>', summary: 'postgres://… or a file (<data>/gitswarm.db)' },
  { flags: '--data <dir>', summary: 'clones and the database (~/.local/share/gitswarm)' },
];

const OPEN: CommandOption = { flags: '--open', summary: 'agents may register without an invite' };

const server: Command = {
  name: 'server',
  summary: 'Serve the API to agents on other machines, until it is stopped.',
  options: [
    { flags: '--host <address>', summary: 'where to listen (127.0.0.1)' },
    PORT,
    ...PLACE,
    OPEN,
    { flags: '--behind-tls', summary: 'a proxy in front ends TLS and says where calls come from' },
    { flags: '--insecure', summary: 'let keys cross the network in the clear' },
  ],
  actor: 'nobody',
  examples: ['gitswarm server', 'gitswarm server --host 0.0.0.0 --behind-tls --db postgres://db/gitswarm'],
  run: (session, _args, options) =>
    serve(session, options, {
      host: textOption(options, 'host') ?? '127.0.0.1',
      behindTls: flagOption(options, 'behindTls'),
      insecure: flagOption(options, 'insecure'),
    }),
};

const up: Command = {
  name: 'up',
  summary: 'Start a server for this machine only, and show how to use it.',
  options: [PORT, ...PLACE, OPEN],
  actor: 'nobody',
  examples: ['gitswarm up'],
  async run(session, _args, options) {
    const reach = { host: '127.0.0.1', behindTls: false, insecure: false, linksAlways: true };
    return serve(session, options, reach, (url) => {
      session.output.note(`try: curl -H "Authorization: Bearer $GITSWARM_KEY" ${url}/api/v1/me`);
      session.output.note(`all routes: ${url}/api/docs`);
    });
  },
};

const loginLink: Command = {
  name: 'server login-link',
  summary: 'Make a link that signs in at the dashboard once, within 15 minutes.',
  options: [
    ...PLACE,
    { flags: '--agent <name>', summary: 'who signs in (the first administrator)' },
    {
      flags: '--url <address>',
      summary: `where browsers reach the server (http://127.0.0.1:${DEFAULT_PORT})`,
    },
  ],
  actor: 'nobody',
  examples: [
    'gitswarm server login-link',
    'gitswarm server login-link --agent ann --url https://swarm.example',
  ],
  async run({ environment }, _args, options) {
    const { makeLoginLinkAt } = await import('../../app/login-link.ts');
    const at = { environment, db: textOption(options, 'db'), data: textOption(options, 'data') };
    const { path, agent, expiresAt } = await makeLoginLinkAt(at, textOption(options, 'agent'));
    const url = `${baseOf(textOption(options, 'url'))}${path}`;
    return { data: { url, agent: agent.name, expiresAt }, text: () => url };
  },
};

function baseOf(text = `http://127.0.0.1:${DEFAULT_PORT}`): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text).origin;
  throw new SwarmError('usage', `--url wants an address such as https://swarm.example, not "${text}".`);
}

type Reach = Pick<StartOptions, 'host' | 'behindTls' | 'insecure'> & {
  /** A link to the dashboard is shown at each start, not only at the first: the output is read by one person. */
  linksAlways?: boolean;
};

async function serve(
  session: Session,
  options: Options,
  reach: Reach,
  greet: (url: string) => void = () => undefined,
): Promise<Answer> {
  const { output, environment } = session;
  const port = portOf(options);
  // Loaded only now: no other command waits for the server's libraries.
  const [{ openServer }, { makeLoginLink }, { startServer }] = await Promise.all([
    import('../../app/open-server.ts'),
    import('../../app/login-link.ts'),
    import('../../server/start-server.ts'),
  ]);
  const app = await openServer({
    environment,
    db: textOption(options, 'db'),
    data: textOption(options, 'data'),
    ...(flagOption(options, 'open') ? { switches: { openRegistration: true } } : {}),
  });
  let running: RunningServer | undefined;
  try {
    const logTo = { write: (line: string) => output.note(line) };
    running = await startServer(app, { ...reach, port, logTo });
    output.note(`listening on ${running.url}`);
    output.note(`database: ${app.database.kind} (${app.database.place}), data: ${app.dataDir}`);
    if (app.madeToken !== undefined) {
      output.note(`the administrator's key, shown this once: ${app.madeToken}`);
    }
    if (app.isFirstStart || reach.linksAlways) {
      const { path } = await makeLoginLink(app.kernel);
      // What listens behind a proxy does not know its own address.
      const base = reach.behindTls ? 'https://<address of the proxy>' : running.url;
      output.note(`the dashboard, once and within 15 minutes: ${base}${path}`);
    }
    greet(running.url);
    await untilAborted(session.signal);
    output.note('stopping: what runs is finished, nothing new is begun');
  } finally {
    await running?.stop();
    await app.close();
  }
  const url = running.url;
  return { data: { url }, text: () => `stopped ${url}`, exit: 0 };
}

function portOf(options: Options): number {
  const port = numberOption(options, 'port') ?? DEFAULT_PORT;
  if (port >= 0 && port <= 65_535) return port;
  throw new SwarmError('usage', `--port wants a number from 0 to 65535, not ${port}.`);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

export const commands = [server, loginLink, up];
