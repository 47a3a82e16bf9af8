import { SwarmError } from '../../contract/errors.ts';
import { RepoConfig, ServerSettings } from '../../contract/repo-files.ts';
import type { Repo } from '../../contract/repos.ts';
import type { Db, Tx } from '../../db/database.ts';
import { prepared } from '../../db/prepared.ts';
import type { RepoRow } from '../../db/tables.ts';
import { handleOf } from '../references/references.ts';

export async function insertRepo(tx: Tx, row: RepoRow): Promise<void> {
  await tx.insertInto('repo').values(row).execute();
}

const byId = prepared((db, id: string) => db.selectFrom('repo').selectAll().where('id', '=', id));

export async function findRepoRow(db: Db, id: string): Promise<RepoRow | undefined> {
  return (await byId(db, id))[0];
}

export async function getRepoRow(db: Db, id: string): Promise<RepoRow> {
  const row = await findRepoRow(db, id);
  if (!row) throw new SwarmError('not_found', `There is no repository ${id}.`);
  return row;
}

/** The repositories of this database, oldest first; a local database holds one. */
export async function listRepoRows(db: Db, limit = 200): Promise<RepoRow[]> {
  return db.selectFrom('repo').selectAll().orderBy('id').limit(limit).execute();
}

/** Oldest first, after the one of this id. */
export async function listRepoRowsAfter(
  db: Db,
  filter: {
    afterId?: string | undefined;
    name?: string | undefined;
    /** Only those whose clones are with their clients and meet at one of these. */
    cloneUrls?: readonly string[] | undefined;
    limit: number;
  },
): Promise<RepoRow[]> {
  let query = db.selectFrom('repo').selectAll().orderBy('id').limit(filter.limit);
  if (filter.afterId !== undefined) query = query.where('id', '>', filter.afterId);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  if (filter.cloneUrls !== undefined) {
    const { cloneUrls } = filter;
    const there = db
      .selectFrom('repo_clone')
      .select('repo_id')
      .where('clone', '=', 'client')
      .where('clone_url', 'in', cloneUrls);
    query = query.where('id', 'in', there);
  }
  return query.execute();
}

export async function updateRepoRow(tx: Tx, id: string, changes: Partial<RepoRow>): Promise<RepoRow> {
  return tx.updateTable('repo').set(changes).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
}

/** The settings in force: those of the file in the buffer's tip, or the database's copy until one is there. */
export function configInForce(row: RepoRow): RepoConfig {
  const known = parsedConfigs.get(row);
  if (known) return known;
  const config = RepoConfig.parse(JSON.parse(row.config_file ?? row.config_copy));
  parsedConfigs.set(row, config);
  return config;
}

/** One operation asks its row for the settings many times; they are parsed once for each row that was read. */
const parsedConfigs = new WeakMap<RepoRow, RepoConfig>();

export function serverSettings(row: RepoRow): Readonly<ServerSettings> {
  const known = parsedSettings.get(row.settings);
  if (known) return known;
  const settings = Object.freeze(ServerSettings.parse(JSON.parse(row.settings)));
  if (parsedSettings.size >= KEPT_SETTINGS) parsedSettings.clear();
  parsedSettings.set(row.settings, settings);
  return settings;
}

/** By their text: every question of access asks for them, and most repositories of a server have the same. */
const parsedSettings = new Map<string, Readonly<ServerSettings>>();
const KEPT_SETTINGS = 100;

export function toRepo(row: RepoRow): Repo {
  const config = configInForce(row);
  const settings = serverSettings(row);
  return {
    id: row.id,
    handle: handleOf('repo', row),
    name: row.name,
    description: row.description,
    orgId: row.org_id,
    status: row.status === 'archived' ? 'archived' : 'active',
    authority: row.authority === 'server' ? 'server' : 'local',
    mergeMode: config.merge_mode,
    ownershipModel: settings.ownership_model,
    bufferBranch: config.buffer_branch,
    promoteTarget: config.promote_target,
    stage: row.stage as Repo['stage'],
    config,
    configSource: row.config_file === null ? 'copy' : 'file',
    configBlob: row.config_blob,
    settings,
    queuePaused: row.queue_paused === 1,
    frozenReason: row.frozen_reason,
    createdAt: row.created_at,
  };
}
