import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import { initRepo } from '../contract/init-repo.ts';
import { ServerSettings } from '../contract/repo-files.ts';
import * as contract from '../contract/repos.ts';
import type { RepoRow } from '../db/tables.ts';
import { upsertMaintainer } from '../domain/access/access-store.ts';
import { listOwners } from '../domain/access/owners-store.ts';
import { findAgentByName, getAgent, toAgent } from '../domain/agents/agents-store.ts';
import { makeAgent } from '../domain/agents/new-agent.ts';
import { listMergeRows, toMerge } from '../domain/merges/merges-store.ts';
import { newHandle } from '../domain/references/references-store.ts';
import { refuseOneBranch } from '../domain/repos/config-settings.ts';
import { insertRepo, listRepoRows, toRepo, updateRepoRow } from '../domain/repos/repos-store.ts';
import { accessOperations } from './access.ts';
import { configOperations } from './config.ts';
import { maintainerOperations } from './maintainers.ts';
import { openOperation, operation, query } from './operation.ts';
import { takeOverAgents, takeOverRest } from './take-over.ts';

/** The first call in a database makes its repository and the owner; every later one finds them and changes nothing. */
const init = openOperation(initRepo, {
  on: 'none',
  async run(context, input) {
    const { db, now, emit } = context;
    const [existing] = await listRepoRows(db, 1);
    if (existing) {
      const [owner] = await listOwners(db, existing.id);
      if (!owner) throw new SwarmError('internal', `The repository ${existing.name} has no owner.`);
      return { repo: toRepo(existing), owner: toAgent(owner), created: false };
    }
    refuseOneBranch(input.config);
    const old = input.takeOver;
    if (old) await takeOverAgents(context, old);
    const id = old?.repo.id ?? newId(context.clock.now());
    const repo: RepoRow = {
      id,
      ...(await newHandle(db, 'repo', id)),
      org_id: null,
      name: input.name,
      description: input.description,
      status: 'active',
      authority: 'local',
      stage: old?.repo.stage ?? 'seed',
      config_copy: JSON.stringify(input.config),
      config_file: null,
      config_blob: null,
      settings: JSON.stringify(
        ServerSettings.parse({ ...old?.repo.settings, ownership_model: input.ownershipModel }),
      ),
      queue_paused: 0,
      frozen_reason: null,
      created_at: now,
      updated_at: now,
    };
    await insertRepo(db, repo);
    emit({
      type: 'repo.created',
      subject: { type: 'repo', id },
      data: { name: repo.name, ownershipModel: input.ownershipModel, config: input.config },
      repoId: id,
    });
    const known = await findAgentByName(db, input.owner.name);
    const owner = known ?? (await makeAgent(context, { ...input.owner, repoId: id }));
    await upsertMaintainer(db, {
      repo_id: id,
      agent_id: owner.id,
      role: 'owner',
      added_by: null,
      reason: 'init',
      created_at: now,
    });
    emit({
      type: 'maintainer.added',
      subject: { type: 'agent', id: owner.id },
      data: { name: owner.name, role: 'owner', reason: 'init' },
      repoId: id,
    });
    if (old) await takeOverRest(context, { repo, owner, old });
    return { repo: toRepo(repo), owner: toAgent(await getAgent(db, owner.id)), created: true };
  },
});

const show = query(contract.getRepo, {
  on: 'repo',
  needs: 'read',
  run: async ({ repo }) => toRepo(repo),
});

/** An archived repository can only be read. */
const archive = operation(contract.archiveRepo, {
  on: 'repo',
  needs: 'admin',
  async run({ db, repo, now, emit }) {
    // The buffer may have moved already, and afterwards nothing could be recorded any more.
    const [landing] = await listMergeRows(db, { repoId: repo.id, state: 'prepared', limit: 1 });
    if (landing) {
      throw new SwarmError('busy', `Landing ${toMerge(landing).handle} is under way in ${repo.name}.`, {
        fix: 'Try again; if it stays so, gitswarm doctor --fix.',
      });
    }
    emit({ type: 'repo.archived', subject: { type: 'repo', id: repo.id }, data: { name: repo.name } });
    return toRepo(await updateRepoRow(db, repo.id, { status: 'archived', updated_at: now }));
  },
});

/** There is no way back: what the server decided since is not here. */
const handOver = operation(contract.handOverRepo, {
  on: 'repo',
  needs: 'admin',
  async run({ db, repo, now, emit }, { server, orgId }) {
    emit({ type: 'repo.handed_over', subject: { type: 'repo', id: repo.id }, data: { server } });
    return toRepo(await updateRepoRow(db, repo.id, { authority: 'server', org_id: orgId, updated_at: now }));
  },
});

export const repoOperations = [
  init,
  show,
  archive,
  handOver,
  ...configOperations,
  ...maintainerOperations,
  ...accessOperations,
];
