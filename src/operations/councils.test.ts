import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { resumeAgent, suspendAgent } from '../contract/agents.ts';
import {
  createCouncil,
  dissolveCouncil,
  leaveCouncilSeat,
  setCouncil,
  showCouncil,
  takeCouncilSeat,
} from '../contract/councils.ts';
import {
  acceptNomination,
  cancelElection,
  completeElection,
  nominate,
  showElection,
  startElection,
  startVoting,
  voteInElection,
} from '../contract/elections.ts';
import { listEvents } from '../contract/events.ts';
import { runDue } from '../contract/housekeeping.ts';
import { requestMerge } from '../contract/merges.ts';
import {
  beginProposal,
  createProposal,
  recordExecution,
  showProposal,
  voteOnProposal,
  withdrawProposal,
} from '../contract/proposals.ts';
import {
  addMaintainer,
  archiveRepo,
  explainAccess,
  listMaintainers,
  removeMaintainer,
} from '../contract/repos.ts';

const DAY = 86_400_000;
const NAMES = ['ann', 'ben', 'cat', 'dan'] as const;

forEachDatabase((_kind, makeDatabase) => {
  async function start(
    { seats = 3, ...rules } = {} as {
      seats?: number;
      minKarma?: number;
      maxMembers?: number;
      criticalQuorum?: number;
    },
  ) {
    const story = await startStory(await makeDatabase(), { agents: NAMES });
    const { call, repoId, owner } = story;
    await call(createCouncil, { repoId, standardQuorum: 2, criticalQuorum: 3, ...rules }, { as: owner });
    for (const agent of NAMES.slice(0, seats)) await call(takeCouncilSeat, { repoId, agent }, { as: owner });
    const council = () => call(showCouncil, { repoId }, { as: owner });
    const propose = (as: { id: string }, target: string = story.dan.id) =>
      call(createProposal, { repoId, type: 'add_maintainer', title: 'help', target }, { as });
    const vote = (as: { id: string }, proposal: { id: string }, word: 'for' | 'against' | 'abstain') =>
      call(voteOnProposal, { proposal: proposal.id, vote: word }, { as });
    return { ...story, council, propose, vote };
  }

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

  it('acts as a council only on what is being carried out, exactly that, and once', async () => {
    const { call, repoId, owner, ann, ben, cat, dan, propose, vote } = await start();
    const proposal = await propose(ann);
    await vote(ann, proposal, 'for');
    const add = (as: { id: string }, agent = dan.id) => call(addMaintainer, { repoId, agent }, { as });
    const early = call(beginProposal, { proposal: proposal.id, plan: {} }, { as: owner });
    expect(await refusedWith(early)).toBe('wrong_state');
    await vote(ben, proposal, 'for');
    await vote(cat, proposal, 'for').catch(() => undefined);
    const { councilAgentId } = await call(beginProposal, { proposal: proposal.id, plan: {} }, { as: dan });
    const council = { id: councilAgentId };
    expect(await refusedWith(add(council, cat.id))).toBe('not_allowed');
    expect(await refusedWith(call(removeMaintainer, { repoId, agent: owner.id }, { as: council }))).toBe(
      'not_allowed',
    );
    expect(await add(council)).toMatchObject({ role: 'maintainer', addedBy: councilAgentId });
    const execution = { ok: true, result: { n: 1 } };
    const record = (as: { id: string }, what: typeof execution) =>
      call(recordExecution, { proposal: proposal.id, execution: what }, { as });
    expect(await refusedWith(record(ben, execution))).toBe('not_allowed');
    await record(council, execution);
    const shown = await record(owner, { ok: false, result: { n: 2 } });
    expect(shown).toMatchObject({ executed: true, execution });
    expect(await refusedWith(add(council))).toBe('not_allowed');
    expect((await call(explainAccess, { repoId, agent: councilAgentId }, { as: owner })).level).toBeNull();
    const { items } = await call(listMaintainers, { repoId }, { as: owner });
    expect(items.map(({ agent }) => agent.name)).toEqual(['owner', 'dan']);
    const told = await call(listEvents, { repoId, type: 'proposal.executed' }, { as: owner });
    expect(told.items).toHaveLength(1);
  });

  it('adds a maintainer and never makes an owner less than that', async () => {
    const { call, repoId, owner, ann, ben, cat, dan, propose, vote } = await start();
    await call(addMaintainer, { repoId, agent: 'dan', role: 'owner' }, { as: owner });
    const proposal = await propose(ann);
    for (const as of [ann, ben]) await vote(as, proposal, 'for');
    const { councilAgentId } = await call(beginProposal, { proposal: proposal.id, plan: {} }, { as: cat });
    for (const role of [undefined, 'maintainer'] as const) {
      const wish = { repoId, agent: dan.id, role };
      expect(await call(addMaintainer, wish, { as: { id: councilAgentId } })).toMatchObject({
        role: 'owner',
      });
    }
  });

  it('decides and changes nothing in an archived repository, and what it had decided is not carried out', async () => {
    const { call, clock, repoId, owner, ann, ben, cat, dan, propose, vote } = await start();
    const [passed, begun, open] = [await propose(ann), await propose(ann), await propose(ann, owner.id)];
    for (const proposal of [passed, begun]) for (const as of [ann, ben]) await vote(as, proposal, 'for');
    const begin = (proposal: { id: string }) =>
      call(beginProposal, { proposal: proposal.id, plan: {} }, { as: cat });
    const council = { id: (await begin(begun)).councilAgentId };
    for (const as of [ann, ben]) await vote(as, open, 'abstain');
    const { id: election } = await call(startElection, { repoId }, { as: ann });
    await call(archiveRepo, { repoId }, { as: owner });
    const tries = [
      () => call(addMaintainer, { repoId, agent: dan.id }, { as: council }),
      () => begin(passed),
      () => propose(ann),
      () => vote(cat, open, 'for'),
      () => call(withdrawProposal, { proposal: open.id }, { as: ann }),
      () => call(leaveCouncilSeat, { repoId, agent: 'ann' }, { as: ann }),
      () => call(startVoting, { election }, { as: ann }),
      () => call(cancelElection, { election }, { as: ann }),
      () => call(nominate, { election }, { as: ann }),
    ];
    for (const each of tries) expect(await refusedWith(each())).toBe('not_allowed');
    const access = await call(explainAccess, { repoId, agent: council.id }, { as: owner });
    expect(access).toMatchObject({ level: 'read' });
    clock.advance(8 * DAY);
    await call(runDue, { repoId });
    const show = async (id: string) => (await call(showProposal, { proposal: id }, { as: dan })).status;
    expect(await show(open.id)).toBe('open');
    expect((await call(listMaintainers, { repoId }, { as: dan })).items).toHaveLength(1);
  });

  it('performs a landing in a gated repository, but never takes the place of consensus', async () => {
    const database = await makeDatabase();
    const story = await startStory(database, {
      agents: NAMES,
      config: { merge_mode: 'gated' },
      maintainers: ['dan'],
    });
    const { call, repoId, owner, ann, ben, cat, dan, stream, submit, verdict, prepare } = story;
    await call(createCouncil, { repoId, standardQuorum: 2 }, { as: owner });
    for (const agent of ['ann', 'ben', 'cat']) await call(takeCouncilSeat, { repoId, agent }, { as: owner });
    const { id } = await stream(ann, 'work');
    await submit(ann, id, factsOf('work'));
    const decide = async (title: string) => {
      const wish = { repoId, type: 'merge_stream' as const, title, target: id };
      const proposal = await call(createProposal, wish, { as: ann });
      for (const as of [ben, cat]) await call(voteOnProposal, { proposal: proposal.id, vote: 'for' }, { as });
      return call(beginProposal, { proposal: proposal.id, plan: { head: oid('work') } }, { as: ben });
    };
    const first = await decide('too early');
    const request = (as: { id: string }) =>
      call(requestMerge, { stream: id, facts: factsOf('work') }, { as });
    expect(await refusedWith(request({ id: first.councilAgentId }))).toBe('gate_not_met');
    await verdict(dan, id);
    expect(await refusedWith(request(ann))).toBe('not_allowed');
    const { merge } = await request({ id: first.councilAgentId });
    expect(await prepare(ben, merge)).toMatchObject({ state: 'prepared', requestedBy: first.councilAgentId });
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

  it('elects: nominations, acceptance, votes, seats with a term that ends', async () => {
    const { call, clock, repoId, owner, ann, ben, cat, dan, council, landed } = await start({ minKarma: 0 });
    await call(setCouncil, { repoId, minContributions: 1, termLimitMonths: 1 }, { as: owner });
    await call(addMaintainer, { repoId, agent: 'ann' }, { as: owner });
    const { id } = await call(startElection, { repoId, seats: 1 }, { as: ann });
    expect(await refusedWith(call(startElection, { repoId }, { as: owner }))).toBe('already_exists');
    const propose = (as: { id: string }, agent: string) => call(nominate, { election: id, agent }, { as });
    expect(await refusedWith(propose(ann, dan.id))).toBe('gate_not_met');
    await landed(dan, 'work', ann);
    await propose(ann, dan.id);
    expect(await refusedWith(call(startVoting, { election: id }, { as: ann }))).toBe('gate_not_met');
    await call(acceptNomination, { election: id }, { as: dan });
    await call(nominate, { election: id }, { as: ben });
    await call(startVoting, { election: id }, { as: ann });
    expect(await refusedWith(propose(ann, cat.id))).toBe('wrong_state');
    const vote = (as: { id: string }, candidate: string) =>
      call(voteInElection, { election: id, candidate }, { as });
    expect(await refusedWith(vote(ann, cat.id))).toBe('invalid');
    await vote(ann, ben.id);
    await vote(ann, dan.id);
    await vote(dan, dan.id);
    await vote(ben, ben.id);
    const ended = await call(completeElection, { election: id }, { as: ann });
    expect(ended.candidates.map(({ agentName, votes, status }) => [agentName, votes, status])).toEqual([
      ['dan', 2, 'elected'],
      ['ben', 1, 'not_elected'],
    ]);
    expect((await council()).members.at(-1)).toMatchObject({ agentName: 'dan', reason: 'elected' });
    clock.advance(32 * DAY);
    await call(runDue, { repoId });
    expect((await council()).members.map(({ agentName }) => agentName)).toEqual(['ann', 'ben', 'cat']);
  });

  it('ends the phases of an election by time, and lets nobody vote without a stake', async () => {
    const { call, clock, repoId, owner, ben, dan } = await start();
    const at = (days: number) => new Date(clock.now() + days * DAY).toISOString();
    const times = { nominationsEndAt: at(1), votingEndAt: at(2) };
    const { id } = await call(startElection, { repoId, ...times }, { as: owner });
    await call(nominate, { election: id }, { as: ben });
    clock.advance(DAY + 1000);
    expect(await call(runDue, { repoId })).toMatchObject({ elections: 1 });
    const vote = (as: { id: string }) => call(voteInElection, { election: id, candidate: 'ben' }, { as });
    expect(await refusedWith(vote(dan))).toBe('not_allowed');
    await vote(ben);
    expect(await refusedWith(call(completeElection, { election: id }, { as: ben }))).toBe('gate_not_met');
    clock.advance(DAY);
    await call(runDue, { repoId });
    expect(await call(showElection, { election: id }, { as: owner })).toMatchObject({ status: 'completed' });
    const other = await call(startElection, { repoId }, { as: owner });
    expect(await call(cancelElection, { election: other.id }, { as: owner })).toMatchObject({
      status: 'cancelled',
    });
  });
});
