import { expect, it } from 'vitest';
import { forEachDatabase } from '../../test/support/databases.ts';
import { factsOf, oid, refusedWith, startStory } from '../../test/support/stream-story.ts';
import { archiveRepo } from '../contract/repos.ts';
import { submitReview } from '../contract/reviews.ts';
import {
  addStreamAuthor,
  createStream,
  listStreamCommits,
  listStreams,
  showStream,
} from '../contract/streams.ts';
import { claimTask, createTask, showTask } from '../contract/tasks.ts';

forEachDatabase((_kind, makeDatabase) => {
  const start = async () =>
    startStory(await makeDatabase(), { agents: ['coder', 'rival', 'judge'], maintainers: ['judge'] });
  const from = { baseBranch: 'buffer', baseCommit: oid('buffer') };

  it('begins active, named after its task or its author, on a branch named after its id', async () => {
    const { call, repoId, coder } = await start();
    const { id: task } = await call(createTask, { repoId, title: 'Cache' }, { as: coder });
    const named = await call(createStream, { repoId, task, ...from }, { as: coder });
    expect(named).toMatchObject({
      name: 'Cache',
      state: 'active',
      status: 'active',
      reviewStatus: null,
      taskId: task,
    });
    expect(named.branch).toBe(`stream/${named.id}`);
    expect(named.head).toBe(oid('buffer'));
    const plain = await call(createStream, { repoId, ...from }, { as: coder });
    expect(plain.name).toBe("coder's work");
  });

  it("claims its task for the author, and is refused for another's", async () => {
    const { call, repoId, coder, rival } = await start();
    const { id: task } = await call(createTask, { repoId, title: 'Cache' }, { as: coder });
    const stream = await call(createStream, { repoId, task, ...from }, { as: coder });
    const shown = await call(showTask, { task }, { as: coder });
    expect(shown).toMatchObject({ status: 'claimed', claim: { agentId: coder.id, streamId: stream.id } });
    expect(await refusedWith(call(createStream, { repoId, task, ...from }, { as: rival }))).toBe(
      'claim_taken',
    );
    const { id: free } = await call(createTask, { repoId, title: 'Other' }, { as: coder });
    await call(claimTask, { task: free }, { as: rival });
    expect((await call(createStream, { repoId, task: free, ...from }, { as: rival })).taskId).toBe(free);
  });

  it('refuses an id or a branch that another stream has', async () => {
    const { call, repoId, coder } = await start();
    const { id } = await call(createStream, { repoId, branch: 'topic', ...from }, { as: coder });
    const again = (wish: object) =>
      refusedWith(call(createStream, { repoId, ...from, ...wish }, { as: coder }));
    expect(await again({ branch: 'topic' })).toBe('already_exists');
    expect(await again({ id })).toBe('already_exists');
  });

  it('builds on an open stream only', async () => {
    const { call, repoId, stream, landed, coder, rival, judge } = await start();
    const parent = await stream(coder, 'parent');
    const child = await stream(rival, 'child', { parent: parent.handle });
    expect(child.parentStreamId).toBe(parent.id);
    const gone = await landed(coder, 'landed', judge);
    const onLanded = call(createStream, { repoId, parent: gone.stream?.id ?? '', ...from }, { as: rival });
    expect(await refusedWith(onLanded)).toBe('wrong_state');
  });

  it("repairs only what has landed, and takes nobody's children otherwise", async () => {
    const { call, repoId, stream, submit, verdict, merge, land, show, coder, rival, judge } = await start();
    const parent = await stream(coder, 'parent');
    const child = await stream(coder, 'child', { parent: parent.id });
    const repair = () => call(createStream, { repoId, revertOf: parent.id, ...from }, { as: rival });
    expect(await refusedWith(repair())).toBe('wrong_state');
    await submit(coder, parent.id, factsOf('parent'));
    await verdict(judge, parent.id);
    await land(coder, (await merge(coder, parent.id, factsOf('parent'))).merge);
    expect((await repair()).revertOfStreamId).toBe(parent.id);
    expect((await show(child.id)).parentStreamId).toBe(parent.id);
  });

  it('is found by id, handle and name, and lists its commits oldest first', async () => {
    const { call, record, stream, coder } = await start();
    const { id, handle } = await stream(coder, 'first');
    const [one] = factsOf('first').commits;
    const [two] = factsOf('second').commits;
    await record(coder, id, factsOf('second', { commits: [one, two].flatMap((each) => each ?? []) }));
    for (const ref of [id, handle, 'first'])
      expect((await call(showStream, { stream: ref }, { as: coder })).id).toBe(id);
    const { items } = await call(listStreamCommits, { stream: id }, { as: coder });
    expect(items.map((each) => each.message)).toEqual(['first', 'second']);
    expect(await refusedWith(call(showStream, { stream: 'nothing' }, { as: coder }))).toBe('not_found');
  });

  it('is listed by state, status, author, parent and openness, page by page', async () => {
    const { call, repoId, stream, submit, landed, coder, rival, judge } = await start();
    const a = await stream(coder, 'a');
    const b = await stream(rival, 'b', { parent: a.id });
    await submit(rival, b.id, factsOf('b'));
    await landed(coder, 'c', judge);
    const names = async (filter: object) =>
      (await call(listStreams, { repoId, ...filter }, { as: coder })).items.map((each) => each.name);
    expect(await names({})).toEqual(['a', 'b', 'c']);
    expect(await names({ open: true })).toEqual(['a', 'b']);
    expect(await names({ state: 'in_review' })).toEqual(['b']);
    expect(await names({ status: 'merged' })).toEqual(['c']);
    expect(await names({ author: 'coder', open: true })).toEqual(['a']);
    expect(await names({ parent: a.handle })).toEqual(['b']);
    const first = await call(listStreams, { repoId, limit: 2 }, { as: coder });
    const rest = await call(listStreams, { repoId, limit: 2, cursor: first.nextCursor ?? '' }, { as: coder });
    expect([first.items.length, rest.items.map((each) => each.name), rest.nextCursor]).toEqual([
      2,
      ['c'],
      null,
    ]);
  });

  it('lets an author add another, who may then commit and no longer judge', async () => {
    const { call, record, stream, verdict, coder, rival, judge } = await start();
    const { id } = await stream(coder, 'shared');
    expect(await refusedWith(record(rival, id, factsOf('more')))).toBe('not_allowed');
    const shared = await call(addStreamAuthor, { stream: id, agent: 'rival' }, { as: coder });
    expect(shared.coAuthorIds).toEqual([rival.id]);
    await record(rival, id, factsOf('more'));
    expect(await refusedWith(verdict(rival, id))).toBe('not_allowed');
    expect(await refusedWith(call(addStreamAuthor, { stream: id, agent: 'coder' }, { as: judge }))).toBe(
      'not_allowed',
    );
  });

  it('does not let an author silence a judge by making it an author', async () => {
    const { call, stream, coder, judge } = await start();
    const { id } = await stream(coder, 'bad');
    await call(submitReview, { stream: id, verdict: 'request_changes' }, { as: judge });
    expect(await refusedWith(call(addStreamAuthor, { stream: id, agent: 'judge' }, { as: coder }))).toBe(
      'conflict',
    );
  });

  it('an archived repository is read-only for everyone', async () => {
    const { call, repoId, stream, submit, verdict, merge, coder, judge, owner } = await start();
    const { id } = await stream(coder, 'late');
    await call(archiveRepo, { repoId }, { as: owner });
    expect((await call(showStream, { stream: id }, { as: coder })).name).toBe('late');
    expect(await refusedWith(submit(coder, id, factsOf('late')))).toBe('not_allowed');
    expect(await refusedWith(verdict(judge, id))).toBe('not_allowed');
    expect(await refusedWith(merge(owner, id, factsOf('late'), { force: true, reason: 'late' }))).toBe(
      'not_allowed',
    );
    expect(await refusedWith(call(createStream, { repoId, ...from }, { as: owner }))).toBe('not_allowed');
  });
});
