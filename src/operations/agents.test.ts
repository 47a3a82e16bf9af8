import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { makeKernel } from '../../test/support/kernel.ts';
import {
  listAgents,
  registerAgent,
  resumeAgent,
  rotateAgentKey,
  showAgent,
  suspendAgent,
  updateAgent,
} from '../contract/agents.ts';
import { addMaintainer } from '../contract/repos.ts';
import { findAgent } from '../domain/agents/agents-store.ts';
import { hashApiKey } from '../domain/agents/api-keys.ts';
import { agentOperations } from './agents.ts';
import { repoOperations } from './repos.ts';

forEachDatabase((_kind, makeDatabase) => {
  async function start() {
    const kernel = makeKernel(await makeDatabase(), [...agentOperations, ...repoOperations]);
    const seed = await kernel.seedRepo({ agents: ['coder', 'reviewer'] });
    return { ...kernel, ...seed };
  }

  it('registers an agent and stores only the hash of its key', async () => {
    const { call, database } = await start();
    const { agent, apiKey } = await call(registerAgent, { name: 'Ünï Côder', description: 'writes' });
    expect(apiKey).toMatch(/^gsw_[0-9a-f]{64}$/);
    expect(agent).toMatchObject({
      name: 'Ünï Côder',
      kind: 'agent',
      status: 'active',
      karma: 0,
      operator: null,
    });
    const row = await findAgent(database.read, agent.id);
    expect(row?.api_key_hash).toBe(hashApiKey(apiKey));
    expect(row?.slug).toBe('uni-coder');
  });

  it('refuses a name that is taken, and numbers slugs that would be the same', async () => {
    const { call, database } = await start();
    await expect(call(registerAgent, { name: 'coder' })).rejects.toMatchObject({ code: 'already_exists' });
    const slugs = [];
    for (const name of ['Coder', 'coder!', '猫', '犬', `${'x'.repeat(50)}1`, `${'x'.repeat(50)}2`]) {
      const { agent } = await call(registerAgent, { name });
      slugs.push((await findAgent(database.read, agent.id))?.slug);
    }
    const x38 = 'x'.repeat(38);
    expect(slugs).toEqual(['coder-2', 'coder-3', 'agent', 'agent-2', `${x38}xx`, `${x38}-2`]);
  });

  it('lets only an owner vouch for a person or an operator', async () => {
    const { call, owner, coder } = await start();
    for (const extra of [{ kind: 'human' as const }, { operator: 'acme' }]) {
      for (const as of [undefined, coder]) {
        const refused = call(registerAgent, { name: 'new', ...extra }, { as });
        await expect(refused).rejects.toMatchObject({ code: 'not_allowed' });
      }
    }
    const { agent } = await call(
      registerAgent,
      { name: 'ann', kind: 'human', operator: 'acme' },
      { as: owner },
    );
    expect(agent).toMatchObject({ kind: 'human', operator: 'acme' });
    const elsewhere = call(registerAgent, { name: 'bob', kind: 'human' }, { as: owner, repoId: null });
    await expect(elsewhere).rejects.toMatchObject({ code: 'not_allowed' });
  });

  it('answers the same request with the same agent, but never shows the key again', async () => {
    const { call, owner } = await start();
    const first = await call(registerAgent, { name: 'new' }, { as: owner, key: 'k1' });
    const second = await call(registerAgent, { name: 'new' }, { as: owner, key: 'k1' });
    expect(second).toEqual({ agent: first.agent, apiKey: '' });
  });

  it('lists agents by name, page by page', async () => {
    const { call, coder } = await start();
    const first = await call(listAgents, { limit: 2 }, { as: coder });
    expect(first.items.map((a) => a.name)).toEqual(['coder', 'owner']);
    const second = await call(listAgents, { limit: 2, cursor: first.nextCursor ?? '' }, { as: coder });
    expect(second.items.map((a) => a.name)).toEqual(['reviewer']);
    expect(second.nextCursor).toBeNull();
    await expect(call(listAgents, { cursor: '???' }, { as: coder })).rejects.toMatchObject({
      code: 'invalid',
    });
  });

  it('finds an agent by id, handle, the beginning of either, or name', async () => {
    const { call, coder } = await start();
    const agent = await call(showAgent, { agent: 'coder' }, { as: coder });
    for (const ref of [agent.id, agent.handle, agent.handle.slice(2), agent.id.slice(0, 30)]) {
      expect((await call(showAgent, { agent: ref }, { as: coder })).id).toBe(agent.id);
    }
    await expect(call(showAgent, { agent: 'nobody' }, { as: coder })).rejects.toMatchObject({
      code: 'not_found',
      fix: 'gitswarm agent register nobody',
    });
  });

  it('lets an agent and an owner change it, and nobody else', async () => {
    const { call, owner, coder, reviewer } = await start();
    expect(await call(updateAgent, { agent: 'coder', role: 'tester' }, { as: coder })).toMatchObject({
      role: 'tester',
    });
    expect(await call(updateAgent, { agent: 'coder', role: null }, { as: owner })).toMatchObject({
      role: null,
    });
    for (const endpoint of [suspendAgent, resumeAgent, rotateAgentKey, updateAgent]) {
      const refused = call(endpoint, { agent: 'coder' }, { as: reviewer });
      await expect(refused).rejects.toMatchObject({ code: 'not_allowed' });
    }
  });

  it('lets a suspended agent do nothing until an owner resumes it', async () => {
    const { call, owner, coder } = await start();
    await call(suspendAgent, { agent: 'coder', reason: 'loops' }, { as: owner });
    const attempts = [
      () => call(resumeAgent, { agent: 'coder' }, { as: coder }),
      () => call(registerAgent, { name: 'other' }, { as: coder }),
      () => call(listAgents, {}, { as: coder }),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'not_allowed' });
    expect(await call(resumeAgent, { agent: 'coder' }, { as: owner })).toMatchObject({ status: 'active' });
    await call(listAgents, {}, { as: coder });
  });

  it('never suspends the last active owner', async () => {
    const { call, owner, repoId } = await start();
    const suspend = () => call(suspendAgent, { agent: 'owner' }, { as: owner });
    await expect(suspend()).rejects.toMatchObject({ code: 'conflict' });
    await call(addMaintainer, { repoId, agent: 'coder', role: 'owner' }, { as: owner });
    await call(suspendAgent, { agent: 'coder' }, { as: owner });
    await expect(suspend()).rejects.toMatchObject({ code: 'conflict' });
    await call(resumeAgent, { agent: 'coder' }, { as: owner });
    expect(await suspend()).toMatchObject({ status: 'suspended' });
  });

  it('gives a new key and forgets the old one', async () => {
    const { call, database, coder } = await start();
    const { apiKey } = await call(rotateAgentKey, { agent: 'coder' }, { as: coder });
    const row = await findAgent(database.read, coder.id);
    expect(row?.api_key_hash).toBe(hashApiKey(apiKey));
    expect(row?.api_key_hash).not.toBe(hashApiKey(coder.apiKey));
  });
});
