import { expect, it } from 'vitest';
import { COUNCILLORS, type CouncilWish, startCouncil } from '../../test/support/council-story.ts';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { createCouncil, leaveCouncilSeat, takeCouncilSeat } from '../contract/councils.ts';
import { cancelElection, nominate, startElection, startVoting } from '../contract/elections.ts';
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

forEachDatabase((_kind, makeDatabase) => {
  const start = async (wish?: CouncilWish) => startCouncil(await makeDatabase(), wish);

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
      agents: COUNCILLORS,
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
});
