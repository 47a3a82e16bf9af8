import { newId } from '../../src/base/ids.ts';
import { suspendAgent } from '../../src/contract/agents.ts';
import { createCouncil, takeCouncilSeat } from '../../src/contract/councils.ts';
import { startElection } from '../../src/contract/elections.ts';
import { createOrg } from '../../src/contract/orgs.ts';
import { createProposal, voteOnProposal } from '../../src/contract/proposals.ts';
import { addMaintainer, grantAccess, setConfig } from '../../src/contract/repos.ts';
import { abandonStream, pauseStream } from '../../src/contract/streams.ts';
import { claimTask, createTask, submitTask } from '../../src/contract/tasks.ts';
import { recordUndo } from '../../src/contract/undo.ts';
import type { Database, Tx } from '../../src/db/database.ts';
import type { Need } from '../../src/operations/permissions.ts';
import { defaultConfig } from './default-config.ts';
import { factsOf, nothingLeft, oid, startStory } from './stream-story.ts';

const NOTHING = '0190f3c2-7b1e-7c3a-9d52-3f6a1b2c4d5e';

/** Everyone who may knock at a private repository; the author also holds the claim of its task. */
export const CALLERS = [
  'nobody',
  'stranger',
  'suspended',
  'reader',
  'writer',
  'author',
  'maintainer',
  'owner',
] as const;
export type Caller = (typeof CALLERS)[number];

const WRITERS: Caller[] = ['writer', 'author', 'maintainer', 'owner'];

export const ALLOWED: Record<Need, Caller[]> = {
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

export interface Case {
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
export const CASES: Record<string, Case[]> = {
  'agent.register': [
    {
      input: () => ({ name: 'newcomer' }),
      only: ['nobody', 'stranger', 'reader', ...WRITERS],
      because: 'while not suspended',
    },
    { input: () => ({ name: 'Grace', kind: 'human' }), only: ['owner'], because: 'of a person' },
  ],
  'key.create': [{ input: () => ({ agent: 'writer', name: 'x' }), ...itself }],
  'key.revoke': [{ input: () => ({ agent: 'writer', keyId: NOTHING }), ...itself, code: 'not_found' }],
  'invite.create': [{ input: () => ({}), only: [], because: 'of a server' }],
  'invite.revoke': [{ input: ({ repoId }) => ({ inviteId: repoId }), only: [], because: 'of a server' }],
  'server.ensure_admin': [{ input: () => ({ apiKeyHash: 'x'.repeat(64), replaceKey: false }) }],
  'server.ensure_identity': [{ input: () => ({}) }],
  'session.offer_link': [{ input: () => ({ agent: 'writer', linkHash: 'x'.repeat(64) }) }],
  'session.open': [
    {
      input: () => ({ tokenHash: 'x'.repeat(64), proof: { kind: 'link', hash: 'y'.repeat(64) } }),
      code: 'unauthenticated',
    },
  ],
  'session.end': [{ input: () => ({ tokenHash: 'x'.repeat(64) }) }],
  'push.intend': [{ input: () => ({ refs: [] }) }],
  'push.record': [{ input: () => ({ refs: [], error: null }) }],
  'upload.record': [{ input: () => ({ refs: [] }) }],
  'repo.create': [{ input: ({ held }) => ({ id: held, name: 'other' }) }],
  'repo.register': [{ input: () => ({ name: 'other' }) }],
  'agent.update': [{ input: () => ({ agent: 'writer', description: 'x' }), ...itself }],
  'agent.suspend': [{ input: () => ({ agent: 'writer' }), ...itself }],
  'agent.resume': [{ input: () => ({ agent: 'writer' }), ...itself }],
  'agent.rotate_key': [{ input: () => ({ agent: 'writer' }), ...itself }],
  'repo.init': [{ input: () => ({ name: 'demo', owner: { name: 'owner' }, config: defaultConfig }) }],
  'repo.archive': [{ input: () => ({}) }],
  'repo.hand_over': [{ input: () => ({ server: 'https://swarm.example', orgId: null }) }],
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
  'task.complete': [{ input: ({ free }) => ({ task: free }) }],
  'task.reopen': [{ input: ({ free }) => ({ task: free, reason: 'x' }) }],
  'workplan.link': [
    {
      input: () => ({
        blocks: [{ blockId: 'A', file: 'a.md', taskId: newId(), isWritten: false, title: 'x' }],
      }),
    },
  ],
};

export type Seeded = Awaited<ReturnType<typeof seed>>;

export async function seed(database: Database) {
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
export function withoutTrace(database: Database): Database {
  return {
    kind: database.kind,
    place: database.place,
    read: database.read,
    view: database.view,
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
