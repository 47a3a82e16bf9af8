import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import { refusedWith } from '../../test/support/stream-story.ts';
import { registerRepo } from '../contract/hosting.ts';
import { createOrg, listOrgs, personalOrg, setOrg, showOrg } from '../contract/orgs.ts';
import { operations } from './index.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const kernel = makeKernel(await makeDatabase(), operations);
    return { ...kernel, ...(await kernel.seedRepo({ agents: ['ann', 'ben'] })) };
  }

  it('gives each agent one of its own, whose name is free', async () => {
    const { call, ann, ben } = await start();
    await call(createOrg, { name: 'ben' }, { as: ann });
    const first = await call(personalOrg, {}, { as: ann });
    expect(first).toMatchObject({ name: 'ann', personal: true, ownerName: 'ann' });
    expect((await call(personalOrg, {}, { as: ann })).id).toBe(first.id);
    expect((await call(personalOrg, {}, { as: ben })).name).toBe('ben-2');
    const { items } = await call(listOrgs, {}, { as: ben });
    expect(items.map(({ name, personal }) => [name, personal])).toEqual([
      ['ann', true],
      ['ben', false],
      ['ben-2', true],
    ]);
  });

  it('is changed by its owner only, and its name is taken once', async () => {
    const { call, ann, ben } = await start();
    const org = await call(createOrg, { name: 'acme', defaultAgentAccess: 'allowlist' }, { as: ann });
    expect(await refusedWith(call(createOrg, { name: 'acme' }, { as: ben }))).toBe('already_exists');
    expect(await refusedWith(call(createOrg, { name: '../acme' }, { as: ben }))).toBe('invalid');
    const set = (as: { id: string }) => call(setOrg, { org: 'acme', defaultMinKarma: 5 }, { as });
    expect(await refusedWith(set(ben))).toBe('not_allowed');
    await set(ann);
    expect(await call(showOrg, { org: org.id }, { as: ben })).toMatchObject({
      defaultAgentAccess: 'allowlist',
      defaultMinKarma: 5,
    });
    expect(await refusedWith(call(showOrg, { org: 'none' }, { as: ben }))).toBe('not_found');
  });

  it('gives a new repository of a server its defaults, and takes repositories from its owner only', async () => {
    const { call, ann, ben } = await start();
    await call(
      createOrg,
      { name: 'acme', defaultAgentAccess: 'karma_threshold', defaultMinKarma: 7 },
      { as: ann },
    );
    const make = (as: { id: string }, more: object = {}) =>
      call(registerRepo, { name: 'demo', ...more }, { as });
    const own = await make(ann);
    expect(own).toMatchObject({ orgId: (await call(personalOrg, {}, { as: ann })).id });
    expect(own.settings.agent_access).toBe('public');
    const shared = await make(ann, { org: 'acme' });
    expect(shared.settings).toMatchObject({ agent_access: 'karma_threshold', min_karma: 7 });
    const open = await make(ann, { org: 'acme', agentAccess: 'allowlist' });
    expect(open.settings).toMatchObject({ agent_access: 'allowlist', min_karma: 7 });
    expect(await refusedWith(make(ben, { org: 'acme' }))).toBe('not_allowed');
    expect(await refusedWith(make(ben, { org: 'nowhere' }))).toBe('not_found');
    expect(await call(showOrg, { org: 'acme' }, { as: ben })).toMatchObject({ repos: 2 });
  });
});
