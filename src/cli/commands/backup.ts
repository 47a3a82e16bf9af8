import { resolve } from 'node:path';
import { backUp, restoreBackup } from '../../app/backup.ts';
import type { App } from '../../app/open-app.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Answer, Command, CommandOption, Options } from '../command.ts';
import { textOption } from '../options.ts';
import { commandText } from '../output/hints.ts';
import type { Session } from '../session.ts';

const DATA: CommandOption = {
  flags: '--data <dir>',
  summary: 'the data directory of a server: all its clones, and its database where that is a file',
};

const backup: Command = {
  name: 'backup',
  summary: 'Save the database, or with --data a whole server; others may go on working meanwhile.',
  args: '<file>',
  options: [
    DATA,
    { flags: '--db <place>', summary: 'what the server was started with (<data>/gitswarm.db)' },
  ],
  actor: (_args, options) => (isServer(options) ? 'nobody' : 'reader'),
  examples: ['gitswarm backup saved.db', 'gitswarm backup /backups/monday --data /var/lib/gitswarm'],
  async run(session, [file = ''], options) {
    if (isServer(options)) return saveServer(session, file, options);
    const app = await session.app();
    requireOwnDatabase(app);
    const saved = await backUp(app.places.database, resolve(session.flags.dir, file));
    return {
      data: saved,
      text: () => `saved ${saved.bytes} bytes to ${saved.file}`,
      next: `gitswarm restore-backup ${commandText([file])}`,
    };
  },
};

function requireOwnDatabase({ connection }: App): void {
  if (!connection) return;
  throw new SwarmError('wrong_state', `What is decided is kept at the server ${connection.url}.`, {
    fix: 'Back it up there: gitswarm backup <file> --data <dir>',
  });
}

async function saveServer(session: Session, file: string, options: Options): Promise<Answer> {
  const { backUpServer } = await import('../../app/server-backup.ts');
  const saved = await backUpServer({
    dataDir: resolve(session.flags.dir, textOption(options, 'data') ?? ''),
    db: textOption(options, 'db'),
    directory: resolve(session.flags.dir, file),
    environment: session.environment,
    now: new Date().toISOString(),
  });
  if (saved.database === 'none')
    session.output.note('the database is a PostgreSQL and not in it: run pg_dump before this, never after');
  return {
    data: saved,
    text: () =>
      `saved ${saved.repos} clones${saved.database === 'none' ? '' : ' and the database'} to ${saved.directory}`,
    next: `gitswarm restore-backup ${commandText([file])} --data <new directory>`,
  };
}

const restore: Command = {
  name: 'restore-backup',
  summary:
    'Bring a saved database back, the present one is kept; with --data a server, into a new directory.',
  args: '<file>',
  options: [DATA],
  actor: (_args, options) => (isServer(options) ? 'nobody' : 'named'),
  async run(session, [file = ''], options) {
    if (isServer(options)) return restoreWholeServer(session, file, options);
    const app = await session.app();
    requireOwnDatabase(app);
    const { database, home } = app.places;
    await session.close();
    const restored = await restoreBackup({ database, home, file: resolve(session.flags.dir, file) });
    return {
      data: restored,
      text: () => `restored; the database before it is kept as ${restored.kept}`,
      next: 'gitswarm doctor --fix',
    };
  },
};

async function restoreWholeServer(session: Session, file: string, options: Options): Promise<Answer> {
  const { restoreServer } = await import('../../app/server-backup.ts');
  const restored = restoreServer({
    directory: resolve(session.flags.dir, file),
    dataDir: resolve(session.flags.dir, textOption(options, 'data') ?? ''),
  });
  const db = restored.database === 'none' ? ' --db <the restored PostgreSQL>' : '';
  return {
    data: restored,
    text: () => `restored ${restored.repos} clones to ${restored.directory}`,
    next: `gitswarm server --data ${commandText([restored.directory])}${db}`,
  };
}

function isServer(options: Options): boolean {
  return textOption(options, 'data') !== undefined;
}

export const commands = [backup, restore];
