import { expect, it } from 'vitest';
import { twoMachines } from '../support/connected.ts';

it('the vote of a member who may only read is told as done, and carried out by whoever may', async () => {
  const { one, two, keys } = await twoMachines();
  const coder = { key: keys.coder };
  await one.ask(['council', 'create', '--min-members', '2', '--quorum', '1']);
  for (const member of ['coder', 'Olga']) await one.ask(['council', 'add-member', member]);
  const wish = [
    'council',
    'propose',
    'change_settings',
    'Ask for two',
    '--data',
    '{"changes":{"min_karma":7}}',
  ];
  const proposal = await one.ask(wish);
  await one.ask(['council', 'vote', proposal.handle, 'for']);
  await one.ask(['config', 'set', 'agent_access', 'allowlist']);
  await one.ask(['repo', 'access', 'grant', 'coder', 'read']);
  const voted = await two.ask(['council', 'vote', proposal.handle, 'for'], coder);
  expect(voted).toMatchObject({ status: 'passed', executed: false });
  await two.ask(['tick']);
  const [carriedOut] = await one.ask(['council', 'proposals']);
  expect(carriedOut).toMatchObject({ status: 'passed', executed: true, execution: { ok: true } });
});
