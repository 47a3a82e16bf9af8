import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCouncil, takeCouncilSeat } from '../../src/contract/councils.ts';
import type { InputOf } from '../../src/contract/endpoint.ts';
import { listEvents } from '../../src/contract/events.ts';
import { createProposal, showProposal, voteOnProposal } from '../../src/contract/proposals.ts';
import { listPromotions, listStabilizations } from '../../src/contract/stabilizations.ts';
import { listStreams } from '../../src/contract/streams.ts';
import { listTasks } from '../../src/contract/tasks.ts';
import { restoreWorkspace } from '../../src/workflows/destroy-workspace.ts';
import { driveQueue } from '../../src/workflows/drive-queue.ts';
import { abortResolution } from '../../src/workflows/resolve-stream.ts';
import { judgeStream } from '../../src/workflows/review-stream.ts';
import { tick } from '../../src/workflows/tick.ts';
import type { Job } from '../support/drive.ts';
import { drive } from '../support/driven.ts';
import { expectSound, recoverByCommands, remember } from '../support/invariants.ts';
import { type Story, type StoryOptions, startStory, type Work } from '../support/story.ts';

/** What is killed: how it is made ready, at which steps it dies, and what must be so once all was done again. */
interface Operation {
  name: string;
  steps: string[];
  options?: StoryOptions;
  prepare(story: Story): Promise<{ as: string; job: Job; afterwards(story: Story): Promise<void> }>;
}

const LANDING = ['merge.composed', 'merge.prepared', 'merge.moved', 'merge.landed'];

const operations: Operation[] = [
  {
    name: 'workspace create',
    steps: [
      'workspace.intended',
      'workspace.recorded',
      'workspace.registered',
      'workspace.filled',
      'workspace.kept',
    ],
    prepare: async () => ({
      as: 'coder',
      job: { op: 'workspace' },
      afterwards: async (story) => {
        const work = await story.workspace('coder');
        await story.commit('coder', work, { 'new.txt': 'n\n' });
      },
    }),
  },
  {
    name: 'commit with dependants',
    steps: ['commit.made', 'commit.recorded', 'commit.followed', 'cascade.computed', 'cascade.moved'],
    async prepare(story) {
      const root = await story.stream('coder', { 'root.txt': '1\n' });
      const fork = await story.stream('bob', { 'fork.txt': '1\n' }, { dependsOn: root.id });
      const leaf = await story.stream('eve', { 'leaf.txt': '1\n' }, { dependsOn: fork.id });
      story.git.write({ 'root.txt': '2\n', 'more.txt': 'm\n' }, root.path);
      return {
        as: 'coder',
        job: { op: 'commit', stream: root.id, message: 'go on' },
        afterwards: async () => {
          await story.commit('coder', root, { 'third.txt': '3\n' });
          for (const each of [fork, leaf])
            expect(story.git.gitIn(each.path, 'show', 'HEAD:root.txt')).toBe('2');
          for (const each of [fork, leaf])
            expect(story.git.gitIn(each.path, 'show', 'HEAD:third.txt')).toBe('3');
          for (const each of [root, fork, leaf]) expect(story.status(each.path)).toEqual([]);
        },
      };
    },
  },
  {
    name: 'commit of a stream that stayed behind',
    steps: ['follow.moved'],
    async prepare(story) {
      const root = await story.stream('coder', { 'root.txt': '1\n' });
      const fork = await story.stream('bob', { 'fork.txt': '1\n' }, { dependsOn: root.id });
      story.git.write({ 'fork.txt': '2\n' }, fork.path);
      await story.commit('coder', root, { 'root.txt': '2\n' });
      return {
        as: 'bob',
        job: { op: 'commit', stream: fork.id, message: 'follow' },
        afterwards: async () => {
          await story.commit('bob', fork, { 'fork.txt': '3\n' });
          expect(story.git.gitIn(fork.path, 'show', 'HEAD:root.txt')).toBe('2');
          expect(await story.show(fork)).toMatchObject({
            commitCount: 3,
            baseCommit: story.oid(root.branch),
          });
        },
      };
    },
  },
  {
    name: 'workspace sync',
    steps: ['sync.moved'],
    async prepare(story) {
      const work = await story.stream('coder', { 'work.txt': 'w\n' });
      await story.land(await story.stream('bob', { 'other.txt': 'o\n' }), { author: 'bob', judge: 'Olga' });
      story.git.write({ 'note.txt': 'not committed\n' }, work.path);
      return {
        as: 'coder',
        job: { op: 'sync', stream: work.id },
        afterwards: async () => {
          const again = await drive(story.dir, 'coder', { op: 'sync', stream: work.id });
          expect(again.answer, again.stderr).toMatchObject({ ok: true });
          expect(await story.show(work)).toMatchObject({ commitCount: 1, baseCommit: story.oid('buffer') });
          expect(story.status(work.path)).toEqual(['?? note.txt']);
        },
      };
    },
  },
  {
    name: 'commit that lands at once',
    steps: ['merge.requested', ...LANDING, 'bring.moved'],
    options: { mode: 'swarm' },
    async prepare(story) {
      const work = await story.stream('coder', { 'a.txt': 'first\n' });
      await story.stream('bob', { 'b.txt': 'others\n' });
      story.git.write({ 'a.txt': 'second\n', 'new.txt': 'n\n' }, work.path);
      return {
        as: 'coder',
        job: { op: 'commit', stream: work.id, message: 'second' },
        afterwards: async () => {
          await story.commit('coder', work, { 'third.txt': '3\n' });
          expect(['a.txt', 'new.txt', 'third.txt'].map((path) => story.file('buffer', path))).toEqual([
            'second\n',
            'n\n',
            '3\n',
          ]);
          expect(story.status(work.path)).toEqual([]);
        },
      };
    },
  },
  {
    name: 'merge',
    steps: ['merge.requested', ...LANDING],
    async prepare(story) {
      const work = await approved(story);
      return {
        as: 'coder',
        job: { op: 'merge', stream: work.id },
        afterwards: async () => {
          const { state } = await story.show(work);
          if (state !== 'merged') expect((await story.merge('coder', work)).kind).toBe('merged');
          expect(story.file('buffer', 'work.txt')).toBe('w\n');
        },
      };
    },
  },
  {
    name: 'merge of a stack with tests before it',
    steps: [
      'merge.requested',
      'queue.decided',
      'checkout.registered',
      'queue.answered',
      'group.composed',
      'group.prepared',
      'group.moved',
      'group.landed',
    ],
    options: { stabilize: 'test ! -f broken' },
    async prepare(story) {
      const low = await approved(story, { 'low.txt': 'l\n' });
      const top = await story.stream('coder', { 'top.txt': 't\n' }, { dependsOn: low.id });
      await story.submit('coder', top);
      await story.judge('Olga', top);
      await story.merge('coder', low, { wait: false });
      return {
        as: 'coder',
        job: { op: 'merge', stream: top.id },
        afterwards: async () => {
          for (const work of [low, top]) {
            const { state } = await story.show(work);
            if (state !== 'merged') expect((await story.merge('coder', work)).kind).toBe('merged');
          }
          expect([story.file('buffer', 'low.txt'), story.file('buffer', 'top.txt')]).toEqual(['l\n', 't\n']);
        },
      };
    },
  },
  {
    name: 'merge of a stream that is red',
    steps: ['queue.answered', 'queue.evicted'],
    options: { stabilize: 'test ! -f broken' },
    async prepare(story) {
      const work = await approved(story, { broken: 'yes\n' });
      return {
        as: 'coder',
        job: { op: 'merge', stream: work.id },
        afterwards: async () => {
          const { state } = await story.show(work);
          if (state === 'queued') await story.run('coder', (workflow) => driveQueue(workflow));
          expect(story.file('buffer', 'broken')).toBeUndefined();
          expect((await story.show(work)).state).toBe('approved');
          const repoId = await story.repoId();
          const tasks = (await story.ask(listTasks, { repoId, label: 'evicted', limit: 50 })).items;
          expect(tasks, 'exactly one task for the author').toMatchObject([{ status: 'open' }]);
        },
      };
    },
  },
  {
    name: 'stabilize, green',
    steps: ['checkout.registered', 'stabilize.tagged', 'stabilize.recorded'],
    options: { stabilize: 'test ! -f broken' },
    async prepare(story) {
      await story.set('test_before_merge', 'false');
      await story.merge('coder', await approved(story));
      return {
        as: 'Olga',
        job: { op: 'stabilize' },
        afterwards: async () => {
          expect((await story.stabilize()).result).toBe('green');
          expect(await story.promote()).toMatchObject({ toCommit: story.oid('buffer') });
        },
      };
    },
  },
  {
    name: 'stabilize, red',
    steps: [
      'stabilize.recorded_doubt',
      'stabilize.frozen',
      'stabilize.found',
      'stabilize.recorded_red',
      'revert.requested',
      ...LANDING,
      'stabilize.reverted',
    ],
    options: { stabilize: 'test ! -f broken' },
    async prepare(story) {
      await story.set('test_before_merge', 'false');
      expect((await story.stabilize()).result).toBe('green');
      await story.merge('coder', await approved(story, { broken: 'yes\n' }));
      return {
        as: 'Olga',
        job: { op: 'stabilize' },
        afterwards: async () => {
          const { result } = await story.stabilize();
          expect(['green', 'red']).toContain(result);
          expect((await story.stabilize()).result).toBe('green');
          expect(story.file('buffer', 'broken')).toBeUndefined();
          const repoId = await story.repoId();
          const tasks = (await story.ask(listTasks, { repoId, label: 'fix', limit: 50 })).items;
          expect(tasks, 'exactly one task for the author').toMatchObject([
            { priority: 'critical', status: 'open' },
          ]);
          const [last] = (await story.ask(listStabilizations, { repoId, result: 'red' })).items;
          expect(last).toMatchObject({ taskId: tasks[0]?.id, revertMergeId: expect.any(String) });
        },
      };
    },
  },
  {
    name: 'promote',
    steps: ['promote.intended', 'promote.moved'],
    async prepare(story) {
      await story.merge('coder', await approved(story));
      story.git.write({ 'mine.txt': 'not committed\n' });
      return {
        as: 'Olga',
        job: { op: 'promote' },
        afterwards: async () => {
          await story.promote();
          expect(story.oid('main')).toBe(story.oid('buffer'));
          expect(story.status()).toEqual(['?? .gitswarm/config.yml', '?? mine.txt']);
        },
      };
    },
  },
  {
    name: 'revert',
    steps: ['revert.requested', ...LANDING],
    async prepare(story) {
      const work = await approved(story);
      await story.merge('coder', work);
      return {
        as: 'Olga',
        job: { op: 'revert', stream: work.id },
        afterwards: async () => {
          const again = await drive(story.dir, 'Olga', { op: 'revert', stream: work.id });
          expect(again.answer, again.stderr).toMatchObject(
            again.answer.ok ? { data: { kind: 'reverted' } } : { code: 'wrong_state' },
          );
          expect(story.file('buffer', 'work.txt')).toBeUndefined();
        },
      };
    },
  },
  {
    name: 'workspace destroy',
    steps: ['destroy.intended', 'destroy.saved', 'destroy.removed', 'destroy.forgotten'],
    async prepare(story) {
      const work = await story.stream('coder', { 'work.txt': 'w\n' });
      story.git.write({ 'work.txt': 'edited\n', 'untracked.txt': 'u\n' }, work.path);
      return {
        as: 'coder',
        job: { op: 'destroy', stream: work.id, force: true },
        afterwards: async () => {
          const again = await drive(story.dir, 'coder', { op: 'destroy', stream: work.id, force: true });
          expect(again.answer, again.stderr).toMatchObject(
            again.answer.ok ? { data: { path: work.path } } : { code: 'not_found' },
          );
          await story.run('coder', (workflow) => restoreWorkspace(workflow, work.id));
          expect(story.status(work.path)).toEqual([' M work.txt', '?? untracked.txt']);
        },
      };
    },
  },
  {
    name: 'workspace restore',
    steps: ['restore.intended', 'restore.registered', 'restore.filled', 'restore.files', 'restore.kept'],
    async prepare(story) {
      const work = await story.stream('coder', { 'work.txt': 'w\n' });
      story.git.write({ 'work.txt': 'edited\n', 'untracked.txt': 'u\n' }, work.path);
      await drive(story.dir, 'coder', { op: 'destroy', stream: work.id, force: true });
      return {
        as: 'coder',
        job: { op: 'restore', stream: work.id },
        afterwards: async () => {
          const again = await drive(story.dir, 'coder', { op: 'restore', stream: work.id });
          expect(again.answer, again.stderr).toMatchObject(
            again.answer.ok ? { data: { path: work.path } } : { code: 'already_exists' },
          );
          expect(story.status(work.path)).toEqual([' M work.txt', '?? untracked.txt']);
          await story.commit('coder', work, {}, 'go on');
        },
      };
    },
  },
  {
    name: 'stream track',
    steps: ['track.recorded'],
    async prepare(story) {
      story.git.git('branch', 'feature');
      const path = join(story.git.top, 'feature');
      story.git.git('worktree', 'add', '--quiet', path, 'feature');
      story.git.commit('by hand', { 'hand.txt': 'h\n' }, path);
      story.git.git('worktree', 'remove', path);
      return {
        as: 'Olga',
        job: { op: 'track', branch: 'feature' },
        afterwards: async () => {
          const again = await drive(story.dir, 'Olga', { op: 'track', branch: 'feature' });
          expect(again.answer).toMatchObject({ ok: false, code: 'already_exists' });
          expect((await story.ask(listStreams, { repoId: await story.repoId() })).items).toMatchObject([
            { branch: 'feature', commitCount: 1 },
          ]);
        },
      };
    },
  },
  {
    name: 'stream resolve',
    steps: ['resolve.saved', 'resolve.set_aside', 'resolve.merged'],
    async prepare(story) {
      const work = await conflicted(story);
      return {
        as: 'bob',
        job: { op: 'resolve', stream: work.id },
        afterwards: async () => {
          const again = await drive(story.dir, 'bob', { op: 'resolve', stream: work.id });
          expect(again.answer).toMatchObject({ ok: true, data: { kind: 'open' } });
          await story.run('bob', (workflow) => abortResolution(workflow, work.id));
          expect(story.status(work.path)).toEqual([' M sub/b.txt', '?? untracked.txt']);
        },
      };
    },
  },
  {
    name: 'a council that lands a stream',
    steps: ['proposal.passed', 'proposal.begun', ...LANDING, 'proposal.performed'],
    async prepare(story) {
      const work = await approved(story, { 'decided.txt': 'd\n' });
      const proposal = await almostDecided(story, { type: 'merge_stream', target: work.id });
      return {
        as: 'eve',
        job: { op: 'vote', proposal, vote: 'for' },
        afterwards: async () => {
          await expectCarriedOut(story, proposal);
          expect((await story.show(work)).state).toBe('merged');
          expect(story.file('buffer', 'decided.txt')).toBe('d\n');
          expect(story.git.git('rev-list', '--count', '--first-parent', 'main..buffer')).toBe('1');
        },
      };
    },
  },
  {
    name: 'a council that promotes',
    steps: ['proposal.begun', 'promote.intended', 'promote.moved', 'proposal.performed'],
    async prepare(story) {
      await story.land(await story.stream('coder', { 'decided.txt': 'd\n' }), {
        author: 'coder',
        judge: 'Olga',
      });
      const proposal = await almostDecided(story, { type: 'promote' });
      return {
        as: 'eve',
        job: { op: 'vote', proposal, vote: 'for' },
        afterwards: async () => {
          await expectCarriedOut(story, proposal);
          expect(story.oid('main')).toBe(story.oid('buffer'));
          const { items } = await story.ask(listPromotions, { repoId: await story.repoId() });
          expect(items.map(({ triggeredBy }) => triggeredBy)).toEqual(['council']);
        },
      };
    },
  },
  {
    name: 'a council that reverts',
    steps: ['proposal.begun', 'revert.requested', ...LANDING, 'proposal.performed'],
    async prepare(story) {
      const work = await story.stream('coder', { 'decided.txt': 'd\n' });
      await story.land(work, { author: 'coder', judge: 'Olga' });
      const proposal = await almostDecided(story, { type: 'revert_stream', target: work.id });
      return {
        as: 'eve',
        job: { op: 'vote', proposal, vote: 'for' },
        afterwards: async () => {
          await expectCarriedOut(story, proposal);
          expect(story.file('buffer', 'decided.txt')).toBeUndefined();
          expect(story.git.git('rev-list', '--count', '--first-parent', 'main..buffer')).toBe('2');
        },
      };
    },
  },
  {
    name: 'merge of the leading blocks',
    steps: ['blocks.branched', 'blocks.split', ...LANDING],
    async prepare(story) {
      const work = await story.stream('coder', { 'first.txt': '1\n' });
      await story.commit('coder', work, { 'second.txt': '2\n' });
      await story.submit('coder', work);
      await story.run('Olga', (workflow) =>
        judgeStream(workflow, { stream: work.id, verdict: 'approve', block: '1' }),
      );
      return {
        as: 'coder',
        job: { op: 'blocks', stream: work.id },
        afterwards: async () => {
          const [leading] = await story
            .ask(listStreams, { repoId: await story.repoId(), limit: 50 })
            .then(({ items }) =>
              items.filter((stream) => stream.id !== work.id && stream.state !== 'merged'),
            );
          const ref = leading?.id ?? work.id;
          if (story.file('buffer', 'first.txt') === undefined) {
            const again = await drive(story.dir, 'coder', { op: 'blocks', stream: ref });
            expect(again.answer, again.stderr).toMatchObject({ ok: true });
          }
          expect(story.file('buffer', 'first.txt')).toBe('1\n');
          expect(story.file('buffer', 'second.txt')).toBeUndefined();
          expect(await story.show(work)).toMatchObject({ commitCount: 1, state: 'in_review' });
        },
      };
    },
  },
];

/** A stream of coder's that may land. */
async function approved(story: Story, files: Record<string, string> = { 'work.txt': 'w\n' }): Promise<Work> {
  const work = await story.stream('coder', files);
  await story.submit('coder', work);
  await story.judge('Olga', work);
  return work;
}

/** A council of three in which coder has proposed and bob has voted for it: eve's vote decides. */
async function almostDecided(
  story: Story,
  wish: Omit<InputOf<typeof createProposal>, 'repoId' | 'title'>,
): Promise<string> {
  const repoId = await story.repoId();
  await story.ask(createCouncil, { repoId, standardQuorum: 2, criticalQuorum: 2 });
  for (const agent of ['coder', 'bob', 'eve']) await story.ask(takeCouncilSeat, { repoId, agent });
  const { id } = await story.ask(createProposal, { repoId, title: 'decide', ...wish }, 'coder');
  await story.ask(voteOnProposal, { proposal: id, vote: 'for' }, 'bob');
  return id;
}

/** Whatever was interrupted, the decision is carried out once, and told once. */
async function expectCarriedOut(story: Story, proposal: string): Promise<void> {
  await story.run('Olga', (workflow) => tick(workflow));
  expect(await story.ask(showProposal, { proposal })).toMatchObject({
    status: 'passed',
    executed: true,
    execution: { ok: true },
  });
  const told = await story.ask(listEvents, { repoId: await story.repoId(), type: 'proposal.executed' });
  expect(told.items).toHaveLength(1);
  expect(await story.run('Olga', (workflow) => tick(workflow))).toMatchObject({ carriedOut: [] });
}

/** A stream of bob's that clashes with the buffer, with edits in its worktree. */
async function conflicted(story: Story): Promise<Work> {
  const first = await approved(story, { 'a.txt': 'coder\n' });
  const second = await story.stream('bob', { 'a.txt': 'bob\n' });
  await story.merge('coder', first);
  await story.land(second, { author: 'bob', judge: 'Olga' });
  story.git.write({ 'sub/b.txt': 'edited\n', 'untracked.txt': 'u\n' }, second.path);
  return second;
}

const SRC = resolve(import.meta.dirname, '../../src/workflows');

/** Steps whose crashes are played where their stories are: `workplans-cli`, `server-kill`, `server-mode-c`, `shared-steps`,
 * `connected-away`. */
const ELSEWHERE = [
  ...['plan.linked', 'plan.carried', 'plan.pulled', 'plan.written'],
  ...['hosted.branched', 'hosted.resolved', 'staged.written', 'staged.committed'],
  ...['bundle.unpacked', 'bundle.recorded', 'clean.planned'],
  ...['merge.shared', 'promote.shared', 'force.moved'],
];

it('every named step of every workflow has its crash, below or where its story is', () => {
  const named = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...readFileSync(join(SRC, file), 'utf8').matchAll(/\breach\('([^']+)'\)/g)].map(
        (match) => match[1] ?? '',
      ),
    );
  const covered = [...operations.flatMap((operation) => operation.steps), ...ELSEWHERE];
  expect([...new Set(named)].sort()).toEqual([...new Set(covered)].sort());
});

for (const { name, steps, options, prepare } of operations) {
  describe(`a process killed in "${name}"`, () => {
    it.each(steps)('at %s leaves what the next commands finish or take back', async (step) => {
      const story = await startStory({ agents: ['coder', 'bob', 'eve'], ...options });
      const { as, job, afterwards } = await prepare(story);
      const before = remember(story);
      const { signal, answer, stderr } = await drive(story.dir, as, job, { GITSWARM_CRASH_AT: step });
      expect({ signal, answer, stderr }).toEqual({ signal: 'SIGKILL', answer: undefined, stderr: '' });
      await recoverByCommands(story);
      await expectSound(story, before);
      await afterwards(story);
      await expectSound(story);
    });
  });
}
