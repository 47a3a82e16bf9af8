import { expect, it } from 'vitest';
import { listMerges, prepareMerge, requestMerge } from '../../src/contract/merges.ts';
import { showStream } from '../../src/contract/streams.ts';
import { measureStream } from '../../src/workflows/facts.ts';
import { recover } from '../../src/workflows/recover.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';
import { startStory } from '../support/story.ts';

it('a landing of a living process is left alone, but not by that process once it holds the queue', async () => {
  const story = await startStory({ model: 'guild', agents: ['coder'] });
  const work = await story.stream('coder', { 'a.txt': 'new\n' });
  await story.submit('coder', work);
  await story.judge('Olga', work);
  await story.run('Olga', async (workflow) => {
    const stream = await workflow.authority.call(showStream, { stream: work.id });
    const facts = await measureStream(workflow, stream);
    const { merge } = await workflow.authority.call(requestMerge, { stream: work.id, facts });
    // The database goes away here, and this process lives on.
    await workflow.authority.call(prepareMerge, {
      merge: merge.id,
      commit: facts.head,
      bufferBefore: facts.base,
      holder: workflow.holder,
      expectCommit: null,
    });
    expect(await recover(workflow)).toEqual([]);
    expect(await statesOf(workflow)).toEqual(['prepared']);
    expect(await recover(workflow, { holdsQueue: true })).toMatchObject([
      { what: 'merge', done: 'asked for again' },
    ]);
    expect((await statesOf(workflow)).sort()).toEqual(['requested', 'withdrawn']);
  });
});

async function statesOf(workflow: Workflow): Promise<string[]> {
  const { items } = await workflow.authority.call(listMerges, { repoId: workflow.repo.id, limit: 10 });
  return items.map(({ state }) => state);
}
