import { isoTime } from '../base/clock.ts';
import { SwarmError } from '../contract/errors.ts';
import { listStabilizations, recordPromotion, requestPromotion } from '../contract/stabilizations.ts';
import { checkedOutRefs } from '../git/checkouts.ts';
import { isAncestor } from '../git/commits.ts';
import { fastForwardCheckedOut } from '../git/move-checkout.ts';
import { resolveCommit, updateRefs } from '../git/refs.ts';
import { finishIntent, insertIntent } from '../machine/intents.ts';
import { withLock } from '../machine/locks.ts';
import { intake } from './plain-landings.ts';
import { withQueue } from './queue-lock.ts';
import { advanceShared } from './shared/advance-shared.ts';
import { meetShared } from './shared/fetch-shared.ts';
import { moveShared } from './shared/move-shared.ts';
import { refused } from './shared/shared-errors.ts';
import { isHere, isSeenOn } from './shared/shared-refs.ts';
import { actorOf, bufferTip, targetTip, type Workflow } from './workflow.ts';

export interface PromoteResult {
  from: string;
  to: string;
  fromCommit: string;
  toCommit: string;
  promoted: boolean;
  /** There is no command that tests the buffer, so nothing is known of what was promoted. */
  untested: boolean;
}

export interface PromoteOptions {
  /** A tag `green/…`; default: the newest green commit. */
  tag?: string | undefined;
  plan?: boolean;
  automatic?: boolean;
  /** What a council decided on: this commit, promoted in its name while the actor carries it out. */
  decided?: { commit: string; councilAgentId: string };
}

/**
 * Moves the target to the newest green commit of the buffer: never past it, forward only. A checkout of the target,
 * a person's own included, moves with it; an edit there that overlaps refuses the promotion and changes nothing.
 */
export async function promote(workflow: Workflow, options: PromoteOptions = {}): Promise<PromoteResult> {
  actorOf(workflow);
  return withLock(workflow.home, 'promote', () => promoteLocked(workflow, options));
}

async function promoteLocked(workflow: Workflow, options: PromoteOptions): Promise<PromoteResult> {
  const { repo } = workflow;
  if (!options.plan) {
    const taken = await withQueue(workflow, async () => {
      await meetShared(workflow, { promotes: true });
      return intake(workflow);
    });
    if (taken.kind === 'conflict') {
      throw new SwarmError(
        'gate_not_met',
        `${repo.promoteTarget} clashes with the buffer in ${taken.files.join(', ')}.`,
        {
          fix: `gitswarm task show ${taken.taskHandle}`,
        },
      );
    }
  }
  const from = await targetTip(workflow);
  const untested = repo.config.stabilize_command === null;
  const to = options.decided?.commit ?? (await candidate(workflow, from, { tag: options.tag, untested }));
  const result = {
    from: repo.bufferBranch,
    to: repo.promoteTarget,
    fromCommit: from,
    toCommit: to,
    untested,
  };
  if (from === to || (await isAncestor(workflow.git, to, from))) {
    if (!options.plan) await publishTarget(workflow, to, options.automatic ?? false);
    return { ...result, toCommit: from, promoted: false };
  }
  if (!(await isAncestor(workflow.git, from, to))) {
    throw new SwarmError(
      'gate_not_met',
      `${repo.promoteTarget} holds commits that the green commit ${to.slice(0, 10)} lacks.`,
      {
        fix: 'gitswarm stabilize takes them in and tests them; then promote again.',
      },
    );
  }
  const { decided } = options;
  const authority = decided ? workflow.authority.as(decided.councilAgentId) : workflow.authority;
  const triggeredBy = decided ? 'council' : options.automatic ? 'auto' : 'manual';
  await authority.call(requestPromotion, {
    repoId: repo.id,
    toCommit: to,
    automatic: options.automatic ?? false,
  });
  if (options.plan) return { ...result, promoted: false };
  const at = isoTime(workflow.clock.now());
  const intent = insertIntent(workflow.machine, {
    kind: 'promote',
    data: {
      fromCommit: from,
      toCommit: to,
      untested,
      triggeredBy,
      councilAgentId: decided?.councilAgentId ?? null,
    },
    at,
  });
  workflow.reach('promote.intended');
  try {
    await moveTarget(workflow, from, to);
    workflow.reach('promote.moved');
    await authority.call(recordPromotion, {
      repoId: repo.id,
      fromCommit: from,
      toCommit: to,
      untested,
      triggeredBy,
    });
  } finally {
    finishIntent(workflow.machine, intent);
  }
  return { ...result, promoted: true };
}

/** What was promoted before this clone shared its branches is not in the remote yet; it may go there by the same rule. */
async function publishTarget(workflow: Workflow, to: string, automatic: boolean): Promise<void> {
  const { repo, shared, authority } = workflow;
  if (!shared || (await isSeenOn(workflow, repo.promoteTarget, to))) return;
  await authority.call(requestPromotion, { repoId: repo.id, toCommit: to, automatic });
  await advanceShared(workflow, { branch: repo.promoteTarget, from: to, to });
}

/** The commit that a promotion would move the target to now, after what reached the target another way was taken in. */
export async function promotionCandidate(workflow: Workflow, tag?: string): Promise<string> {
  await withQueue(workflow, async () => {
    await meetShared(workflow, { promotes: true });
    await intake(workflow);
  });
  const untested = workflow.repo.config.stabilize_command === null;
  return candidate(workflow, await targetTip(workflow), { tag, untested });
}

/** What the target may move to: a named green tag, the newest green commit, or the tip where nothing tests it. */
async function candidate(
  workflow: Workflow,
  from: string,
  options: { tag: string | undefined; untested: boolean },
): Promise<string> {
  const tip = await bufferTip(workflow);
  if (options.tag !== undefined) return taggedCommit(workflow, options.tag, tip);
  if (options.untested) return tip;
  const { items } = await workflow.authority.call(listStabilizations, {
    repoId: workflow.repo.id,
    result: 'green',
    limit: 50,
  });
  for (const { commit } of items) {
    if ((await isHere(workflow, commit)) && (await isAncestor(workflow.git, commit, tip))) return commit;
  }
  if (tip === from) return tip;
  throw new SwarmError('gate_not_met', 'No commit of the buffer has been found green.', {
    fix: 'gitswarm stabilize',
  });
}

async function taggedCommit(workflow: Workflow, tag: string, tip: string): Promise<string> {
  const name = tag.startsWith('green/') ? tag : `green/${tag}`;
  const commit = await resolveCommit(workflow.git, `refs/tags/${name}`);
  if (!commit)
    throw new SwarmError('not_found', `There is no tag ${name}.`, { fix: 'gitswarm stabilize history' });
  const { items } = await workflow.authority.call(listStabilizations, {
    repoId: workflow.repo.id,
    result: 'green',
    limit: 200,
  });
  // A tag can be made by anyone; only a recorded green run counts.
  if (items.some((run) => run.commit === commit) && (await isAncestor(workflow.git, commit, tip)))
    return commit;
  throw new SwarmError('gate_not_met', `${name} marks no green commit of the buffer.`, {
    fix: 'gitswarm stabilize',
  });
}

async function moveTarget(workflow: Workflow, old: string, to: string): Promise<void> {
  const branch = workflow.repo.promoteTarget;
  const ref = `refs/heads/${branch}`;
  const worktree = (await checkedOutRefs(workflow.git)).get(ref);
  const moved = workflow.shared
    ? await moveShared(workflow, { branch, from: old, to }, () => workflow.reach('promote.shared'))
    : worktree === undefined
      ? await updateRefs(workflow.git, [{ ref, old, new: to }], 'gitswarm: promote')
      : await fastForwardCheckedOut(workflow.git, { worktree, ref, old, new: to });
  if (moved.kind === 'moved') return;
  if (moved.kind === 'refused') throw refused(workflow, branch, moved.why);
  if (moved.kind === 'lost') {
    throw new SwarmError('busy', `${workflow.repo.promoteTarget} moved meanwhile: ${moved.message}`, {
      fix: 'Try again.',
    });
  }
  const files = moved.files.length > 0 ? `: ${moved.files.slice(0, 10).join(', ')}` : '';
  throw new SwarmError(
    'target_checked_out',
    `${workflow.repo.promoteTarget} is checked out in ${worktree} and cannot move there (${moved.reason.replace('_', ' ')})${files}`,
    {
      fix: 'Commit or stash what overlaps there (git stash -u), or finish the merge or rebase; then promote again.',
      details: { worktree, files: moved.files, reason: moved.reason },
    },
  );
}
