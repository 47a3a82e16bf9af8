import { expect, it } from 'vitest';
import { type CouncilWish, startCouncil } from '../../test/support/council-story.ts';
import { forEachDatabase } from '../../test/support/databases.ts';
import { refusedWith } from '../../test/support/stream-story.ts';
import { suspendAgent } from '../contract/agents.ts';
import { setCouncil, takeCouncilSeat } from '../contract/councils.ts';
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
import { runDue } from '../contract/housekeeping.ts';
import { addMaintainer } from '../contract/repos.ts';

const DAY = 86_400_000;

forEachDatabase((_kind, makeDatabase) => {
  const start = async (wish?: CouncilWish) => startCouncil(await makeDatabase(), wish);

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

  it('before the end of nominations that was announced only a maintainer starts the voting, and none come after it', async () => {
    const { call, clock, repoId, owner, ann, ben, cat, dan } = await start({ minKarma: 0 });
    await call(setCouncil, { repoId, minContributions: 0 }, { as: owner });
    const open = async () => {
      const nominationsEndAt = new Date(clock.now() + DAY).toISOString();
      const { id } = await call(startElection, { repoId, nominationsEndAt }, { as: ann });
      await call(nominate, { election: id }, { as: ben });
      return id;
    };
    const first = await open();
    expect(await refusedWith(call(startVoting, { election: first }, { as: ann }))).toBe('gate_not_met');
    await call(addMaintainer, { repoId, agent: 'ann' }, { as: owner });
    expect(await call(startVoting, { election: first }, { as: ann })).toMatchObject({ status: 'voting' });
    await call(cancelElection, { election: first }, { as: owner });

    const second = await open();
    await call(nominate, { election: second, agent: 'dan' }, { as: ann });
    clock.advance(DAY);
    expect(await refusedWith(call(nominate, { election: second }, { as: cat }))).toBe('wrong_state');
    expect(await refusedWith(call(acceptNomination, { election: second }, { as: dan }))).toBe('wrong_state');
    expect(await call(startVoting, { election: second }, { as: ben })).toMatchObject({ status: 'voting' });
  });

  it('counts no vote of whoever was suspended since', async () => {
    const { call, repoId, owner, ann, ben, cat } = await start();
    const { id } = await call(startElection, { repoId }, { as: owner });
    for (const as of [ann, ben]) await call(nominate, { election: id }, { as });
    await call(startVoting, { election: id }, { as: owner });
    await call(voteInElection, { election: id, candidate: 'ann' }, { as: cat });
    await call(voteInElection, { election: id, candidate: 'ben' }, { as: ben });
    await call(suspendAgent, { agent: 'cat' }, { as: owner });
    expect(await call(showElection, { election: id }, { as: owner })).toMatchObject({ votesCast: 1 });
    const { candidates } = await call(completeElection, { election: id }, { as: owner });
    expect(candidates.map(({ agentName, status }) => [agentName, status])).toEqual([
      ['ann', 'not_elected'],
      ['ben', 'elected'],
    ]);
  });

  it('who sits and is elected begins a new term; of the others only those get a seat for whom one is left', async () => {
    const story = await start({ minKarma: 0, maxMembers: 4 });
    const { call, clock, repoId, owner, ann, ben, cat, dan, council } = story;
    await call(setCouncil, { repoId, minContributions: 0, termLimitMonths: 1 }, { as: owner });
    const { id } = await call(startElection, { repoId, seats: 2 }, { as: owner });
    for (const as of [dan, ann]) await call(nominate, { election: id }, { as });
    await call(startVoting, { election: id }, { as: owner });
    for (const as of [ann, ben]) await call(voteInElection, { election: id, candidate: 'dan' }, { as });
    await call(voteInElection, { election: id, candidate: 'ann' }, { as: cat });
    await call(takeCouncilSeat, { repoId, agent: 'owner' }, { as: owner });
    clock.advance(DAY);
    const ended = await call(completeElection, { election: id }, { as: owner });
    expect(ended.candidates.map(({ agentName, status }) => [agentName, status])).toEqual([
      ['dan', 'not_elected'],
      ['ann', 'elected'],
    ]);
    const { members } = await council();
    expect(members.map(({ agentName, reason }) => [agentName, reason])).toEqual([
      ['ann', 'elected'],
      ['ben', 'founding'],
      ['cat', 'founding'],
      ['owner', 'joined'],
    ]);
    expect(members[0]?.termExpiresAt.slice(0, 10)).toBe('2026-02-02');
    expect(members[1]?.termExpiresAt.slice(0, 10)).toBe('2026-07-01');
  });
});
