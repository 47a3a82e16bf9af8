import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { newId } from '../base/ids.ts';
import { registerAgent, suspendAgent } from '../contract/agents.ts';
import { freezeQueue, pauseQueue, resumeQueue } from '../contract/merges.ts';
import { addMaintainer, grantAccess, removeMaintainer, setConfig, trustAgent } from '../contract/repos.ts';
import { submitReview } from '../contract/reviews.ts';
import { recordPromotion, recordStabilization } from '../contract/stabilizations.ts';
import { repoStatus } from '../contract/status.ts';
import { abandonStream, addStreamAuthor, markConflicted, pauseStream } from '../contract/streams.ts';
import { createTask } from '../contract/tasks.ts';
import { getStreamRow, insertStream } from '../domain/streams/streams-store.ts';

forEachDatabase((_kind, makeDatabase) => {
  const start = async () =>
    startStory(await makeDatabase(), { agents: ['coder', 'judge'], maintainers: ['judge'] });

  it('counts streams by state, tasks, agents and the queue, and tells the last run and promotion', async () => {
    const { call, repoId, stream, submit, verdict, merge, landed, coder, judge } = await start();
    await stream(coder, 'active');
    await landed(coder, 'landed', judge);
    const { id } = await stream(coder, 'queued');
    await submit(coder, id, factsOf('queued'));
    await verdict(judge, id);
    await merge(coder, id, factsOf('queued'));
    await call(createTask, { repoId, title: 'T' }, { as: coder });
    await call(recordStabilization, { repoId, result: 'green', commit: oid('c') }, { as: coder });
    await call(recordPromotion, { repoId, fromCommit: null, toCommit: oid('c') }, { as: judge });
    await call(pauseQueue, { repoId }, { as: judge });
    await call(freezeQueue, { repoId, reason: 'release' }, { as: judge });
    const status = await call(repoStatus, { repoId }, { as: coder });
    expect(status.streams).toMatchObject({ active: 1, merged: 1, queued: 1, in_review: 0, abandoned: 0 });
    expect(status).toMatchObject({
      repo: { id: repoId },
      tasks: { open: 1, ready: 1, completed: 0 },
      queue: { length: 1, paused: true, frozenReason: 'release' },
      lastStabilization: { result: 'green' },
      lastPromotion: { toCommit: oid('c') },
      agents: 3,
    });
  });

  it('says who must act next, and how', async () => {
    const { call, repoId, stream, submit, verdict, coder, judge } = await start();
    const make = async (name: string) => {
      const { id } = await stream(coder, name);
      await submit(coder, id, factsOf(name));
      return id;
    };
    await make('waiting');
    await verdict(judge, await make('approved'));
    await verdict(judge, await make('back'), 'request_changes');
    const conflict = { stream: await make('conflict'), with: 'buffer' as const, onto: oid('x'), files: [] };
    await call(markConflicted, conflict, { as: coder });
    await call(pauseStream, { stream: await make('paused') }, { as: coder });
    const parent = await make('parent');
    await stream(coder, 'orphan', { parent });
    await call(abandonStream, { stream: parent }, { as: coder });
    const { attention } = await call(repoStatus, { repoId }, { as: coder });
    const told = attention.map((each) => [
      each.subject.title,
      each.kind,
      each.agentName,
      each.next.split(' s-')[0],
    ]);
    expect(told).toEqual([
      ['waiting', 'review', 'owner', 'gitswarm review next'],
      ['approved', 'merge', 'coder', 'gitswarm merge'],
      ['back', 'changes', 'coder', 'gitswarm review list'],
      ['conflict', 'conflict', 'coder', 'gitswarm stream resolve'],
      ['paused', 'stuck', 'coder', 'gitswarm stream resume'],
      ['orphan', 'stuck', 'coder', 'gitswarm stream rebase'],
    ]);
  });

  /** One stream of `coder` in review; `told` is what status says of it. */
  async function inReview(options: object = {}) {
    const story = await startStory(await makeDatabase(), {
      agents: ['coder', 'judge', 'second'],
      maintainers: ['judge', 'second'],
      ...options,
    });
    const { call, repoId, judge, coder } = story;
    const { id } = await story.stream(coder, 'one');
    await story.submit(coder, id, factsOf('one'));
    const told = async () => {
      const { attention } = await call(repoStatus, { repoId }, { as: judge });
      return attention.map((each) => [each.kind, each.agentName, each.next.split(' s-')[0]]);
    };
    const merge = (as: { id: string }) => story.merge(as, id, factsOf('one'));
    return { ...story, id, told, merge };
  }

  it('names a maintainer where only maintainers land, and the author who is one', async () => {
    const { call, told, merge, verdict, id, repoId, coder, judge, owner } = await inReview({
      config: { merge_mode: 'gated' },
    });
    await verdict(judge, id);
    expect(await told()).toEqual([['merge', 'owner', 'gitswarm merge']]);
    expect(await refusedWith(merge(coder))).toBe('not_allowed');
    await merge(owner);
    expect(await told()).toEqual([['merge', 'owner', 'gitswarm queue run']]);
    await call(addMaintainer, { repoId, agent: 'coder' }, { as: owner });
    expect(await told()).toEqual([['merge', 'coder', 'gitswarm queue run']]);
  });

  it('an approval that no longer counts is asked for anew', async () => {
    const { call, told, verdict, id, repoId, judge, second, owner } = await inReview();
    await verdict(judge, id);
    await call(removeMaintainer, { repoId, agent: 'judge' }, { as: owner });
    const [[kind, name] = []] = await told();
    expect([kind, ['owner', 'second'].includes(name ?? '')]).toEqual(['review', true]);
    await verdict(second, id);
    expect(await told()).toEqual([['merge', 'coder', 'gitswarm merge']]);
  });

  it('what was judged under stricter rules is ready to land', async () => {
    const { call, told, merge, verdict, id, repoId, coder, judge, owner } = await inReview({
      config: { min_reviews: 2 },
    });
    await verdict(judge, id);
    await call(setConfig, { repoId, changes: { min_reviews: 1 } }, { as: owner });
    expect(await told()).toEqual([['merge', 'coder', 'gitswarm merge']]);
    expect(await refusedWith(merge(coder))).toBe('allowed');
  });

  it('a queue that stands is set going by an owner', async () => {
    const { call, told, merge, verdict, id, repoId, coder, judge } = await inReview();
    await verdict(judge, id);
    await merge(coder);
    await call(pauseQueue, { repoId }, { as: judge });
    expect(await told()).toEqual([['frozen', 'owner', 'gitswarm queue resume']]);
    await call(resumeQueue, { repoId }, { as: judge });
    await call(freezeQueue, { repoId, reason: 'release' }, { as: judge });
    expect(await told()).toEqual([['frozen', 'owner', 'gitswarm queue unfreeze']]);
  });

  it('a queue that a red run froze is tested again', async () => {
    const { call, told, merge, verdict, id, repoId, coder, judge } = await inReview();
    await verdict(judge, id);
    await merge(coder);
    await call(recordStabilization, { repoId, result: 'red', commit: oid('c') }, { as: coder });
    await call(freezeQueue, { repoId, reason: 'red', automatic: true }, { as: coder });
    expect(await told()).toEqual([['frozen', 'owner', 'gitswarm stabilize']]);
  });

  it('who is suspended is not named: an active owner is', async () => {
    const { call, told, stream, verdict, id, repoId, coder, judge, owner } = await inReview();
    await verdict(judge, id);
    await stream(coder, 'begun');
    await call(addMaintainer, { repoId, agent: 'second', role: 'owner' }, { as: owner });
    await call(suspendAgent, { agent: 'coder' }, { as: owner });
    expect(await told()).toEqual([
      ['merge', 'owner', 'gitswarm merge'],
      ['stuck', 'owner', 'gitswarm stream abandon'],
    ]);
    await call(suspendAgent, { agent: 'owner' }, { as: owner });
    expect((await told()).map(([, name]) => name)).toEqual(['second', 'second']);
  });

  it('where only the approval of a person is missing, a person is named', async () => {
    const { call, told, verdict, id, repoId, judge, owner } = await inReview();
    await call(setConfig, { repoId, changes: { require_human_approval: true } }, { as: owner });
    await call(trustAgent, { repoId, agent: 'owner', factor: 0 }, { as: owner });
    await call(registerAgent, { name: 'Grace', kind: 'human' }, { as: owner });
    await verdict(judge, id);
    expect(await told()).toEqual([['stuck', 'owner', 'gitswarm repo maintainer add <agent>']]);
    await call(addMaintainer, { repoId, agent: 'Grace' }, { as: owner });
    expect(await told()).toEqual([['review', 'Grace', 'gitswarm review next']]);
  });

  it('nobody is named whose verdict weighs nothing', async () => {
    const { call, told, repoId, owner } = await inReview();
    for (const agent of ['owner', 'judge'])
      await call(trustAgent, { repoId, agent, factor: 0 }, { as: owner });
    expect(await told()).toEqual([['review', 'second', 'gitswarm review next']]);
  });

  it('an approved stream on one that has not landed waits for that, and lands when it has', async () => {
    const { call, repoId, stream, submit, verdict, merge, land, coder, judge } = await start();
    const { id: parent } = await stream(coder, 'parent');
    const { id: child } = await stream(coder, 'child', { parent });
    for (const [id, name] of [
      [parent, 'parent'],
      [child, 'child'],
    ] as const) {
      await submit(coder, id, factsOf(name));
      await verdict(judge, id);
    }
    const onChild = async () =>
      (await call(repoStatus, { repoId }, { as: coder })).attention.find(
        ({ subject }) => subject.id === child,
      );
    expect(await onChild()).toMatchObject({ kind: 'stuck', next: expect.stringContaining('stream show') });
    await land(coder, (await merge(coder, parent, factsOf('parent'))).merge);
    expect(await onChild()).toMatchObject({ kind: 'merge', agentName: 'coder' });
  });

  it('who approved every block has judged', async () => {
    const { call, told, verdict, id, owner, judge, second } = await inReview({ config: { min_reviews: 4 } });
    await call(submitReview, { stream: id, verdict: 'approve', block: '1' }, { as: judge });
    await verdict(owner, id);
    expect(await told()).toEqual([['review', 'second', 'gitswarm review next']]);
    await call(submitReview, { stream: id, verdict: 'approve', block: '1' }, { as: second });
    expect(await told()).toEqual([['stuck', 'owner', 'gitswarm repo maintainer add <agent>']]);
  });

  it('a co-author carries on what the author may not', async () => {
    const { call, told, verdict, id, repoId, coder, judge, owner } = await inReview();
    await call(registerAgent, { name: 'pair' }, { as: owner });
    await call(addStreamAuthor, { stream: id, agent: 'pair' }, { as: coder });
    await verdict(judge, id);
    await call(setConfig, { repoId, changes: { agent_access: 'allowlist' } }, { as: owner });
    await call(grantAccess, { repoId, agent: 'pair', level: 'write' }, { as: owner });
    expect(await told()).toEqual([['merge', 'pair', 'gitswarm merge']]);
  });

  it('says how many open streams it does not look at', async () => {
    const { database, call, repoId, stream, coder } = await start();
    const { id } = await stream(coder, 'first');
    const shown = async () => {
      const { attention, attentionOmitted } = await call(repoStatus, { repoId }, { as: coder });
      return [attention.length, attentionOmitted];
    };
    expect(await shown()).toEqual([1, 0]);
    await database.write(async (tx) => {
      const row = await getStreamRow(tx, id);
      for (let i = 0; i < 202; i++) {
        const copy = newId(Date.parse('2030-01-01') + i);
        await insertStream(tx, { ...row, id: copy, branch: `stream/${copy}` });
      }
    });
    expect(await shown()).toEqual([200, 3]);
  });

  it('of a private repository is for those who may read it', async () => {
    const { call, repoId, coder, judge, owner } = await start();
    expect(await refusedWith(call(repoStatus, { repoId }, { as: coder }))).toBe('allowed');
    await call(setConfig, { repoId, changes: { is_private: true } }, { as: owner });
    expect(await refusedWith(call(repoStatus, { repoId }))).toBe('not_allowed');
    expect(await refusedWith(call(repoStatus, { repoId }, { as: coder }))).toBe('not_allowed');
    expect(await refusedWith(call(repoStatus, { repoId }, { as: judge }))).toBe('allowed');
  });
});
