import { retry } from '../base/retry.ts';
import type { AuthorityAway } from '../contract/authority-away.ts';
import { SwarmError } from '../contract/errors.ts';
import { landMerge, prepareMerge } from '../contract/merges.ts';
import { explainAccess } from '../contract/repos.ts';
import { type ConflictFile, type Facts, type Stream, showStream } from '../contract/streams.ts';
import { includesLevel } from '../domain/access/access.ts';
import { type GateFacts, refuseMerge } from '../domain/merges/merge-gate.ts';
import { branchPolicy, touchesSettings } from '../domain/repos/branch-rules.ts';
import { isAncestor } from '../git/commits.ts';
import { takeOut } from '../machine/outbox.ts';
import { signaturesOf } from './authorship.ts';
import { testsBeforeMerge } from './drive-queue.ts';
import { composeStream, LANDING_TRIES, moveBuffer } from './land.ts';
import { withQueue } from './queue-lock.ts';
import { runChecks } from './run-checks.ts';
import { meetShared } from './shared/fetch-shared.ts';
import { actorOf, bufferTip, type Workflow } from './workflow.ts';

/** A landing as it was asked for; its id was chosen here. */
export interface LandingWish {
  id: string;
  stream: Stream;
  facts: Facts;
}

export type ForcedLanding =
  | { kind: 'merged'; commit: string; bufferBefore: string; bufferAfter: string }
  | { kind: 'conflict'; files: ConflictFile[] }
  /** It may not be forced by what is known: the request waits for the server. */
  | { kind: 'waits'; reason: string };

/**
 * An emergency: an owner lands a stream although the server that decides is away. The request, with its reason, is in
 * the outbox already; that it has landed follows it there, so the server learns of it all and judges it by its own rules.
 * Whether somebody is an owner is what the server said last; for anybody else the request only waits.
 */
export async function forceWhileAway(
  workflow: Workflow,
  wish: LandingWish,
  away: AuthorityAway,
): Promise<ForcedLanding> {
  let mayHaveMoved = false;
  const onMove = (isUnderWay: boolean) => {
    mayHaveMoved = isUnderWay;
  };
  let outcome: ForcedLanding | undefined;
  try {
    outcome = await force(workflow, { wish, away, onMove });
    return outcome;
  } finally {
    // It does not land, and nobody is to find it landed tomorrow.
    const isOver = outcome?.kind !== 'waits' && !mayHaveMoved;
    if (isOver && away.kept) takeOut(workflow.machine, away.kept.seq);
  }
}

async function force(
  workflow: Workflow,
  { wish, away, onMove }: { wish: LandingWish; away: AuthorityAway; onMove(isUnderWay: boolean): void },
): Promise<ForcedLanding> {
  const obstacle = (await whyNotForced(workflow)) ?? (await whyNoLanding(workflow, wish));
  if (obstacle !== undefined) return { kind: 'waits', reason: `${away.message} ${obstacle}` };
  const landed = await withQueue(workflow, async () => {
    await meetShared(workflow);
    return land(workflow, wish, onMove);
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

/** Force passes over missing consensus and over nothing else, as far as what is known here tells. */
async function whyNoLanding(workflow: Workflow, { stream, facts }: LandingWish): Promise<string | undefined> {
  const { repo, actor } = workflow;
  if (repo.frozenReason !== null) return `The queue is frozen: ${repo.frozenReason}.`;
  if (repo.queuePaused) return 'The queue is paused.';
  const refusal = refuseMerge({
    handle: stream.handle,
    state: stream.state,
    mode: repo.mergeMode,
    commitCount: facts.commits.length,
    consensus: { reached: false, state: 'waiting', reasons: ['the server is away'] },
    touchesSettings: touchesSettings(facts.paths),
    parent: await parentOf(workflow, stream),
    // Owners are maintainers.
    maintainersOnly: false,
    callerIsMaintainer: true,
    lacksTests:
      branchPolicy(repo.bufferBranch, repo.config).requireTests && repo.config.stabilize_command === null,
    callerName: actor?.name ?? '',
    forced: true,
  });
  return refusal?.reason;
}

async function parentOf(workflow: Workflow, stream: Stream): Promise<GateFacts['parent']> {
  if (stream.parentStreamId === null) return null;
  const parent = await workflow.authority.call(showStream, { stream: stream.parentStreamId });
  const hasLanded =
    parent.state === 'merged' || (await isAncestor(workflow.git, parent.head, await bufferTip(workflow)));
  if (hasLanded) return { handle: parent.handle, is: 'landed' };
  return { handle: parent.handle, is: parent.state === 'abandoned' ? 'gone' : 'open' };
}

/** Where landings are tested first, so is this one: an emergency is no reason to land what is red. */
async function requireGreen(workflow: Workflow, { stream }: LandingWish, commit: string): Promise<void> {
  const { stabilize_command: command, queue } = workflow.repo.config;
  if (command === null || !testsBeforeMerge(workflow)) return;
  const request = { command, timeoutMs: queue.timeout, kind: 'stream', subject: stream.id };
  const { result, output } = await runChecks(workflow, commit, request);
  if (result === 'green') return;
  throw new SwarmError(
    'gate_not_met',
    `The tests of ${stream.handle} on the buffer are ${result}: it does not land.`,
    {
      details: { output: output.slice(-4000) },
    },
  );
}

/** As far as it is known here: so that nothing more is asked for of a stream that is over. */
function landedStream(stream: Stream, commit: string): Stream {
  return { ...stream, state: 'merged', status: 'merged', reviewStatus: null, mergedCommit: commit };
}

/** Tells by `onMove` whether the buffer may have moved: of a push that broke off nobody knows. */
function land(
  workflow: Workflow,
  wish: LandingWish,
  onMove: (isUnderWay: boolean) => void,
): Promise<ForcedLanding | undefined> {
  const { authority, holder } = workflow;
  const { id, stream, facts } = wish;
  return retry<ForcedLanding>(LANDING_TRIES, async () => {
    const tip = await bufferTip(workflow);
    const as = await signaturesOf(workflow, actorOf(workflow));
    const made = await composeStream(workflow, { id, head: facts.head }, stream)(tip, as);
    if (made.kind === 'conflict')
      return { kind: 'conflict', files: made.files.map(({ path, kind }) => ({ path, kind })) };
    const commit = made.kind === 'merged' ? made.commit : tip;
    await requireGreen(workflow, wish, commit);
    onMove(true);
    const moved = commit === tip ? undefined : await moveBuffer(workflow, { from: tip, to: commit });
    if (moved?.kind === 'lost' || moved?.kind === 'stuck') onMove(false);
    if (moved?.kind === 'lost') return 'again';
    if (moved?.kind === 'stuck') throw moved.error;
    workflow.reach('force.moved');
    // Until both are told, the server has the request: whoever drives the queue then finds that it is on the buffer.
    authority.tellLater?.(prepareMerge, { merge: id, commit, bufferBefore: tip, holder, expectCommit: null });
    authority.tellLater?.(landMerge, { merge: id, commit }, landedStream(stream, commit));
    return { kind: 'merged', commit, bufferBefore: tip, bufferAfter: commit };
  });
}
