import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { defaultConfig } from '../../test/support/default-config.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import { listEvents } from '../contract/events.ts';
import { initRepo } from '../contract/init-repo.ts';
import {
  addMaintainer,
  archiveRepo,
  explainAccess,
  getRepo,
  grantAccess,
  listAccess,
  listMaintainers,
  removeMaintainer,
  reportConfig,
  revokeAccess,
  setConfig,
} from '../contract/repos.ts';
import { agentOperations } from './agents.ts';
import { eventOperations } from './events.ts';
import { resolveProposalData } from './proposal-data.ts';
import { repoOperations } from './repos.ts';

const blob = (digit: string) => digit.repeat(40);

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const kernel = makeKernel(await makeDatabase(), [
      ...agentOperations,
      ...repoOperations,
      ...eventOperations,
    ]);
    const seed = await kernel.seedRepo({ agents: ['coder', 'reviewer'] });
    const { repoId, owner } = seed;
    const eventTypes = async () => {
      const { items } = await kernel.call(listEvents, { repoId, after: '' }, { as: owner });
      return items.map((event) => event.type);
    };
    return { ...kernel, ...seed, eventTypes };
  }

  it('makes the repository and its owner at the first init, and nothing at the second', async () => {
    const { call, repo, owner, eventTypes } = await start();
    expect(repo).toMatchObject({
      name: 'demo',
      mergeMode: 'review',
      ownershipModel: 'solo',
      configSource: 'copy',
    });
    const again = await call(initRepo, { name: 'other', owner: { name: 'else' }, config: defaultConfig });
    expect(again).toMatchObject({
      created: false,
      repo: { id: repo.id, name: 'demo' },
      owner: { id: owner.id },
    });
    const types = await eventTypes();
    expect(types.slice(0, 3)).toEqual(['repo.created', 'agent.registered', 'maintainer.added']);
    expect(types.filter((type) => type === 'repo.created')).toHaveLength(1);
  });

  it('keeps durations as they are through init, storing and reading', async () => {
    const { call, repoId, coder, repo } = await start();
    expect(repo.config).toEqual(defaultConfig);
    expect((await call(getRepo, { repoId }, { as: coder })).config).toEqual(defaultConfig);
  });

  it('puts the reported file in force, once per blob', async () => {
    const { call, repoId, coder, eventTypes } = await start();
    const file = { ...defaultConfig, merge_mode: 'swarm' as const };
    const report = () => call(reportConfig, { repoId, blob: blob('a'), config: file }, { as: coder });
    expect(await report()).toMatchObject({ mergeMode: 'swarm', configSource: 'file', configBlob: blob('a') });
    await report();
    const broken = await call(reportConfig, { repoId, blob: blob('b'), config: null }, { as: coder });
    expect(broken).toMatchObject({ mergeMode: 'swarm', configSource: 'file', configBlob: blob('b') });
    const gone = await call(reportConfig, { repoId, blob: null, config: null }, { as: coder });
    expect(gone).toMatchObject({ mergeMode: 'review', configSource: 'copy', configBlob: null });
    expect((await eventTypes()).filter((type) => type === 'repo.config_reported')).toHaveLength(3);
  });

  it('refuses to set what a committed file decides, and names the fields', async () => {
    const { call, repoId, owner } = await start();
    await call(reportConfig, { repoId, blob: blob('a'), config: defaultConfig }, { as: owner });
    const changes = { min_reviews: '2', 'queue.runners': 3, min_karma: 5 };
    await expect(call(setConfig, { repoId, changes }, { as: owner })).rejects.toMatchObject({
      code: 'conflict',
      details: { fields: ['min_reviews', 'queue.runners'] },
    });
    expect(await call(setConfig, { repoId, changes: { min_karma: 5 } }, { as: owner })).toMatchObject({
      settings: { min_karma: 5 },
    });
    const written = await call(setConfig, { repoId, changes, fileWritten: true }, { as: owner });
    expect(written.config.min_reviews).toBe(1);
    const gone = await call(reportConfig, { repoId, blob: null, config: null }, { as: owner });
    expect(gone.config).toMatchObject({ min_reviews: 2, queue: { runners: 3 } });
  });

  it('compares what is asked for with what is in force, not with the copy beside the file', async () => {
    const { call, repoId, owner } = await start();
    const file = { ...defaultConfig, min_reviews: 3, merge_mode: 'gated' as const };
    await call(reportConfig, { repoId, blob: blob('a'), config: file }, { as: owner });
    const set = (changes: Record<string, unknown>) => call(setConfig, { repoId, changes }, { as: owner });
    await expect(set({ min_reviews: 1, merge_mode: 'gated', min_karma: 5 })).rejects.toMatchObject({
      code: 'conflict',
      details: { fields: ['min_reviews'] },
    });
    expect(await set({ min_reviews: 3, min_karma: 5 })).toMatchObject({
      config: { min_reviews: 3 },
      settings: { min_karma: 5 },
    });
    const propose = (changes: Record<string, unknown>) =>
      resolveProposalData(
        { repo: { config_file: JSON.stringify(file), config_copy: '{}', settings: '{}' } } as never,
        { type: 'change_settings', data: { changes } },
      );
    expect(await propose({ min_reviews: 1 })).toEqual({ changes: { min_reviews: 1 } });
    await expect(propose({ min_reviews: 3 })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('refuses settings that do not exist or do not fit', async () => {
    const { call, repoId, owner, eventTypes } = await start();
    const set = (changes: Record<string, unknown>) => call(setConfig, { repoId, changes }, { as: owner });
    await expect(set({ merge_mod: 'swarm' })).rejects.toMatchObject({
      code: 'usage',
      details: { nearest: 'merge_mode' },
    });
    await expect(set({ min_reviews: 0 })).rejects.toMatchObject({ code: 'invalid' });
    await set({ min_reviews: '1' });
    expect(await eventTypes()).not.toContain('repo.config_changed');
  });

  it('keeps at least one owner who can act', async () => {
    const { call, repoId, owner, coder } = await start();
    const last = { code: 'conflict' };
    await expect(call(removeMaintainer, { repoId, agent: 'owner' }, { as: owner })).rejects.toMatchObject(
      last,
    );
    const lower = { repoId, agent: 'owner', role: 'maintainer' as const };
    await expect(call(addMaintainer, lower, { as: owner })).rejects.toMatchObject(last);
    const added = await call(addMaintainer, { repoId, agent: 'coder', role: 'owner' }, { as: owner });
    expect(added).toMatchObject({ role: 'owner', addedBy: owner.id, agent: { id: coder.id } });
    expect(await call(addMaintainer, { repoId, agent: 'owner' }, { as: coder })).toMatchObject({
      role: 'owner',
    });
    expect(await call(addMaintainer, lower, { as: coder })).toMatchObject({ role: 'maintainer' });
    expect(await call(removeMaintainer, { repoId, agent: 'owner' }, { as: coder })).toEqual({
      removed: true,
    });
    expect(await call(removeMaintainer, { repoId, agent: 'owner' }, { as: coder })).toEqual({
      removed: false,
    });
    await expect(call(removeMaintainer, { repoId, agent: 'coder' }, { as: coder })).rejects.toMatchObject(
      last,
    );
  });

  it('lists maintainers, owners first, page by page', async () => {
    const { call, repoId, owner, coder } = await start();
    await call(addMaintainer, { repoId, agent: 'coder' }, { as: owner });
    await call(addMaintainer, { repoId, agent: 'reviewer', role: 'owner' }, { as: owner });
    const first = await call(listMaintainers, { repoId, limit: 2 }, { as: coder });
    expect(first.items.map((m) => [m.agent.name, m.role])).toEqual([
      ['owner', 'owner'],
      ['reviewer', 'owner'],
    ]);
    const rest = await call(
      listMaintainers,
      { repoId, limit: 2, cursor: first.nextCursor ?? '' },
      { as: coder },
    );
    expect(rest).toMatchObject({
      items: [{ agent: { name: 'coder' }, role: 'maintainer' }],
      nextCursor: null,
    });
  });

  it('gives and takes access, for a time where it says so', async () => {
    const { call, clock, repoId, owner, coder } = await start();
    await call(setConfig, { repoId, changes: { agent_access: 'allowlist' } }, { as: owner });
    const explain = () => call(explainAccess, { repoId, agent: 'coder' }, { as: owner });
    expect(await explain()).toMatchObject({ level: 'read', isMaintainer: false, isOwner: false });
    const expiresAt = new Date(clock.now() + 60_000).toISOString();
    const grant = { repoId, agent: 'coder', level: 'admin' as const, expiresAt };
    expect(await call(grantAccess, grant, { as: owner })).toMatchObject({ level: 'admin', expiresAt });
    expect(await explain()).toMatchObject({ level: 'admin', isMaintainer: false });
    expect((await call(listAccess, { repoId }, { as: coder })).items).toHaveLength(1);
    clock.advance(60_000);
    expect((await explain()).reasons.join()).toMatch(/expired/);
    await expect(call(grantAccess, grant, { as: owner })).rejects.toMatchObject({ code: 'invalid' });
    expect(await call(revokeAccess, { repoId, agent: 'coder' }, { as: owner })).toEqual({ revoked: true });
    expect(await call(revokeAccess, { repoId, agent: 'coder' }, { as: owner })).toEqual({ revoked: false });
  });

  it('makes an archived repository read-only, for its owner too', async () => {
    const { call, repoId, owner } = await start();
    expect(await call(archiveRepo, { repoId }, { as: owner })).toMatchObject({ status: 'archived' });
    await expect(call(addMaintainer, { repoId, agent: 'coder' }, { as: owner })).rejects.toMatchObject({
      code: 'not_allowed',
    });
    expect(await call(getRepo, { repoId }, { as: owner })).toMatchObject({ status: 'archived' });
  });
});
