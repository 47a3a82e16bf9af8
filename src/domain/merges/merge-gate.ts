import type { MergeMode } from '../../contract/repo-files.ts';
import type { Consensus } from '../../contract/reviews.ts';
import type { StreamState } from '../../contract/streams.ts';

/** Everything the gate before a landing looks at. */
export interface GateFacts {
  handle: string;
  state: StreamState;
  mode: MergeMode;
  commitCount: number;
  consensus: Pick<Consensus, 'reached' | 'state' | 'reasons'>;
  /** Even in swarm mode a change of GitSwarm's own settings needs consensus. */
  touchesSettings: boolean;
  /** What it builds on: `ahead` is landing before it or with it, `gone` is abandoned or reverted. */
  parent: { handle: string; is: 'landed' | 'ahead' | 'open' | 'gone' } | null;
  /** Only maintainers may perform merges here (gated mode, or a branch rule). */
  maintainersOnly: boolean;
  callerIsMaintainer: boolean;
  /** A branch rule asks for tests before anything lands, and there is no command that tests. */
  lacksTests: boolean;
  callerName: string;
  forced: boolean;
}

export interface GateRefusal {
  code: 'wrong_state' | 'conflict' | 'gate_not_met' | 'not_allowed';
  reason: string;
  fix?: string;
}

/**
 * Why a stream may not land now, or null where it may. An owner's force passes over missing consensus only: never
 * over a conflict, a parent that has not landed, or a state in which nothing can land.
 */
export function refuseMerge(facts: GateFacts): GateRefusal | null {
  const { handle, state } = facts;
  if (state === 'merged') return { code: 'conflict', reason: `Stream ${handle} has landed already.` };
  if (state === 'abandoned' || state === 'paused' || state === 'conflicted') {
    const fix = { abandoned: 'workspace restore', paused: 'stream resume', conflicted: 'stream resolve' }[
      state
    ];
    return {
      code: 'wrong_state',
      reason: `Stream ${handle} is ${state}: it cannot land.`,
      fix: `gitswarm ${fix} ${handle}`,
    };
  }
  if (facts.commitCount === 0) {
    return {
      code: 'gate_not_met',
      reason: `Stream ${handle} has no commits to land.`,
      fix: 'gitswarm commit -m …',
    };
  }
  if (facts.parent?.is === 'gone') {
    return {
      code: 'gate_not_met',
      reason: `Stream ${handle} builds on ${facts.parent.handle}, whose work is gone.`,
      fix: `gitswarm stream rebase ${handle} --onto buffer`,
    };
  }
  if (facts.parent?.is === 'open') {
    return {
      code: 'gate_not_met',
      reason: `Stream ${handle} builds on ${facts.parent.handle}, which has not landed.`,
      fix: `gitswarm merge ${facts.parent.handle}`,
    };
  }
  if (facts.maintainersOnly && !facts.callerIsMaintainer) {
    return {
      code: 'not_allowed',
      reason: `Only a maintainer may land streams here; ${facts.callerName} is none.`,
      fix: `gitswarm merge ${handle} --as <maintainer>`,
    };
  }
  if (facts.lacksTests) {
    return {
      code: 'gate_not_met',
      reason: 'A branch rule requires tests before a landing, and there is no command that tests.',
      fix: 'gitswarm config set stabilize_command "npm test"',
    };
  }
  if (facts.forced || (facts.mode === 'swarm' && !facts.touchesSettings) || facts.consensus.reached)
    return null;
  return refuseConsensus(facts);
}

function refuseConsensus(facts: GateFacts): GateRefusal {
  const { consensus, handle } = facts;
  const reason = `Stream ${handle} has no consensus (${consensus.state}): ${consensus.reasons.join('; ')}.`;
  if (consensus.state === 'no_eligible_reviewers') {
    const fixes = [
      'gitswarm repo maintainer add <agent>',
      'gitswarm config set ownership_model solo',
      `gitswarm merge ${handle} --force --reason "…" (owners)`,
    ];
    return { code: 'gate_not_met', reason, fix: fixes.join('  or  ') };
  }
  if (facts.state === 'active')
    return { code: 'gate_not_met', reason, fix: `gitswarm review submit ${handle}` };
  return { code: 'gate_not_met', reason, fix: `gitswarm review check ${handle}` };
}
