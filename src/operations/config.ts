import { SwarmError } from '../contract/errors.ts';
import { RepoConfig } from '../contract/repo-files.ts';
import * as contract from '../contract/repos.ts';
import type { RepoRow } from '../db/tables.ts';
import { changeSettings } from '../domain/repos/config-settings.ts';
import { configInForce, serverSettings, toRepo, updateRepoRow } from '../domain/repos/repos-store.ts';
import { recordUndoRow } from '../domain/undo/undo-store.ts';
import { type ActingContext, openOperation, operation } from './operation.ts';

/**
 * What the tree of the buffer's tip says is in force from now on. A file that could not be read keeps the last
 * readable one in force: a broken file must not bring back settings of long ago. This is a fact of the repository,
 * measured by whoever looks first: it needs no actor and gives nobody a choice.
 */
const reportConfig = openOperation(contract.reportConfig, {
  on: 'repo',
  async run({ db, repo, now, emit }, input) {
    if (input.blob === repo.config_blob) return toRepo(repo);
    const file = input.config === null ? null : JSON.stringify(input.config);
    const changed = await updateRepoRow(db, repo.id, {
      config_blob: input.blob,
      config_file: input.blob === null ? null : (file ?? repo.config_file),
      updated_at: now,
    });
    emit({
      type: 'repo.config_reported',
      subject: { type: 'repo', id: repo.id },
      data: { blob: input.blob, readable: input.blob === null || file !== null },
    });
    return toRepo(changed);
  },
});

const setConfig = operation(contract.setConfig, {
  on: 'repo',
  needs: 'admin',
  run: async (context, input) => toRepo(await applySettings(context, input)),
});

/** Changes the database's copy; refused where a committed file decides otherwise and was not written with it. */
export async function applySettings(
  context: ActingContext & { repo: RepoRow },
  input: { changes: Record<string, unknown>; fileWritten: boolean },
): Promise<RepoRow> {
  const { db, repo, now, emit } = context;
  if (repo.config_file !== null && !input.fileWritten) refuseWhatFileDecides(repo, input.changes);
  const current = {
    config: RepoConfig.parse(JSON.parse(repo.config_copy)),
    settings: serverSettings(repo),
  };
  const { config, settings, changed } = changeSettings(current, input.changes);
  if (changed.length === 0) return repo;
  const row = await updateRepoRow(db, repo.id, {
    config_copy: JSON.stringify(config),
    settings: JSON.stringify(settings),
    updated_at: now,
  });
  const keys = changed.map((change) => change.key);
  await recordUndoRow(context, {
    operation: 'repo.set_config',
    summary: `setting ${keys.join(', ')}`,
    data: { changes: changed, fileWritten: input.fileWritten },
  });
  emit({
    type: 'repo.config_changed',
    subject: { type: 'repo', id: repo.id },
    data: { changes: Object.fromEntries(changed.map((change) => [change.key, change.after])) },
  });
  return row;
}

/** What is asked for is compared with what is in force: the copy may say anything, and would say nothing of the file. */
function refuseWhatFileDecides(repo: RepoRow, changes: Record<string, unknown>): void {
  const inForce = { config: configInForce(repo), settings: serverSettings(repo) };
  const { changed } = changeSettings(inForce, changes);
  const fields = changed.filter(({ owner }) => owner === 'repo').map(({ key }) => key);
  if (fields.length === 0) return;
  throw new SwarmError('conflict', `The committed settings file decides about ${fields.join(', ')}.`, {
    fix: `Change the file and land it: gitswarm config set ${fields[0]} …`,
    details: { fields },
  });
}

export const configOperations = [reportConfig, setConfig];
