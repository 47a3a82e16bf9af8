import { allPages } from '../base/all-pages.ts';
import { unlessAway } from '../contract/authority-away.ts';
import { isRetryable, isSwarmError } from '../contract/errors.ts';
import { listMerges, type Merge, moveInQueue } from '../contract/merges.ts';
import {
  beginProposal,
  type CouncilVote,
  type Execution,
  listProposals,
  type Proposal,
  type ProposalPlan,
  recordExecution,
  showProposal,
  voteOnProposal,
} from '../contract/proposals.ts';
import { addMaintainer, grantAccess, removeMaintainer, revokeAccess } from '../contract/repos.ts';
import { showStream } from '../contract/streams.ts';
import { withLock } from '../machine/locks.ts';
import type { Authority } from '../operations/authority.ts';
import { asCarrier } from './carrier-of.ts';
import { writeSettingBoth } from './edit-config.ts';
import { mergeStream } from './merge-stream.ts';
import { landingOf } from './plain-landings.ts';
import { promote, promotionCandidate } from './promote.ts';
import { withQueue } from './queue-lock.ts';
import { revertLanding } from './revert-stream.ts';
import { meetShared } from './shared/fetch-shared.ts';
import { isOnBranch } from './shared/shared-refs.ts';
import type { Workflow } from './workflow.ts';

/**
 * Carries out what the council has decided and nobody has carried out yet, each exactly once: what is going to be done
 * is recorded before it is done, so that whoever goes on after a crash finds it done or does that and nothing else. What
 * cannot be done for now (a paused queue, a busy branch) waits for the next time. `as` gives the workflow of whoever does
 * it, where that is somebody else.
 */
export async function carryOutProposals(
  workflow: Workflow,
  as = (proposal: Proposal): Promise<Workflow> => asCarrier(workflow, proposal),
): Promise<Proposal[]> {
  // It can only be read, by its council too.
  if (workflow.repo.status === 'archived') return [];
  const waiting = await pending(workflow);
  if (waiting.length === 0) return [];
  return withLock(workflow.home, 'council', async () => {
    const done: Proposal[] = [];
    // Asked again: whoever held the lock before may have done it all.
    for (const proposal of await pending(workflow)) {
      const ended = await carryOut(await as(proposal), proposal);
      if (ended) done.push(ended);
    }
    return done;
  });
}

export interface VoteOptions {
  /** The vote is counted once under it: whoever asks again goes on with the carrying out. */
  key?: string | undefined;
  /** Carries out what waits, where the voter does not do so. */
  carryOut?: () => Promise<unknown>;
}

/** Votes, and carries out at once what that decides; answers the proposal as it is then. */
export async function castVote(
  workflow: Workflow,
  ballot: { proposal: string; vote: CouncilVote; comment?: string | undefined },
  { key, carryOut = () => carryOutProposals(workflow) }: VoteOptions = {},
): Promise<Proposal> {
  const counted = { ...ballot, comment: ballot.comment ?? '' };
  const voted = await workflow.authority.call(voteOnProposal, counted, { key });
  if (voted.status !== 'passed') return voted;
  workflow.reach('proposal.passed');
  try {
    await carryOut();
  } catch (error) {
    // The vote counts. A member need not have the right to carry it out, and what it takes may be away.
    if (!isSwarmError(error) || !(error.code === 'not_allowed' || isRetryable(error.code))) throw error;
    workflow.notify(`passed, and carried out by whoever may next: ${error.message}`);
  }
  return unlessAway(workflow.authority.call(showProposal, { proposal: voted.id }), voted);
}

function pending(workflow: Workflow): Promise<Proposal[]> {
  return allPages((cursor) =>
    workflow.authority.call(listProposals, {
      repoId: workflow.repo.id,
      pending: true,
      limit: 200,
      cursor,
    }),
  );
}

async function carryOut(workflow: Workflow, proposal: Proposal): Promise<Proposal | undefined> {
  const { authority } = workflow;
  const planned = proposal.plan === null ? await planFor(workflow, proposal) : { plan: {} };
  if (planned.failed === 'later') return undefined;
  const begun = await authority.call(beginProposal, { proposal: proposal.id, plan: planned.plan });
  workflow.reach('proposal.begun');
  const council = authority.as(begun.councilAgentId);
  const execution = planned.failed ?? (await attempt(workflow, { ...begun, proposal, council }));
  workflow.reach('proposal.performed');
  if (execution === 'later') return undefined;
  return council.call(recordExecution, { proposal: proposal.id, execution });
}

async function attempt(workflow: Workflow, begun: Begun): Promise<Execution | 'later'> {
  try {
    return await perform(workflow, begun);
  } catch (error) {
    const execution = failure(error);
    if (execution === 'later') workflow.notify(`${begun.proposal.handle} waits: ${(error as Error).message}`);
    return execution;
  }
}

/** What a refusal makes of a decision; one that may be over by itself, or by somebody's `git stash`, makes it wait. */
function failure(error: unknown): Execution | 'later' {
  if (!isSwarmError(error)) throw error;
  if (isRetryable(error.code) || error.code === 'target_checked_out') return 'later';
  return { ok: false, result: { code: error.code, message: error.message } };
}

/** What the decision is fixed to now: the work that lands, the landing that is reverted, the commit that is promoted. */
async function planFor(
  workflow: Workflow,
  proposal: Proposal,
): Promise<{ plan: ProposalPlan; failed?: Execution | 'later' }> {
  try {
    return { plan: await fixed(workflow, proposal) };
  } catch (error) {
    return { plan: {}, failed: failure(error) };
  }
}

async function fixed(workflow: Workflow, { type, data }: Proposal): Promise<ProposalPlan> {
  if (type === 'merge_stream') {
    const { head } = await workflow.authority.call(showStream, { stream: String(data.streamId) });
    return { head };
  }
  if (type === 'revert_stream') return { mergeId: (await landingOf(workflow, String(data.streamId))).id };
  if (type !== 'promote') return {};
  return { toCommit: await promotionCandidate(workflow, textOf(data.tag)) };
}

interface Begun {
  proposal: Proposal;
  plan: ProposalPlan;
  council: Authority;
  councilAgentId: string;
}

async function perform(workflow: Workflow, begun: Begun): Promise<Execution | 'later'> {
  const { proposal, council } = begun;
  const { data } = proposal;
  const repoId = workflow.repo.id;
  const agent = String(data.agentId);
  // Whoever goes on after a crash is given the answer of the first time.
  const key = { key: `proposal ${proposal.id}` };
  switch (proposal.type) {
    case 'add_maintainer': {
      const reason = `decided by the council (${proposal.handle})`;
      return done(await council.call(addMaintainer, { repoId, agent, reason }, key));
    }
    case 'remove_maintainer':
      return done(await council.call(removeMaintainer, { repoId, agent }, key));
    case 'modify_access': {
      if (data.level === null) return done(await council.call(revokeAccess, { repoId, agent }, key));
      const wish = {
        repoId,
        agent,
        level: data.level as 'read',
        expiresAt: (data.expiresAt ?? null) as string | null,
      };
      return done(await council.call(grantAccess, wish, key));
    }
    case 'change_settings':
      return changeSettings(workflow, begun);
    case 'reorder_queue': {
      const wish = {
        stream: String(data.streamId),
        priority: data.priority as 'high',
        first: data.first === true,
      };
      return done(await council.call(moveInQueue, wish, key));
    }
    case 'merge_stream':
      return landStream(workflow, begun);
    case 'revert_stream':
      return revertStream(workflow, begun);
    case 'promote':
      return promoteDecided(workflow, begun);
  }
}

function done(result: object): Execution {
  return { ok: true, result: result as Record<string, unknown> };
}

/** A command that is among them runs only once an owner has approved it on this machine. */
async function changeSettings(workflow: Workflow, { proposal, councilAgentId }: Begun): Promise<Execution> {
  const changes = proposal.data.changes as Record<string, unknown>;
  const council = { ...workflow, authority: workflow.authority.as(councilAgentId) };
  const set = [];
  for (const [key, value] of Object.entries(changes)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const change = await writeSettingBoth(council, key, text);
    set.push({ key, value: change.value, waitsForLanding: change.waitsForLanding });
  }
  return done({ settings: set });
}

async function landStream(
  workflow: Workflow,
  { proposal, plan, council }: Begun,
): Promise<Execution | 'later'> {
  const stream = String(proposal.data.streamId);
  const landed = (await landings(workflow, stream)).find((merge) => merge.head === plan.head);
  if (landed) return done({ kind: 'merged', commit: landed.commit });
  const priority = proposal.data.priority as 'high' | undefined;
  const result = await mergeStream(workflow, stream, { priority, askedBy: council });
  if (result.kind === 'queued') return 'later';
  if (result.kind === 'merged') return done({ kind: 'merged', commit: result.commit });
  if (result.kind === 'conflict') return { ok: false, result };
  return { ok: false, result: { kind: 'evicted', summary: result.packet.summary } };
}

function landings(workflow: Workflow, stream: string): Promise<Merge[]> {
  return allPages((cursor) =>
    workflow.authority.call(listMerges, {
      repoId: workflow.repo.id,
      stream,
      state: 'landed',
      limit: 200,
      cursor,
    }),
  );
}

async function revertStream(workflow: Workflow, { proposal, plan, council }: Begun): Promise<Execution> {
  const stream = String(proposal.data.streamId);
  const reason = textOf(proposal.data.reason) ?? `decided by the council (${proposal.handle})`;
  const landing = (await landings(workflow, stream)).find((merge) => merge.id === plan.mergeId);
  if (!landing) return done({ kind: 'reverted', mergeId: plan.mergeId });
  const result = await withQueue(workflow, async () => {
    await meetShared(workflow);
    return revertLanding(workflow, landing, { reason, automatic: false, askedBy: council });
  });
  if (result.kind === 'conflict') return { ok: false, result };
  return done({ kind: 'reverted', mergeId: landing.id, commit: result.commit });
}

async function promoteDecided(workflow: Workflow, { plan, councilAgentId }: Begun): Promise<Execution> {
  const commit = String(plan.toCommit);
  if (await isOnBranch(workflow, workflow.repo.promoteTarget, commit)) {
    return done({ promoted: true, toCommit: commit });
  }
  return done(await promote(workflow, { decided: { commit, councilAgentId } }));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
