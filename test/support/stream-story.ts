import { createHash } from 'node:crypto';
import { isSwarmError } from '../../src/contract/errors.ts';
import {
  landMerge,
  type Merge,
  prepareMerge,
  requestMerge,
  requestPlainMerge,
} from '../../src/contract/merges.ts';
import { addMaintainer } from '../../src/contract/repos.ts';
import { submitReview, type Verdict } from '../../src/contract/reviews.ts';
import {
  createStream,
  type Facts,
  recordHead,
  showStream,
  submitStream,
} from '../../src/contract/streams.ts';
import type { Database } from '../../src/db/database.ts';
import { operations } from '../../src/operations/index.ts';
import { makeKernel, type SeedOptions } from './kernel.ts';

type Actor = { id: string };

/** An object id that stands for something with this name. */
export function oid(name: string): string {
  return createHash('sha1').update(name).digest('hex');
}

/** What git would say of a stream whose one commit has this name. */
export function factsOf(name: string, changes: Partial<Facts> = {}): Facts {
  const commit = {
    commit: oid(name),
    changeId: `I${oid(name)}`,
    message: name,
    author: 'someone',
    patchId: `p ${name}`,
  };
  return {
    head: oid(name),
    base: oid('buffer'),
    patchId: `p ${name}`,
    paths: [`${name}.txt`],
    commits: [commit],
    ...changes,
  };
}

/** The same change on another base. */
export function rebased(name: string, onto: string): Facts {
  return { ...factsOf(name), head: oid(`${name} on ${onto}`), base: oid(onto) };
}

/** Git has nothing that is not on the buffer. */
export function nothingLeft(head: string): Facts {
  return { head, base: head, patchId: '', paths: [], commits: [] };
}

/** A repository in which streams come to land: what a person or workflow would ask for, in few words. */
export async function startStory<N extends string>(
  database: Database,
  options: SeedOptions<N> & { maintainers?: readonly NoInfer<N>[] } = {},
) {
  const kernel = makeKernel(database, operations);
  const seed = await kernel.seedRepo({ model: 'guild', ...options });
  const { repoId, owner } = seed;
  const { call } = kernel;
  for (const agent of options.maintainers ?? []) await call(addMaintainer, { repoId, agent }, { as: owner });

  const story = {
    /** A stream with one commit of its name. */
    async stream(
      as: Actor,
      name: string,
      more: { parent?: string; task?: string; revertOf?: string; facts?: Facts } = {},
    ) {
      const { facts = factsOf(name), ...links } = more;
      const start = { repoId, name, baseBranch: 'buffer', baseCommit: oid('buffer'), ...links };
      const { id } = await call(createStream, start, { as });
      return call(recordHead, { stream: id, facts, cause: 'commit' }, { as });
    },
    record: (
      as: Actor,
      stream: string,
      facts: Facts,
      cause: 'commit' | 'adopted' | 'rebased' | 'resolved' = 'commit',
    ) => call(recordHead, { stream, facts, cause }, { as }),
    submit: (as: Actor, stream: string, facts: Facts) => call(submitStream, { stream, facts }, { as }),
    verdict: (as: Actor, stream: string, verdict: Verdict = 'approve') =>
      call(submitReview, { stream, verdict }, { as }),
    merge: (as: Actor, stream: string, facts: Facts, more: { force?: boolean; reason?: string } = {}) =>
      call(requestMerge, { stream, facts, ...more }, { as }),
    prepare: (as: Actor, merge: Merge, holder = 'this process', commit = oid(`landing ${merge.id}`)) =>
      call(prepareMerge, { merge: merge.id, commit, bufferBefore: oid('buffer'), holder }, { as }),
    async land(as: Actor, merge: Merge) {
      const prepared = await story.prepare(as, merge);
      return call(landMerge, { merge: merge.id, commit: prepared.commit ?? '' }, { as });
    },
    /** Approved by `judge` and landed. */
    async landed(as: Actor, name: string, judge: Actor, more: { parent?: string; task?: string } = {}) {
      const { id } = await story.stream(as, name, more);
      await story.submit(as, id, factsOf(name));
      await story.verdict(judge, id);
      const { merge } = await story.merge(as, id, factsOf(name));
      return story.land(as, merge);
    },
    async revert(as: Actor, merge: Merge, automatic = false) {
      const head = merge.commit ?? '';
      const asked = await call(
        requestPlainMerge,
        { repoId, kind: 'revert', head, revertsMerge: merge.id, automatic },
        { as },
      );
      return story.land(as, asked);
    },
    show: (stream: string) => call(showStream, { stream }, { as: owner }),
    state: async (stream: string) => (await story.show(stream)).state,
  };
  return { ...kernel, ...seed, ...story };
}

/** The code with which a call is refused. */
export async function refusedWith(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (isSwarmError(error)) return error.code;
    throw error;
  }
  return 'allowed';
}
