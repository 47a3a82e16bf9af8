import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { openSqliteFile } from '../base/sqlite-file.ts';
import { SwarmError } from '../contract/errors.ts';
import { mirrorBare } from '../git/clone.ts';
import { backUp, checkBackup } from './backup.ts';
import type { Environment } from './environment.ts';
import { serverVariables } from './server-surroundings.ts';

/** What a backup says of itself, in `backup.json`; it is written last, so that half a backup is none. */
const Manifest = z.object({
  format: z.literal(1),
  madeAt: z.string(),
  /** `none`: the database is a PostgreSQL, and saved by its own tools. */
  database: z.enum(['sqlite', 'none']),
  repos: z.array(z.string()),
});
type Manifest = z.infer<typeof Manifest>;

const DATABASE = 'gitswarm.db';
const MACHINE = join('gitswarm', 'local', 'machine.db');

export interface ServerBackup {
  directory: string;
  database: Manifest['database'];
  repos: number;
}

/**
 * Saves what a server keeps to a new directory, while the server works. The database comes first: of each clone all that
 * it knows of is in the copy then, and what the clone has beyond that is taken in after a restore as any other commit.
 */
export async function backUpServer(given: {
  dataDir: string;
  /** As `--db` has it: a PostgreSQL URL or a file; by default the one in the data directory. */
  db: string | undefined;
  directory: string;
  environment: Environment;
  now: string;
}): Promise<ServerBackup> {
  const { dataDir } = given;
  const directory = resolve(given.directory);
  if (existsSync(directory))
    throw new SwarmError('already_exists', `${directory} exists already.`, {
      fix: 'Choose another directory.',
    });
  const repos = join(dataDir, 'repos');
  if (!existsSync(repos))
    throw new SwarmError('not_found', `${dataDir} is no data directory of a server.`, {
      fix: 'Name the one the server was started with: --data <dir>',
    });
  const making = `${directory}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(join(making, 'repos'), { recursive: true, mode: 0o700 });
  const database = await saveDatabase(given, join(making, DATABASE));
  const names = readdirSync(repos).filter((name) => /^[0-9a-f-]{36}\.git$/.test(name));
  const inheritedEnv = serverVariables(given.environment, dataDir);
  for (const name of names) {
    const copy = join(making, 'repos', name);
    await mirrorBare(join(repos, name), copy, { inheritedEnv });
    await saveMachine(join(repos, name, MACHINE), join(copy, MACHINE));
  }
  copyIfThere(join(dataDir, 'gitconfig'), join(making, 'gitconfig'));
  // Who had signed what is unfinished: wherever this is restored they are dead, and known to be.
  mkdirSync(join(making, 'servers'), { mode: 0o700 });
  for (const id of existsSync(join(dataDir, 'servers')) ? readdirSync(join(dataDir, 'servers')) : [])
    copyIfThere(join(dataDir, 'servers', id), join(making, 'servers', id));
  const manifest: Manifest = { format: 1, madeAt: given.now, database, repos: names };
  writeFileSync(join(making, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(making, directory);
  return { directory, database, repos: names.length };
}

/** A server that signs out takes its file away at any moment. */
function copyIfThere(file: string, copy: string): void {
  try {
    copyFileSync(file, copy);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

const MANIFEST = 'backup.json';

async function saveDatabase(
  { dataDir, db }: { dataDir: string; db: string | undefined },
  file: string,
): Promise<Manifest['database']> {
  if (db !== undefined && /^postgres(ql)?:\/\//.test(db)) return 'none';
  const source = db === undefined ? join(dataDir, DATABASE) : resolve(db);
  if (!existsSync(source))
    throw new SwarmError('not_found', `There is no database ${source}.`, {
      fix: 'Name what the server was started with: --db <file or postgres://…>',
    });
  await backUp(source, file);
  return 'sqlite';
}

/** Approved commands, results of tests, and what was under way at this machine. */
async function saveMachine(source: string, copy: string): Promise<void> {
  if (!existsSync(source)) return;
  mkdirSync(dirname(copy), { recursive: true, mode: 0o700 });
  await backUp(source, copy);
}

/** Puts a backup into an empty data directory, whole or not at all. */
export function restoreServer(given: { directory: string; dataDir: string }): ServerBackup {
  const directory = resolve(given.directory);
  const { dataDir } = given;
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0)
    throw new SwarmError('already_exists', `${dataDir} is not empty.`, {
      fix: 'Restore into a new directory, and start the server with --data <dir>.',
    });
  const { database, repos } = readManifest(directory);
  if (database === 'sqlite') checkBackup(join(directory, DATABASE));
  const wanted = database === 'sqlite' ? clonesOf(join(directory, DATABASE)) : repos;
  const missing = wanted.filter((name) => !existsSync(join(directory, 'repos', name, 'HEAD')));
  if (missing.length > 0)
    throw new SwarmError('invalid', `${directory} lacks the clones ${missing.join(', ')}.`, {
      fix: 'Take another backup.',
    });
  const fresh = `${dataDir.replace(/\/+$/, '')}.restoring`;
  rmSync(fresh, { recursive: true, force: true });
  cpSync(directory, fresh, { recursive: true, filter: (file) => file !== join(directory, MANIFEST) });
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(fresh, dataDir);
  return { directory: dataDir, database, repos: repos.length };
}

function readManifest(directory: string): Manifest {
  try {
    return Manifest.parse(JSON.parse(readFileSync(join(directory, MANIFEST), 'utf8')));
  } catch (cause) {
    throw new SwarmError('invalid', `${directory} is no backup of a server.`, { cause });
  }
}

/** The clones that the database says are at the server. */
function clonesOf(file: string): string[] {
  const db = openSqliteFile(file, { readOnly: true, busyMs: 1000 });
  try {
    const rows = db.prepare("select repo_id from repo_clone where clone = 'server'").all();
    return rows.map((row) => `${String(row.repo_id)}.git`);
  } finally {
    db.close();
  }
}
