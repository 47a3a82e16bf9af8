import type * as z from 'zod';
import { addressForms } from '../base/clone-address.ts';
import { newId } from '../base/ids.ts';
import { withoutPassword } from '../base/without-password.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/hosting.ts';
import { ServerSettings } from '../contract/repo-files.ts';
import type { OrgRow, RepoCloneRow, RepoRow } from '../db/tables.ts';
import { accessOf, upsertMaintainer } from '../domain/access/access-store.ts';
import { getOrg } from '../domain/orgs/orgs-store.ts';
import { ensurePersonalOrg } from '../domain/orgs/personal-org.ts';
import { newHandle } from '../domain/references/references-store.ts';
import { findClone, insertClone, listUnpushed } from '../domain/repos/clones-store.ts';
import { refuseOneBranch } from '../domain/repos/config-settings.ts';
import { insertRepo, listRepoRowsAfter, toRepo } from '../domain/repos/repos-store.ts';
import { type ActingContext, operation, query } from './operation.ts';
import { decodeCursor, encodeCursor } from './paging.ts';

const create = operation(contract.createRepo, {
  on: 'none',
  needs: 'member',
  run: (context, input) => makeRepo(context, { ...input, clone: 'server' }),
});

const register = operation(contract.registerRepo, {
  on: 'none',
  needs: 'member',
  async run(context, input) {
    const known = input.id && (await findClone(context.db, input.id));
    if (known) throw new SwarmError('already_exists', `The repository ${input.id} is registered already.`);
    if (!input.new && input.cloneUrl !== null) await refuseSamePlace(context, input.cloneUrl);
    return makeRepo(context, { ...input, id: input.id ?? newId(context.clock.now()), clone: 'client' });
  },
});

/** Two clones of one remote may connect at the same moment; what the caller may not see is none of its business. */
async function refuseSamePlace({ db, actor, now }: ActingContext, cloneUrl: string): Promise<void> {
  const there = await listRepoRowsAfter(db, { cloneUrls: addressForms(cloneUrl), limit: 200 });
  const candidates = [];
  for (const row of there)
    if ((await accessOf(db, row, actor, now)).level !== null) candidates.push(toRepo(row));
  const [first] = candidates;
  if (!first) return;
  throw new SwarmError('conflict', `The clones of ${first.name} (${first.handle}) meet there already.`, {
    fix: 'Join it, or say that this is to be another one: "new": true.',
    details: { candidates: candidates.map(({ id, handle, name }) => ({ id, handle, name })) },
  });
}

type Wish = z.output<typeof contract.RepoWish> & {
  id: string;
  clone: contract.CloneKind;
  cloneUrl: string | null;
};

/** A repository decided by this server, owned by whoever asks. */
async function makeRepo(context: ActingContext, wish: Wish): Promise<contract.HostedRepo> {
  const { db, actor, now, emit } = context;
  refuseOneBranch(wish.config);
  const org = await orgOf(context, wish.org);
  const settings = ServerSettings.parse({
    ownership_model: wish.ownershipModel,
    is_private: wish.isPrivate,
    agent_access: wish.agentAccess ?? org.default_agent_access,
    min_karma: wish.minKarma ?? org.default_min_karma,
  });
  const repo: RepoRow = {
    id: wish.id,
    ...(await newHandle(db, 'repo', wish.id)),
    org_id: org.id,
    name: wish.name,
    description: wish.description,
    status: 'active',
    authority: 'server',
    stage: 'seed',
    config_copy: JSON.stringify(wish.config),
    config_file: null,
    config_blob: null,
    settings: JSON.stringify(settings),
    queue_paused: 0,
    frozen_reason: null,
    created_at: now,
    updated_at: now,
  };
  await insertRepo(db, repo);
  const clone = { repo_id: repo.id, clone: wish.clone, clone_url: wish.cloneUrl, created_at: now };
  await insertClone(db, clone);
  const subject = { type: 'repo', id: repo.id };
  emit({ type: 'repo.created', subject, data: { name: repo.name, clone: wish.clone }, repoId: repo.id });
  const role = { role: 'owner', reason: 'made the repository' };
  await upsertMaintainer(db, {
    repo_id: repo.id,
    agent_id: actor.id,
    ...role,
    added_by: null,
    created_at: now,
  });
  emit({
    type: 'maintainer.added',
    subject: { type: 'agent', id: actor.id },
    data: { name: actor.name, ...role },
    repoId: repo.id,
  });
  return { ...toRepo(repo), ...cloneFields(clone) };
}

/** Only its owner puts repositories into an org. */
async function orgOf(context: ActingContext, name: string | undefined): Promise<OrgRow> {
  const { db, actor } = context;
  if (name === undefined) return ensurePersonalOrg(context, actor);
  const org = await getOrg(db, name);
  if (org.owner_id === actor.id) return org;
  throw new SwarmError('not_allowed', `${actor.name} does not own ${org.name}.`, {
    fix: 'Name an org of your own, or none.',
  });
}

const list = query(contract.listRepos, {
  on: 'none',
  needs: 'member',
  async run({ db, caller, now }, input) {
    const items = [];
    for (let after = decodeCursor(input.cursor); ; ) {
      const rows = await listRepoRowsAfter(db, {
        afterId: after,
        name: input.name,
        cloneUrls: input.cloneUrls,
        limit: 200,
      });
      for (const row of rows) {
        const isReadable = caller === undefined || (await accessOf(db, row, caller, now)).level !== null;
        if (!isReadable) continue;
        if (items.length === input.limit) return { items, nextCursor: encodeCursor(items.at(-1)?.id ?? '') };
        items.push(toRepo(row));
      }
      after = rows.at(-1)?.id;
      if (rows.length < 200) return { items, nextCursor: null };
    }
  },
});

const clone = query(contract.showClone, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }) {
    const row = await findClone(db, repo.id);
    const unpushed = (await listUnpushed(db, repo.id)).map((each) => ({
      ref: each.ref,
      commit: each.commit_hash,
      attempts: each.attempts,
      lastError: each.last_error,
      nextAttemptAt: each.next_attempt_at,
      since: each.created_at,
    }));
    return { ...cloneFields(row), unpushed };
  },
});

function cloneFields(row: Pick<RepoCloneRow, 'clone' | 'clone_url'> | undefined) {
  return {
    clone: row?.clone === 'server' ? ('server' as const) : ('client' as const),
    // Whoever may read a repository must not learn the server's password at its remote.
    cloneUrl: row?.clone_url == null ? null : withoutPassword(row.clone_url),
  };
}

export const hostingOperations = [create, register, list, clone];
