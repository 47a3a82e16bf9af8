import { expect, it } from 'vitest';
import { AuthorityAway } from '../../src/contract/authority-away.ts';
import { isSwarmError } from '../../src/contract/errors.ts';
import {
  endMerge,
  landMerge,
  listMerges,
  type Merge,
  prepareMerge,
  requestMerge,
} from '../../src/contract/merges.ts';
import { showStream } from '../../src/contract/streams.ts';
import type { Authority } from '../../src/operations/authority.ts';
import { commitStream } from '../../src/workflows/commit-stream.ts';
import { measureStream } from '../../src/workflows/facts.ts';
import { mergeStream } from '../../src/workflows/merge-stream.ts';
import { recover } from '../../src/workflows/recover.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';
import { refusal, startStory } from '../support/story.ts';

it('a landing of a living process is left alone, but not by that process once it holds the queue', async () => {
  const story = await startStory({ model: 'guild', agents: ['coder'] });
  const work = await story.stream('coder', { 'a.txt': 'new\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  await story.run('Olga', async (workflow) => {
    // The database goes away here, and this process lives on.
    await beginLanding(workflow, work.id);
    expect(await recover(workflow)).toEqual([]);
    expect(await statesOf(workflow)).toEqual(['prepared']);
    expect(await recover(workflow, { holdsQueue: true })).toMatchObject([
      { what: 'merge', done: 'asked for again' },
    ]);
    expect((await statesOf(workflow)).sort()).toEqual(['requested', 'withdrawn']);
  });
});

it('a commit on a stream that is landing at this moment waits for the landing', async () => {
  const story = await startStory({ model: 'guild', agents: ['coder'] });
  const work = await story.stream('coder', { 'a.txt': 'new\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  const merge = await story.run('Olga', (workflow) => beginLanding(workflow, work.id));
  story.git.write({ 'a.txt': 'newer\n' }, work.path);
  const waits: string[] = [];
  const made = await story.run('coder', (workflow) =>
    commitStream(endingAtBusy(workflow, merge, waits), { stream: work.id, message: 'newer' }),
  );
  expect(waits).toEqual(['stream.record_head']);
  expect(made.commit).toBe(story.oid(work.branch));
  expect((await story.show(work)).state).toBe('in_review');
});

it('that it has landed is told where the server goes away before it is', async () => {
  const story = await startStory({ model: 'guild', agents: ['coder'] });
  const work = await story.stream('coder', { 'a.txt': 'new\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  const told = await story.run('coder', (workflow) => {
    const { authority } = workflow;
    const kept = { seq: 7, operation: landMerge.name };
    const call: Authority['call'] = async (endpoint, input, options) => {
      if (endpoint.name === landMerge.name) throw new AuthorityAway('The server is away.', { kept });
      return authority.call(endpoint, input, options);
    };
    return refusal(mergeStream({ ...workflow, authority: { ...authority, call } }, work.id));
  });
  expect(story.file('buffer', 'a.txt')).toBe('new\n');
  const commit = story.oid('buffer').slice(0, 10);
  expect(told).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`has landed as ${commit}`),
    details: { kept: 7 },
  });
});

/** Asks for the landing of a stream, and is about to move the buffer. */
async function beginLanding(workflow: Workflow, streamId: string): Promise<Merge> {
  const stream = await workflow.authority.call(showStream, { stream: streamId });
  const facts = await measureStream(workflow, stream);
  const { merge } = await workflow.authority.call(requestMerge, { stream: streamId, facts });
  return workflow.authority.call(prepareMerge, {
    merge: merge.id,
    commit: facts.head,
    bufferBefore: facts.base,
    holder: workflow.holder,
    expectCommit: null,
  });
}

/** A workflow beside which the landing ends as soon as somebody has been told that it is under way. */
function endingAtBusy(workflow: Workflow, merge: Merge, waits: string[]): Workflow {
  const { authority } = workflow;
  const call: Authority['call'] = async (endpoint, input, options) => {
    try {
      return await authority.call(endpoint, input, options);
    } catch (error) {
      if (!isSwarmError(error, 'busy')) throw error;
      waits.push(endpoint.name);
      await authority.call(endMerge, { merge: merge.id, state: 'withdrawn', reason: 'the buffer moved' });
      throw error;
    }
  };
  return { ...workflow, authority: { ...authority, call } };
}

async function statesOf(workflow: Workflow): Promise<string[]> {
  const { items } = await workflow.authority.call(listMerges, { repoId: workflow.repo.id, limit: 10 });
  return items.map(({ state }) => state);
}
