import { describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { type KernelForTests, makeKernel } from '../../test/support/kernel.ts';
import { startStory } from '../../test/support/stream-story.ts';
import { registerAgent, showAgent } from '../contract/agents.ts';
import { isSwarmError } from '../contract/errors.ts';
import { addMaintainer, grantAccess, revokeAccess, setConfig } from '../contract/repos.ts';
import { claimTask, createTask, listTasks } from '../contract/tasks.ts';
import { agentOperations } from './agents.ts';
import { branchRuleOperations } from './branch-rules.ts';
import { budgetOperations } from './budgets.ts';
import { councilOperations } from './councils.ts';
import { eventOperations } from './events.ts';
import { karmaOperations } from './karma.ts';
import type { Operation } from './operation.ts';
import type { Need } from './permissions.ts';
import { repoOperations } from './repos.ts';
import { stageOperations } from './stages.ts';
import { taskOperations } from './tasks.ts';
import { undoOperations } from './undo.ts';

const ROLES = ['stranger', 'reader', 'writer', 'claimant', 'maintainer', 'owner', 'suspended'] as const;
type Role = (typeof ROLES)[number];

/** Who passes each need in a repository that admits only agents with a grant, and may be read by none else. */
const PASSES: Partial<Record<Need, Role[]>> = {
  nobody: [...ROLES],
  member: ['stranger', 'reader', 'writer', 'claimant', 'maintainer', 'owner'],
  read: ['reader', 'writer', 'claimant', 'maintainer', 'owner'],
  write: ['writer', 'claimant', 'maintainer', 'owner'],
  maintain: ['maintainer', 'owner'],
  admin: ['owner'],
  claimant: ['claimant'],
  claimant_or_maintain: ['claimant', 'maintainer', 'owner'],
};

/** Inputs that reach the border of each operation; what happens behind it is not looked at here. */
const INPUTS: Record<string, object> = {
  'repo.report_config': { blob: null, config: null },
  'repo.set_config': { changes: {} },
  'repo.hand_over': { server: 'https://swarm.example', orgId: null },
  'maintainer.add': { agent: 'writer' },
  'maintainer.remove': { agent: 'nobody at all' },
  'access.grant': { agent: 'nobody at all', level: 'read' },
  'access.revoke': { agent: 'nobody at all' },
  'access.trust': { agent: 'nobody at all', factor: 1 },
  'access.explain': { agent: 'writer' },
  'agent.show': { agent: 'writer' },
  'agent.update': { agent: 'nobody at all' },
  'agent.suspend': { agent: 'nobody at all' },
  'agent.resume': { agent: 'nobody at all' },
  'agent.rotate_key': { agent: 'nobody at all' },
  'task.create': { title: 'new' },
  'task.next': { claim: false },
  'task.review': { verdict: 'approve' },
  'task.block': { reason: 'why' },
  'budget.deposit': { amount: 1 },
  'budget.withdraw': { amount: 1 },
  'council.unseat': { agent: 'nobody at all' },
  'karma.show': { agent: 'writer' },
  'branch_rule.add': { rule: { pattern: 'x' } },
  'branch_rule.update': { pattern: 'y', changes: {} },
  'branch_rule.remove': { pattern: 'y' },
  'undo.record': { operation: 'x', summary: 'x', data: {} },
};

const operations = [
  ...agentOperations,
  ...repoOperations,
  ...taskOperations,
  ...eventOperations,
  ...undoOperations,
  ...budgetOperations,
  ...councilOperations,
  ...karmaOperations,
  ...stageOperations,
  ...branchRuleOperations,
];

async function seedRoles(kernel: KernelForTests) {
  const { owner, repoId } = await kernel.seedRepo();
  const as = { as: owner };
  const ids = new Map<Role, string>([['owner', owner.id]]);
  for (const name of ROLES.filter((role) => role !== 'owner')) {
    ids.set(name, (await kernel.call(registerAgent, { name })).agent.id);
  }
  const claimant = { id: ids.get('claimant') ?? '' };
  const { id: taskId } = await kernel.call(createTask, { repoId, title: 'held' }, as);
  await kernel.call(claimTask, { task: taskId }, { as: claimant });
  await kernel.call(setConfig, { repoId, changes: { agent_access: 'allowlist', is_private: true } }, as);
  await kernel.call(addMaintainer, { repoId, agent: 'maintainer' }, as);
  await kernel.call(grantAccess, { repoId, agent: 'reader', level: 'read' }, as);
  for (const agent of ['writer', 'claimant', 'suspended']) {
    await kernel.call(grantAccess, { repoId, agent, level: 'write' }, as);
  }
  await kernel.database.write((tx) =>
    tx.updateTable('agent').set({ status: 'suspended' }).where('name', '=', 'suspended').execute(),
  );
  return { repoId, taskId, idOf: (role: Role) => ({ id: ids.get(role) ?? '' }) };
}

/** Whether the border let the call through; refusals with `needs` or about the caller come from the border itself. */
async function passes(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (!isSwarmError(error) || error.details?.issues !== undefined) throw error;
    const atBorder = error.details?.needs !== undefined || /is suspended|Nobody is named/.test(error.message);
    return !(error.code === 'not_allowed' && atBorder);
  }
}

const guarded = operations.filter((operation) => operation.needs !== 'nobody' && operation.on !== 'none');

forEachDatabase((_kind, makeDatabase) => {
  describe.each(guarded.map((operation): [string, Operation] => [operation.endpoint.name, operation]))(
    '%s',
    (name, operation) => {
      it(`is for those with: ${operation.needs}`, async () => {
        const kernel = makeKernel(await makeDatabase(), operations);
        const { repoId, taskId, idOf } = await seedRoles(kernel);
        const input = { repoId, task: taskId, claim: taskId, ...INPUTS[name] };
        const through: Role[] = [];
        // The strongest come last: what they do may take the subject from the others.
        for (const role of ROLES) {
          if (await passes(kernel.call(operation.endpoint, input, { as: idOf(role) }))) through.push(role);
        }
        expect(through).toEqual(PASSES[operation.needs]);
        expect(await passes(kernel.call(operation.endpoint, input))).toBe(false);
      });
    },
  );
});

forEachDatabase((_kind, makeDatabase) => {
  it('where karma opens a repository, one short of it writes nothing, and who has earned it does', async () => {
    const { call, landed, repoId, owner, coder } = await startStory(await makeDatabase(), {
      agents: ['coder'],
    });
    const karma = async () => (await call(showAgent, { agent: 'coder' }, { as: owner })).karma;
    const write = () => call(createTask, { repoId, title: 'mine' }, { as: coder });
    await landed(coder, 'one', owner);
    const earned = await karma();
    const changes = { agent_access: 'karma_threshold', min_karma: earned + 1 };
    await call(setConfig, { repoId, changes }, { as: owner });
    await expect(write()).rejects.toMatchObject({
      code: 'not_allowed',
      details: {
        needs: 'write',
        has: 'read',
        reasons: [`the repository asks for ${earned + 1} karma; the agent has ${earned}`],
      },
    });
    expect((await call(listTasks, { repoId }, { as: coder })).items).toEqual([]);
    await call(grantAccess, { repoId, agent: 'coder', level: 'write' }, { as: owner });
    await landed(coder, 'two', owner);
    await call(revokeAccess, { repoId, agent: 'coder' }, { as: owner });
    expect(await karma()).toBe(earned + 1);
    expect((await write()).title).toBe('mine');
    await call(setConfig, { repoId, changes: { min_karma: earned + 2, is_private: true } }, { as: owner });
    await expect(write()).rejects.toMatchObject({ details: { has: null } });
    await expect(call(listTasks, { repoId }, { as: coder })).rejects.toMatchObject({ code: 'not_allowed' });
  });
});

it('lets a stranger do nothing in a private repository but ask who there is and register', () => {
  const open = operations.filter((operation) => operation.needs === 'nobody' || operation.on === 'none');
  expect(open.map((operation) => operation.endpoint.name).sort()).toEqual([
    'agent.list',
    'agent.register',
    'agent.resume',
    'agent.rotate_key',
    'agent.show',
    'agent.suspend',
    'agent.update',
    'repo.init',
    'repo.report_config',
  ]);
});
