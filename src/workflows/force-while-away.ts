import { retry } from '../base/retry.ts';
import type { AuthorityAway } from '../contract/authority-away.ts';
import { SwarmError } from '../contract/errors.ts';
import { landMerge, prepareMerge } from '../contract/merges.ts';
import { explainAccess } from '../contract/repos.ts';
import type { Facts, Stream } from '../contract/streams.ts';
import { includesLevel } from '../domain/access/access.ts';
import { signaturesOf } from './authorship.ts';
import { composeStream, LANDING_TRIES, moveBuffer } from './land.ts';
import type { MergeResult } from './merge-stream.ts';
import { withQueue } from './queue-lock.ts';
import { meetShared } from './shared/fetch-shared.ts';
import { actorOf, bufferTip, type Workflow } from './workflow.ts';

/** A landing as it was asked for; its id was chosen here. */
export interface LandingWish {
  id: string;
  stream: Stream;
  facts: Facts;
}

/**
 * An emergency: an owner lands a stream although the server that decides is away. The request, with its reason, is in
 * the outbox already; that it has landed follows it there, so the server learns of it all and judges it by its own rules.
 * Whether somebody is an owner is what the server said last; for anybody else the request only waits.
 */
export async function forceWhileAway(
  workflow: Workflow,
  wish: LandingWish,
  away: AuthorityAway,
): Promise<MergeResult> {
  const obstacle = await whyNotForced(workflow);
  if (obstacle !== undefined) {
    const reason = `${away.message} ${obstacle}`;
    return { kind: 'queued', position: null, reason, blocked: false, isAway: true };
  }
  const landed = await withQueue(workflow, async () => {
    await meetShared(workflow);
    return land(workflow, wish);
  });
  if (landed) return landed;
  throw new SwarmError(
    'busy',
    `The buffer moved ${LANDING_TRIES} times while ${wish.stream.handle} was landing.`,
    {
      fix: 'Try again.',
    },
  );
}

async function whyNotForced({ authority, repo, actor }: Workflow): Promise<string | undefined> {
  if (!repo.settings.human_can_force_merge) return 'Forced landings are switched off in this repository.';
  if (!actor) return 'Nobody is named who forces it.';
  const access = await authority.call(explainAccess, { repoId: repo.id, agent: actor.id });
  return includesLevel(access.level, 'admin')
    ? undefined
    : 'Meanwhile only an owner may force it, and the server did not call you one.';
}

function land(workflow: Workflow, { id, stream, facts }: LandingWish): Promise<MergeResult | undefined> {
  const { authority, holder } = workflow;
  return retry<MergeResult>(LANDING_TRIES, async () => {
    const tip = await bufferTip(workflow);
    const as = await signaturesOf(workflow, actorOf(workflow));
    const made = await composeStream(workflow, { id, head: facts.head }, stream)(tip, as);
    if (made.kind === 'conflict')
      return { kind: 'conflict', files: made.files.map(({ path, kind }) => ({ path, kind })) };
    const commit = made.kind === 'merged' ? made.commit : tip;
    const moved = commit === tip ? undefined : await moveBuffer(workflow, { from: tip, to: commit });
    if (moved?.kind === 'lost') return 'again';
    if (moved?.kind === 'stuck') throw moved.error;
    workflow.reach('force.moved');
    // Until both are told, the server has the request: whoever drives the queue then finds that it is on the buffer.
    authority.tellLater?.(prepareMerge, { merge: id, commit, bufferBefore: tip, holder, expectCommit: null });
    authority.tellLater?.(landMerge, { merge: id, commit });
    return {
      kind: 'merged',
      commit,
      bufferBefore: tip,
      bufferAfter: commit,
      cascade: { rebased: [], deferred: [], conflicted: [] },
      completedTaskId: null,
    };
  });
}
