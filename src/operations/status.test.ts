import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { freezeQueue, pauseQueue } from '../contract/merges.ts';
import { setConfig } from '../contract/repos.ts';
import { recordPromotion, recordStabilization } from '../contract/stabilizations.ts';
import { repoStatus } from '../contract/status.ts';
import { abandonStream, markConflicted, pauseStream } from '../contract/streams.ts';
import { createTask } from '../contract/tasks.ts';

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

  it('of a private repository is for those who may read it', async () => {
    const { call, repoId, coder, judge, owner } = await start();
    expect(await refusedWith(call(repoStatus, { repoId }, { as: coder }))).toBe('allowed');
    await call(setConfig, { repoId, changes: { is_private: true } }, { as: owner });
    expect(await refusedWith(call(repoStatus, { repoId }))).toBe('not_allowed');
    expect(await refusedWith(call(repoStatus, { repoId }, { as: coder }))).toBe('not_allowed');
    expect(await refusedWith(call(repoStatus, { repoId }, { as: judge }))).toBe('allowed');
  });
});
