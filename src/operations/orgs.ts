import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/orgs.ts';
import type { OrgRow } from '../db/tables.ts';
import {
  findOrgByName,
  getOrg,
  insertOrg,
  listOrgRows,
  toOrg,
  updateOrg,
} from '../domain/orgs/orgs-store.ts';
import { ensurePersonalOrg } from '../domain/orgs/personal-org.ts';
import { operation, query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

const create = operation(contract.createOrg, {
  on: 'none',
  needs: 'member',
  async run({ db, actor, clock, now, emit }, input) {
    if (await findOrgByName(db, input.name)) {
      throw new SwarmError('already_exists', `There is an org named "${input.name}" already.`, {
        fix: `gitswarm org show ${input.name}`,
      });
    }
    const row: OrgRow = {
      id: newId(clock.now()),
      name: input.name,
      description: input.description ?? '',
      owner_id: actor.id,
      personal: 0,
      default_agent_access: input.defaultAgentAccess ?? 'public',
      default_min_karma: input.defaultMinKarma ?? 0,
      created_at: now,
      updated_at: now,
    };
    await insertOrg(db, row);
    emit({
      type: 'org.created',
      subject: { type: 'org', id: row.id },
      data: { name: row.name, personal: false },
      repoId: null,
    });
    return toOrg(db, row);
  },
});

const personal = operation(contract.personalOrg, {
  on: 'none',
  needs: 'member',
  run: async (context) => toOrg(context.db, await ensurePersonalOrg(context, context.actor)),
});

const list = query(contract.listOrgs, {
  on: 'none',
  needs: 'member',
  async run({ db }, input) {
    const rows = await listOrgRows(db, { afterName: decodeCursor(input.cursor), limit: input.limit + 1 });
    const page = nextPage(rows, input.limit, (row) => row.name);
    const items = [];
    for (const row of page.items) items.push(await toOrg(db, row));
    return { items, nextCursor: page.nextCursor };
  },
});

const show = query(contract.showOrg, {
  on: 'none',
  needs: 'member',
  run: async ({ db }, input) => toOrg(db, await getOrg(db, input.org)),
});

const set = operation(contract.setOrg, {
  on: 'none',
  needs: 'member',
  async run({ db, actor, now, emit }, input) {
    const org = await getOrg(db, input.org);
    if (org.owner_id !== actor.id) {
      throw new SwarmError('not_allowed', `${actor.name} does not own ${org.name}.`, {
        fix: `gitswarm org show ${org.name}`,
      });
    }
    const changes = {
      description: input.description ?? org.description,
      default_agent_access: input.defaultAgentAccess ?? org.default_agent_access,
      default_min_karma: input.defaultMinKarma ?? org.default_min_karma,
    };
    emit({
      type: 'org.changed',
      subject: { type: 'org', id: org.id },
      data: { name: org.name, ...changes },
      repoId: null,
    });
    return toOrg(db, await updateOrg(db, org.id, { ...changes, updated_at: now }));
  },
});

export const orgOperations = [create, personal, list, show, set];
