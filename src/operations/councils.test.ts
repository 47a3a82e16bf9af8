import { expect, it } from 'vitest';
import { type CouncilWish, startCouncil } from '../../test/support/council-story.ts';
import { forEachDatabase } from '../../test/support/databases.ts';
import { refusedWith } from '../../test/support/stream-story.ts';
import { resumeAgent, suspendAgent } from '../contract/agents.ts';
import {
  createCouncil,
  dissolveCouncil,
  leaveCouncilSeat,
  setCouncil,
  takeCouncilSeat,
} from '../contract/councils.ts';
import { listEvents } from '../contract/events.ts';
import { runDue } from '../contract/housekeeping.ts';
import { createProposal, showProposal, withdrawProposal } from '../contract/proposals.ts';

const DAY = 86_400_000;

forEachDatabase((_kind, makeDatabase) => {
  const start = async (wish?: CouncilWish) => startCouncil(await makeDatabase(), wish);

  it('forms until enough are seated, and forms again when too few are left', async () => {
    const { call, repoId, owner, ann, ben, council } = await start({ seats: 2 });
    expect((await council()).status).toBe('forming');
    await call(takeCouncilSeat, { repoId, agent: 'cat' }, { as: owner });
    expect(await council()).toMatchObject({
      status: 'active',
      seated: 3,
      quorum: { standard: 2, critical: 3 },
    });
    expect(await refusedWith(call(leaveCouncilSeat, { repoId, agent: ben.id }, { as: ann }))).toBe(
      'not_allowed',
    );
    await call(leaveCouncilSeat, { repoId, agent: ann.id }, { as: ann });
    expect((await council()).status).toBe('forming');
  });

  it('lets an owner seat the first ones without the gate, and says so; later ones pass it', async () => {
    const { call, repoId, owner, dan, council } = await start();
    expect((await council()).members.map(({ reason }) => reason)).toEqual([
      'founding',
      'founding',
      'founding',
    ]);
    expect(await refusedWith(call(takeCouncilSeat, { repoId, agent: 'dan' }, { as: owner }))).toBe(
      'gate_not_met',
    );
    expect(await refusedWith(call(takeCouncilSeat, { repoId }, { as: dan }))).toBe('gate_not_met');
    await call(setCouncil, { repoId, minKarma: 0, minContributions: 0 }, { as: owner });
    await call(takeCouncilSeat, { repoId }, { as: dan });
    expect((await council()).members.at(-1)).toMatchObject({ agentName: 'dan', reason: 'joined' });
  });

  it('is full when it is full, and has one chair', async () => {
    const { call, repoId, owner, dan, council } = await start({ minKarma: 0, maxMembers: 3 });
    await call(setCouncil, { repoId, minContributions: 0 }, { as: owner });
    expect(await refusedWith(call(takeCouncilSeat, { repoId }, { as: dan }))).toBe('gate_not_met');
    await call(takeCouncilSeat, { repoId, agent: 'ann', role: 'chair' }, { as: owner });
    await call(takeCouncilSeat, { repoId, agent: 'ben', role: 'chair' }, { as: owner });
    expect((await council()).members.map(({ role }) => role)).toEqual(['member', 'chair', 'member']);
  });

  it('a role that is given or laid down leaves the term as it is', async () => {
    const { call, clock, repoId, owner, ben, council } = await start();
    const terms = async () =>
      (await council()).members.map(({ termExpiresAt, reason }) => [termExpiresAt, reason]);
    const before = await terms();
    clock.advance(30 * DAY);
    await call(takeCouncilSeat, { repoId, agent: 'ben', role: 'chair' }, { as: owner });
    expect((await council()).members[1]).toMatchObject({ role: 'chair' });
    await call(takeCouncilSeat, { repoId, role: 'member' }, { as: ben });
    expect((await council()).members[1]).toMatchObject({ role: 'member' });
    expect(await terms()).toEqual(before);
  });

  it('founding seats are given once, however small it becomes', async () => {
    const { call, repoId, owner, ann, council } = await start({ seats: 2 });
    const found = (agent: string) => call(takeCouncilSeat, { repoId, agent }, { as: owner });
    await call(takeCouncilSeat, { repoId, agent: 'ann', role: 'chair' }, { as: owner });
    await call(leaveCouncilSeat, { repoId, agent: 'ann' }, { as: ann });
    await found('cat');
    expect((await council()).seated).toBe(2);
    for (const agent of ['dan', 'ann']) expect(await refusedWith(found(agent))).toBe('gate_not_met');
  });

  it('takes one vote of each member, who may change it, and none of others', async () => {
    const { ann, ben, cat, dan, owner, propose, vote } = await start();
    expect(await refusedWith(propose(dan))).toBe('not_allowed');
    const proposal = await propose(ann);
    expect(await refusedWith(vote(dan, proposal, 'for'))).toBe('not_allowed');
    expect(await refusedWith(vote(owner, proposal, 'for'))).toBe('not_allowed');
    await vote(ann, proposal, 'for');
    expect(await vote(ann, proposal, 'against')).toMatchObject({
      votesFor: 0,
      votesAgainst: 1,
      status: 'open',
    });
    await vote(ben, proposal, 'for');
    await vote(ann, proposal, 'abstain');
    expect(await vote(cat, proposal, 'for')).toMatchObject({
      status: 'passed',
      votesFor: 2,
      votesAbstain: 1,
    });
    expect(await refusedWith(vote(ann, proposal, 'against'))).toBe('wrong_state');
  });

  it('decides nothing while it forms, and counts only those who are seated', async () => {
    const { call, repoId, ann, ben, cat, owner, propose, vote } = await start();
    const proposal = await propose(ann);
    await vote(cat, proposal, 'against');
    await call(leaveCouncilSeat, { repoId, agent: 'cat' }, { as: cat });
    expect(await refusedWith(vote(ann, proposal, 'for'))).toBe('gate_not_met');
    await call(setCouncil, { repoId, minMembers: 2 }, { as: owner });
    expect(await vote(ann, proposal, 'for')).toMatchObject({ votesFor: 1, votesAgainst: 0, status: 'open' });
    expect((await vote(ben, proposal, 'for')).status).toBe('passed');
  });

  it('a suspended member has no vote', async () => {
    const { call, ann, ben, owner, council, propose, vote } = await start();
    const proposal = await propose(ann);
    await vote(ben, proposal, 'for');
    await call(suspendAgent, { agent: 'ben' }, { as: owner });
    expect((await council()).seated).toBe(2);
    expect(await call(showProposal, { proposal: proposal.id }, { as: owner })).toMatchObject({ votesFor: 0 });
  });

  it('forms again while a member is suspended, and says so', async () => {
    const { call, repoId, owner, ann, council, propose, vote } = await start();
    const proposal = await propose(ann);
    await call(suspendAgent, { agent: 'cat' }, { as: owner });
    expect((await council()).status).toBe('forming');
    expect(await refusedWith(vote(ann, proposal, 'for'))).toBe('gate_not_met');
    expect(await refusedWith(propose(ann))).toBe('gate_not_met');
    await call(resumeAgent, { agent: 'cat' }, { as: owner });
    expect(await vote(ann, proposal, 'for')).toMatchObject({ status: 'open', votesFor: 1 });
    const { items } = await call(listEvents, { repoId, after: '' }, { as: owner });
    const told = items.map(({ type }) => type).filter((type) => /council.(forming|activated)/.test(type));
    expect(told).toEqual(['council.activated', 'council.forming', 'council.activated']);
  });

  it('decides nothing from the moment a term has ended, whether anybody has looked or not', async () => {
    const { call, clock, repoId, owner, ann, ben, council, propose, vote } = await start({ seats: 2 });
    await call(setCouncil, { repoId, termLimitMonths: 1 }, { as: owner });
    await call(takeCouncilSeat, { repoId, agent: 'cat' }, { as: owner });
    clock.advance(29 * DAY);
    const proposal = await propose(ann);
    await vote(ann, proposal, 'for');
    clock.advance(4 * DAY);
    expect(await council()).toMatchObject({ status: 'forming', seated: 2, nextElectionDue: null });
    expect(await refusedWith(vote(ben, proposal, 'for'))).toBe('gate_not_met');
    const shown = await call(showProposal, { proposal: proposal.id }, { as: owner });
    expect(shown).toMatchObject({ status: 'open', votesFor: 1 });
    clock.advance(4 * DAY);
    await call(runDue, { repoId });
    expect((await call(showProposal, { proposal: proposal.id }, { as: owner })).status).toBe('expired');
  });

  it('ends a vote after seven days: by what is there with a quorum, without one by nothing', async () => {
    const { call, clock, repoId, ann, ben, dan, owner, propose, vote } = await start();
    const quorate = await propose(ann);
    await vote(ann, quorate, 'for');
    await vote(ben, quorate, 'abstain');
    const lonely = await propose(ben, owner.id);
    await vote(ann, lonely, 'for');
    clock.advance(7 * DAY - 60_000);
    expect(await call(runDue, { repoId })).toMatchObject({ resolved: 0 });
    clock.advance(60_001);
    expect(await call(runDue, { repoId })).toMatchObject({ resolved: 2 });
    const status = async (id: string) => (await call(showProposal, { proposal: id }, { as: dan })).status;
    expect([await status(quorate.id), await status(lonely.id)]).toEqual(['passed', 'expired']);
  });

  it('is withdrawn by who proposed it or an owner', async () => {
    const { call, ann, ben, propose } = await start();
    const proposal = await propose(ann);
    const withdraw = (as: { id: string }) => call(withdrawProposal, { proposal: proposal.id }, { as });
    expect(await refusedWith(withdraw(ben))).toBe('not_allowed');
    expect((await withdraw(ann)).status).toBe('withdrawn');
  });

  it.each([
    ['add_maintainer', {}, 'invalid'],
    ['add_maintainer', { target: 'nobody' }, 'not_found'],
    ['add_maintainer', { target: 'dan', data: { role: 'owner' } }, 'invalid'],
    ['modify_access', { target: 'dan', data: { level: 'god' } }, 'invalid'],
    ['change_settings', { data: { changes: { min_reviews: 'many' } } }, 'invalid'],
    ['change_settings', { data: { changes: { no_such: 1 } } }, 'usage'],
    ['change_settings', { data: { changes: { min_reviews: 1 } } }, 'invalid'],
    ['merge_stream', { target: 's-none' }, 'not_found'],
    ['promote', { data: { force: true } }, 'invalid'],
  ] as const)('refuses a proposal to %s with %j', async (type, more, code) => {
    const { call, repoId, ann } = await start();
    expect(await refusedWith(call(createProposal, { repoId, type, title: 'x', ...more }, { as: ann }))).toBe(
      code,
    );
  });

  it('ends what is open when it is dissolved, and another may be made', async () => {
    const { call, repoId, owner, ann, ben, propose, vote, cat } = await start();
    const open = await propose(ann);
    const passed = await propose(ann, ben.id);
    await vote(ann, passed, 'for');
    await vote(ben, passed, 'for');
    await vote(cat, passed, 'for').catch(() => undefined);
    expect((await call(dissolveCouncil, { repoId }, { as: owner })).status).toBe('dissolved');
    const show = (id: string) => call(showProposal, { proposal: id }, { as: owner });
    expect(await show(open.id)).toMatchObject({ status: 'withdrawn' });
    expect(await show(passed.id)).toMatchObject({
      status: 'passed',
      executed: true,
      execution: { ok: false },
    });
    expect((await call(createCouncil, { repoId }, { as: owner })).status).toBe('forming');
  });
});
