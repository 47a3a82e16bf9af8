import { beforeAll, describe, expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, nothingLeft, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { newId } from '../base/ids.ts';
import { suspendAgent } from '../contract/agents.ts';
import { createCouncil, takeCouncilSeat } from '../contract/councils.ts';
import { startElection } from '../contract/elections.ts';
import { createOrg } from '../contract/orgs.ts';
import { createProposal, voteOnProposal } from '../contract/proposals.ts';
import { defaultConfig } from '../contract/repo-files.ts';
import { addMaintainer, grantAccess, removeMaintainer, setConfig } from '../contract/repos.ts';
import { abandonStream, pauseStream } from '../contract/streams.ts';
import { claimTask, createTask, submitTask } from '../contract/tasks.ts';
import { recordUndo, undo } from '../contract/undo.ts';
import type { Database, Tx } from '../db/database.ts';
import { execute } from './execute.ts';
import { findOperation, operations } from './index.ts';
import type { Need } from './permissions.ts';

/** Everyone who may knock at a private repository; the author also holds the claim of its task. */
const CALLERS = [
  'nobody',
  'stranger',
  'suspended',
  'reader',
  'writer',
  'author',
  'maintainer',
  'owner',
] as const;
type Caller = (typeof CALLERS)[number];

const WRITERS: Caller[] = ['writer', 'author', 'maintainer', 'owner'];

const ALLOWED: Record<Need, Caller[]> = {
  nobody: [...CALLERS],
  member: ['stranger', 'reader', ...WRITERS],
  read: ['reader', ...WRITERS],
  write: WRITERS,
  maintain: ['maintainer', 'owner'],
  admin: ['owner'],
  author: ['author'],
  author_or_maintain: ['author', 'maintainer', 'owner'],
  claimant: ['author'],
  claimant_or_maintain: ['author', 'maintainer', 'owner'],
};

interface Case {
  input: (seeded: Seeded) => object;
  /** Where the operation asks for more than the border does: of these callers, in these words. */
  only?: Caller[];
  because?: string;
  /** What those who are let through are answered, where the subject cannot take the call. */
  code?: string;
}

const withoutMaintainers = { only: ['maintainer', 'owner'] satisfies Caller[] };
const itself = { only: ['writer', 'owner'] satisfies Caller[], because: 'on itself, or as an owner' };
const creator = {
  only: ['author', 'maintainer', 'owner'] satisfies Caller[],
  because: 'on a task one made or holds',
};

/** Calls that succeed for those who may make them. A new operation needs a line here. */
const CASES: Record<string, Case[]> = {
  'agent.register': [
    {
      input: () => ({ name: 'newcomer' }),
      only: ['nobody', 'stranger', 'reader', ...WRITERS],
      because: 'while not suspended',
    },
    { input: () => ({ name: 'Grace', kind: 'human' }), only: ['owner'], because: 'of a person' },
  ],
  'agent.update': [{ input: () => ({ agent: 'writer', description: 'x' }), ...itself }],
  'agent.suspend': [{ input: () => ({ agent: 'writer' }), ...itself }],
  'agent.resume': [{ input: () => ({ agent: 'writer' }), ...itself }],
  'agent.rotate_key': [{ input: () => ({ agent: 'writer' }), ...itself }],
  'repo.init': [{ input: () => ({ name: 'demo', owner: { name: 'owner' }, config: defaultConfig }) }],
  'repo.archive': [{ input: () => ({}) }],
  'repo.report_config': [{ input: () => ({ blob: null, config: null }) }],
  'repo.set_config': [{ input: () => ({ changes: { min_reviews: 2 } }) }],
  'maintainer.add': [{ input: () => ({ agent: 'writer' }) }],
  'maintainer.remove': [{ input: () => ({ agent: 'maintainer' }) }],
  'access.grant': [{ input: () => ({ agent: 'stranger', level: 'read' }) }],
  'access.revoke': [{ input: () => ({ agent: 'reader' }) }],
  'task.create': [{ input: () => ({ title: 'new' }) }],
  'task.update': [{ input: ({ held }) => ({ task: held, title: 'other' }), ...creator }],
  'task.claim': [{ input: ({ free }) => ({ task: free }) }],
  'task.next': [{ input: () => ({ claim: true }) }],
  'task.submit': [{ input: ({ held }) => ({ claim: held }) }],
  'task.review': [{ input: ({ handedIn }) => ({ claim: handedIn, verdict: 'approve' }) }],
  'task.abandon': [{ input: ({ held }) => ({ claim: held }) }],
  'task.block': [{ input: ({ held }) => ({ task: held, reason: 'x' }), ...creator }],
  'task.unblock': [{ input: ({ held }) => ({ task: held }), ...creator }],
  'task.cancel': [{ input: ({ held }) => ({ task: held }), ...creator }],
  'stream.create': [{ input: () => ({ baseBranch: 'buffer', baseCommit: oid('buffer') }) }],
  'stream.add_author': [{ input: ({ active }) => ({ stream: active, agent: 'writer' }) }],
  'stream.record_head': [
    { input: ({ active }) => ({ stream: active, facts: factsOf('x'), cause: 'rebased' }) },
    {
      input: ({ active }) => ({ stream: active, facts: factsOf('x'), cause: 'commit' }),
      only: ['author'],
      because: 'as a commit',
    },
    {
      input: ({ active }) => ({ stream: active, facts: factsOf('x'), cause: 'resolved' }),
      only: ['author', 'maintainer', 'owner'],
      because: 'as a resolution',
    },
  ],
  'stream.mark_conflicted': [
    { input: ({ active }) => ({ stream: active, with: 'buffer', onto: oid('x'), files: [] }) },
  ],
  'stream.submit': [{ input: ({ active }) => ({ stream: active, facts: factsOf('active') }) }],
  'stream.finish': [
    { input: ({ active }) => ({ stream: active, facts: nothingLeft(oid('buffer')) }), code: 'gate_not_met' },
  ],
  'stream.pause': [{ input: ({ active }) => ({ stream: active }) }],
  'stream.resume': [{ input: ({ paused }) => ({ stream: paused }) }],
  'stream.abandon': [{ input: ({ active }) => ({ stream: active }) }],
  'stream.reopen': [{ input: ({ abandoned }) => ({ stream: abandoned }) }],
  'review.submit': [
    {
      input: ({ active }) => ({ stream: active, verdict: 'comment' }),
      only: ['writer', 'maintainer', 'owner'],
      because: "on another's stream",
    },
  ],
  'merge.request': [
    { input: ({ approved }) => ({ stream: approved, facts: factsOf('approved') }) },
    {
      input: ({ active }) => ({ stream: active, facts: factsOf('active'), force: true, reason: 'x' }),
      only: ['owner'],
      because: 'by force',
    },
  ],
  'merge.request_plain': [
    { input: () => ({ kind: 'intake', head: oid('target') }) },
    {
      input: ({ landing }) => ({ kind: 'revert', head: oid('x'), revertsMerge: landing }),
      ...withoutMaintainers,
      because: 'as a revert',
    },
  ],
  'merge.prepare': [
    { input: ({ asked }) => ({ merge: asked, commit: oid('x'), bufferBefore: oid('buffer'), holder: 'p' }) },
  ],
  'merge.land': [{ input: ({ landing, landed }) => ({ merge: landing, commit: landed }) }],
  'merge.end': [{ input: ({ asked }) => ({ merge: asked, state: 'refused' }) }],
  'queue.pause': [{ input: () => ({}) }],
  'queue.resume': [{ input: () => ({}) }],
  'queue.freeze': [
    { input: () => ({}), ...withoutMaintainers, because: 'by hand' },
    { input: () => ({ automatic: true }), only: [], because: 'as a step of stabilize without a red run' },
  ],
  'queue.unfreeze': [{ input: () => ({}), ...withoutMaintainers, because: 'by hand' }],
  'queue.move': [{ input: ({ queued }) => ({ stream: queued, first: true }) }],
  'queue.drop': [{ input: ({ queued }) => ({ stream: queued }) }],
  'stabilization.record': [{ input: () => ({ result: 'green', commit: oid('x') }) }],
  'promotion.request': [{ input: () => ({ toCommit: oid('x') }), ...withoutMaintainers, because: 'by hand' }],
  'promotion.record': [
    { input: () => ({ fromCommit: null, toCommit: oid('x') }), ...withoutMaintainers, because: 'by hand' },
    {
      input: () => ({ fromCommit: null, toCommit: oid('x'), triggeredBy: 'auto' }),
      ...withoutMaintainers,
      because: 'of itself where the settings do not let it',
    },
  ],
  'intake.conflicted': [{ input: () => ({ target: oid('t'), buffer: oid('b'), paths: ['a'] }) }],
  'undo.record': [{ input: () => ({ operation: 'workspace.destroy', summary: 'x', data: {} }) }],
  'undo.run': [{ input: () => ({ record: 'stream.rebase' }) }],
  'housekeeping.run_due': [{ input: () => ({}) }],
  'access.trust': [{ input: () => ({ agent: 'writer', factor: 2 }) }],
  'branch_rule.add': [{ input: () => ({ rule: { pattern: 'release/*' } }) }],
  'branch_rule.update': [{ input: () => ({ pattern: 'x', changes: {} }), code: 'not_found' }],
  'branch_rule.remove': [{ input: () => ({ pattern: 'x' }), code: 'not_found' }],
  'budget.deposit': [{ input: () => ({ amount: 5 }) }],
  'budget.withdraw': [{ input: () => ({ amount: 5 }), code: 'limited' }],
  'stage.advance': [
    { input: () => ({}), code: 'gate_not_met' },
    { input: () => ({ force: true }), only: ['owner'], because: 'by force' },
  ],
  'org.create': [{ input: () => ({ name: 'acme' }) }],
  'org.personal': [{ input: () => ({}) }],
  'org.set': [{ input: ({ org }) => ({ org, description: 'x' }), only: ['writer'], because: 'of its owner' }],
  'block.split': [{ input: ({ active }) => ({ stream: active, commit: oid('active') }) }],
  'block.merge': [{ input: ({ active }) => ({ stream: active, from: 1, to: 2 }), code: 'invalid' }],
  'stream.split_off': [
    {
      input: ({ active }) => ({
        stream: active,
        id: newId(),
        branch: 'stream/leading',
        facts: factsOf('first'),
        rest: factsOf('active'),
      }),
    },
  ],
  'council.create': [{ input: () => ({}), code: 'already_exists' }],
  'council.set': [{ input: () => ({ minKarma: 1 }) }],
  'council.dissolve': [{ input: () => ({}) }],
  'council.seat': [
    { input: () => ({ agent: 'reader' }), only: ['owner'], because: 'for another', code: 'gate_not_met' },
    { input: () => ({ role: 'chair' }), only: ['owner'], because: 'as the chair' },
  ],
  'council.unseat': [
    { input: () => ({ agent: 'maintainer' }), ...withoutMaintainers, because: 'of itself, or as an owner' },
  ],
  'proposal.create': [
    { input: () => ({ type: 'promote', title: 'x' }), ...withoutMaintainers, because: 'of a member' },
  ],
  'proposal.vote': [
    { input: ({ open }) => ({ proposal: open, vote: 'for' }), ...withoutMaintainers, because: 'of a member' },
  ],
  'proposal.withdraw': [
    {
      input: ({ open }) => ({ proposal: open }),
      ...withoutMaintainers,
      because: 'of its own, or as an owner',
    },
  ],
  'proposal.begin': [{ input: ({ passed }) => ({ proposal: passed, plan: {} }) }],
  'proposal.record_execution': [
    { input: ({ passed }) => ({ proposal: passed, execution: { ok: true, result: {} } }) },
  ],
  'election.start': [
    { input: () => ({}), ...withoutMaintainers, because: 'of a member', code: 'already_exists' },
  ],
  'election.nominate': [{ input: ({ election }) => ({ election, agent: 'maintainer' }) }],
  'election.accept': [{ input: ({ election }) => ({ election }), code: 'not_found' }],
  'election.start_voting': [
    {
      input: ({ election }) => ({ election }),
      ...withoutMaintainers,
      because: 'of a member',
      code: 'gate_not_met',
    },
  ],
  'election.vote': [
    { input: ({ election }) => ({ election, candidate: 'maintainer' }), code: 'wrong_state' },
  ],
  'election.complete': [
    {
      input: ({ election }) => ({ election }),
      ...withoutMaintainers,
      because: 'of a member',
      code: 'wrong_state',
    },
  ],
  'election.cancel': [
    { input: ({ election }) => ({ election }), ...withoutMaintainers, because: 'of a member' },
  ],
  'notification.read': [{ input: () => ({}) }],
  'notification.set': [{ input: () => ({ enabled: false }) }],
  'delivery.record': [{ input: () => ({ delivery: newId(), outcome: 'delivered' }), code: 'not_found' }],
  'plugin.begin': [{ input: () => ({ plugin: 'stale_stream_cleanup', trigger: 'x' }) }],
  'plugin.finish': [
    { input: () => ({ execution: newId(), status: 'succeeded', result: {} }), code: 'wrong_state' },
  ],
};

type Seeded = Awaited<ReturnType<typeof seed>>;

async function seed(database: Database) {
  const story = await startStory(database, {
    agents: ['stranger', 'suspended', 'reader', 'writer', 'author', 'maintainer'],
  });
  const { call, repoId, owner, author, maintainer } = story;
  await call(addMaintainer, { repoId, agent: 'maintainer' }, { as: owner });
  const task = async (title: string) => (await call(createTask, { repoId, title }, { as: author })).id;
  const [free, held, handedIn] = [await task('free'), await task('held'), await task('handed in')];
  for (const each of [held, handedIn]) await call(claimTask, { task: each }, { as: author });
  await call(submitTask, { claim: handedIn }, { as: author });

  const stream = async (name: string) => (await story.stream(author, name)).id;
  const judged = async (name: string) => {
    const id = await stream(name);
    await story.submit(author, id, factsOf(name));
    await story.verdict(maintainer, id);
    return id;
  };
  const [active, paused, abandoned] = [
    await stream('active'),
    await stream('paused'),
    await stream('abandoned'),
  ];
  await call(pauseStream, { stream: paused }, { as: author });
  await call(abandonStream, { stream: abandoned }, { as: author });
  const [approved, queued] = [await judged('approved'), await judged('queued')];
  const { merge: asked } = await story.merge(author, queued, factsOf('queued'));
  const { merge: landing } = await story.landed(author, 'landed', maintainer);

  await call(createCouncil, { repoId, minMembers: 2, standardQuorum: 2, criticalQuorum: 2 }, { as: owner });
  for (const agent of ['maintainer', 'owner']) await call(takeCouncilSeat, { repoId, agent }, { as: owner });
  const propose = async () => {
    const wish = { repoId, type: 'add_maintainer' as const, title: 'x', target: 'writer' };
    return (await call(createProposal, wish, { as: maintainer })).id;
  };
  const [open, passed] = [await propose(), await propose()];
  for (const as of [maintainer, owner]) await call(voteOnProposal, { proposal: passed, vote: 'for' }, { as });
  const { id: election } = await call(startElection, { repoId }, { as: owner });
  const { id: org } = await call(createOrg, { name: 'writers' }, { as: story.writer });

  await call(setConfig, { repoId, changes: { is_private: true, agent_access: 'allowlist' } }, { as: owner });
  for (const agent of ['reader', 'writer', 'author', 'suspended'] as const) {
    await call(grantAccess, { repoId, agent, level: agent === 'reader' ? 'read' : 'write' }, { as: owner });
  }
  for (const as of [story.writer, author, maintainer, owner]) {
    await call(recordUndo, { repoId, operation: 'stream.rebase', summary: 'x', data: {} }, { as });
  }
  await call(suspendAgent, { agent: 'suspended' }, { as: owner });
  const idOf = (caller: Caller) => (caller === 'nobody' ? undefined : story[caller].id);
  const subjects = {
    free,
    held,
    handedIn,
    active,
    paused,
    abandoned,
    approved,
    queued,
    open,
    passed,
    election,
    org,
  };
  return {
    ...subjects,
    repoId,
    idOf,
    asked: asked.id,
    landing: landing.id,
    landed: landing.commit,
    clock: story.clock,
  };
}

/** The same database, in which nothing that is written stays: every caller meets the same repository. */
function withoutTrace(database: Database): Database {
  return {
    kind: database.kind,
    place: database.place,
    read: database.read,
    close: () => database.close(),
    async write<T>(run: (tx: Tx) => Promise<T>): Promise<T> {
      let answer: { is: T } | undefined;
      const stop = new Error('not to be kept');
      const writing = database.write(async (tx) => {
        answer = { is: await run(tx) };
        throw stop;
      });
      await writing.catch((error: unknown) => {
        if (error !== stop) throw error;
      });
      if (!answer) throw new Error('nothing was answered');
      return answer.is;
    },
  };
}

/** As if an owner had only just made the repository less strict. */
const forged = {
  operation: 'repo.set_config',
  summary: 'x',
  data: { changes: [{ key: 'ownership_model', before: 'open', after: 'guild' }] },
};

const writes = operations.filter((operation) => operation.kind === 'write');

it('knows how to call every operation that writes, and no other', () => {
  expect(Object.keys(CASES).sort()).toEqual(writes.map((operation) => operation.endpoint.name).sort());
});

forEachDatabase((_kind, makeDatabase) => {
  let database: Database;
  let seeded: Seeded;
  beforeAll(async () => {
    database = await makeDatabase();
    seeded = await seed(database);
  });

  it('gives nobody a right by a record of what was never done', async () => {
    const { call, repoId, author } = await startStory(await makeDatabase(), { agents: ['author'] });
    expect(await refusedWith(call(recordUndo, { repoId, ...forged }, { as: author }))).toBe('invalid');
  });

  it('lets one who is no owner any more undo no settings', async () => {
    const { call, repoId, owner, second } = await startStory(await makeDatabase(), { agents: ['second'] });
    await call(addMaintainer, { repoId, agent: 'second', role: 'owner' }, { as: owner });
    await call(setConfig, { repoId, changes: { min_reviews: 2 } }, { as: second });
    await call(removeMaintainer, { repoId, agent: 'second' }, { as: owner });
    expect(await refusedWith(call(undo, { repoId }, { as: second }))).toBe('not_allowed');
  });

  const rows = writes.flatMap((operation) =>
    (CASES[operation.endpoint.name] ?? []).map((each) => {
      const what = each.because ? `${operation.endpoint.name} ${each.because}` : operation.endpoint.name;
      return { what, name: operation.endpoint.name, needs: operation.needs, ...each };
    }),
  );

  describe.each(rows)('$what', ({ name, needs, input, only, code = 'allowed' }) => {
    const allowed = (only ?? ALLOWED[needs]).filter((caller) => ALLOWED[needs].includes(caller));

    it(`is for ${allowed.join(', ') || 'no one'}`, async () => {
      const operation = findOperation(name);
      if (!operation) throw new Error(`there is no ${name}`);
      const kernel = { database: withoutTrace(database), clock: seeded.clock };
      const answers: Record<string, string> = {};
      for (const caller of CALLERS) {
        const call = { callerId: seeded.idOf(caller), repoId: seeded.repoId };
        const asked = { repoId: seeded.repoId, ...input(seeded) };
        answers[caller] = await refusedWith(execute(kernel, operation, asked, call));
      }
      const expected = CALLERS.map((caller) => [caller, allowed.includes(caller) ? code : 'not_allowed']);
      expect(answers).toEqual(Object.fromEntries(expected));
    });
  });
});
