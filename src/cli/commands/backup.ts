import { resolve } from 'node:path';
import { backUp, restoreBackup } from '../../app/backup.ts';
import type { Command } from '../command.ts';
import { commandText } from '../output/hints.ts';

const backup: Command = {
  name: 'backup',
  summary: 'Save the database to a file; others may go on working meanwhile.',
  args: '<file>',
  actor: 'reader',
  async run(session, [file = '']) {
    const app = await session.app();
    const saved = await backUp(app.places.database, resolve(session.flags.dir, file));
    return {
      data: saved,
      text: () => `saved ${saved.bytes} bytes to ${saved.file}`,
      next: `gitswarm restore-backup ${commandText([file])}`,
    };
  },
};

const restore: Command = {
  name: 'restore-backup',
  summary: 'Bring a saved database back; the present one is kept beside it.',
  args: '<file>',
  actor: 'named',
  async run(session, [file = '']) {
    const app = await session.app();
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

export const commands = [backup, restore];
