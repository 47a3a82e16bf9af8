import { expect, it } from 'vitest';
import { cliFixture } from '../../../test/support/cli.ts';

it('owners fill a budget, tasks promise and pay from it, and the ledger shows all of it', () => {
  const cli = cliFixture({ model: 'guild' });
  expect(cli.json(['budget', 'deposit', '10', '--as', 'coder'])).toMatchObject({ code: 4 });
  expect(cli.json(['task', 'create', 'x', '--amount', '5', '--as', 'Olga'])).toMatchObject({
    code: 8,
    error: { code: 'limited', fix: 'gitswarm budget deposit 5' },
  });
  expect(cli.json(['budget', 'deposit', 'much', '--as', 'Olga'])).toMatchObject({ code: 2 });
  cli.data(['budget', 'deposit', '100', '--as', 'Olga']);
  const task = cli.data(['task', 'create', 'Add a cache', '--amount', '40', '--as', 'Olga']);
  expect(task.amount).toBe(40);
  cli.data(['task', 'claim', task.handle, '--as', 'coder']);
  cli.data(['task', 'submit', task.handle, '--as', 'coder']);
  cli.data(['task', 'review', task.handle, 'approve', '--as', 'Olga']);
  expect(cli.data(['budget', 'show'])).toMatchObject({ available: 60, reserved: 0, paid: 40, total: 60 });
  const ledger = cli.data(['budget', 'transactions']);
  expect(ledger.map((entry: { type: string }) => entry.type)).toEqual([
    'payout',
    'bounty_reserve',
    'deposit',
  ]);
  expect(cli.run(['budget', 'transactions']).stdout).toContain('coder');
});

it('a council is made, seated, proposes, votes, and what it decides is done', () => {
  const cli = cliFixture({ model: 'guild' });
  const asOlga = ['--as', 'Olga'];
  expect(cli.json(['council', 'show'])).toMatchObject({ code: 3, error: { fix: 'gitswarm council create' } });
  cli.data(['council', 'create', '--min-members', '2', '--quorum', '2', ...asOlga]);
  cli.data(['council', 'add-member', 'coder', ...asOlga]);
  expect(cli.data(['council', 'add-member', 'bob', '--role', 'chair', ...asOlga])).toMatchObject({
    status: 'active',
    seated: 2,
    quorum: { standard: 2, critical: 2 },
  });
  expect(cli.json(['council', 'propose', 'add_maintainr', 'x', '--as', 'bob'])).toMatchObject({
    code: 2,
    error: { message: expect.stringContaining('add_maintainer') },
  });
  const propose = ['council', 'propose', 'add-maintainer', 'Bob helps', '--target', 'bob', '--as', 'coder'];
  const proposal = cli.data(propose);
  expect(proposal).toMatchObject({ status: 'open', tier: 'standard', handle: expect.stringMatching(/^p-/) });
  expect(cli.json(['council', 'vote', proposal.handle, 'for'])).toMatchObject({ code: 2 });
  cli.data(['council', 'vote', proposal.handle, 'for', '--as', 'coder']);
  expect(cli.data(['council', 'vote', proposal.handle, 'for', '--as', 'bob'])).toMatchObject({
    status: 'passed',
    executed: true,
    execution: { ok: true },
  });
  expect(cli.run(['council', 'proposals']).stdout).toContain('carried out');
  expect(cli.data(['repo', 'maintainer', 'list'])).toHaveLength(2);
  // The council is nobody one could act as.
  const council = `council of ${cli.data(['repo', 'list'])[0].handle}`;
  expect(cli.json(['repo', 'maintainer', 'remove', 'bob', '--as', council])).toMatchObject({ code: 4 });
  expect(cli.data(['agent', 'list']).map((agent: { name: string }) => agent.name)).not.toContain(council);
});

it('stage, karma, orgs, branch rules and notifications answer programs and people', () => {
  const cli = cliFixture({ model: 'guild' });
  expect(cli.data(['stage', 'show'])).toMatchObject({ stage: 'seed', next: 'growth', eligible: false });
  expect(cli.json(['stage', 'advance', '--as', 'Olga'])).toMatchObject({ code: 6 });
  expect(cli.data(['stage', 'advance', '--force', '--as', 'Olga'])).toMatchObject({ stage: 'growth' });
  expect(cli.data(['karma', 'show', 'coder'])).toMatchObject({
    karma: 0,
    reviewer: { accuracy: 0.5 },
    items: [],
  });
  expect(cli.data(['org', 'show', '--as', 'coder'])).toMatchObject({ name: 'coder', personal: true });
  expect(
    cli.data(['repo', 'branch-rule', 'add', 'buffer', '--approvals', '2', '--tests', '--as', 'Olga']),
  ).toMatchObject({
    items: [{ pattern: 'buffer', required_approvals: 2, require_tests_pass: true }],
  });
  expect(
    cli.data(['repo', 'branch-rule', 'update', 'buffer', '--no-tests', '--as', 'Olga']).items[0],
  ).toMatchObject({
    require_tests_pass: false,
    required_approvals: 2,
  });
  expect(cli.run(['repo', 'branch-rule', 'list']).stdout).toContain('2 approvals');
  cli.data(['notifications', 'set', '--events', 'maintainer.*', '--as', 'coder']);
  cli.data(['repo', 'maintainer', 'add', 'coder', '--as', 'Olga']);
  cli.data(['tick', '--offline']);
  expect(cli.data(['notifications', 'list', '--unread', '--as', 'coder'])).toMatchObject([
    { type: 'maintainer.added', actorName: 'Olga', read: false },
  ]);
  expect(cli.data(['notifications', 'read', '--as', 'coder'])).toEqual({ read: 1, unread: 0 });
});

it('access is granted, taken away and explained, with the rule that decides', () => {
  const cli = cliFixture({ model: 'guild' });
  const asOlga = ['--as', 'Olga'];
  const explain = (agent: string) => cli.data(['repo', 'access', 'explain', agent]);
  expect(explain('Olga')).toMatchObject({
    agent: { name: 'Olga' },
    level: 'admin',
    reasons: ['is an owner of the repository'],
  });
  expect(explain('coder')).toMatchObject({
    level: 'write',
    reasons: ['the repository is open to every registered agent'],
  });
  cli.data(['config', 'set', 'agent_access', 'allowlist', ...asOlga]);
  expect(explain('coder')).toMatchObject({ level: 'read' });
  cli.data(['repo', 'access', 'grant', 'coder', 'maintain', ...asOlga]);
  expect(explain('coder')).toMatchObject({ level: 'maintain', reasons: ['granted maintain'] });
  expect(cli.run(['repo', 'access', 'explain', 'coder'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('coder: maintain access\n  granted maintain\n'),
  });
  cli.data(['repo', 'access', 'revoke', 'coder', ...asOlga]);
  cli.data(['agent', 'suspend', 'coder', ...asOlga]);
  expect(explain('coder')).toMatchObject({ level: null, reasons: ['the agent is suspended'] });
  expect(cli.run(['repo', 'access', 'explain', 'coder']).stdout).toContain('coder: no access');
  expect(cli.json(['repo', 'access', 'explain', 'nobody'])).toMatchObject({
    code: 3,
    error: { code: 'not_found' },
  });
  expect(cli.json(['repo', 'access', 'explain'])).toMatchObject({ code: 2, error: { code: 'usage' } });
});
