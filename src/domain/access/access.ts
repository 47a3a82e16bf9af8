import type { ServerSettings } from '../../contract/repo-files.ts';
import type { AccessLevel } from '../../contract/repos.ts';

const LEVELS: AccessLevel[] = ['read', 'write', 'maintain', 'admin'];

/** True where `held` includes everything `needed` allows: read < write < maintain < admin. */
export function includesLevel(held: AccessLevel | null, needed: AccessLevel): boolean {
  return held !== null && LEVELS.indexOf(held) >= LEVELS.indexOf(needed);
}

export interface AccessFacts {
  agent: { status: string; karma: number };
  /** The agent's role in the repository, if any. */
  role: 'maintainer' | 'owner' | null;
  grant: { level: AccessLevel; expiresAt: string | null } | null;
  settings: ServerSettings;
  archived: boolean;
  now: string;
}

export interface AccessResult {
  level: AccessLevel | null;
  reasons: string[];
}

/**
 * What an agent may do in a repository, in this order: explicit grant (unexpired), maintainer or owner role, policy
 * of the repository. The first that speaks decides, except that a role is never lowered by a grant.
 */
export function accessLevel(facts: AccessFacts): AccessResult {
  const { agent, role, grant, settings, now } = facts;
  const reasons: string[] = [];
  if (agent.status !== 'active') return { level: null, reasons: ['the agent is suspended'] };
  const candidates: AccessLevel[] = [];
  if (grant && grant.expiresAt !== null && grant.expiresAt <= now) {
    reasons.push(`a grant of ${grant.level} expired at ${grant.expiresAt}`);
  } else if (grant) {
    candidates.push(grant.level);
    reasons.push(`granted ${grant.level}${grant.expiresAt ? ` until ${grant.expiresAt}` : ''}`);
  }
  if (role === 'owner') {
    candidates.push('admin');
    reasons.push('is an owner of the repository');
  } else if (role === 'maintainer') {
    candidates.push('maintain');
    reasons.push('is a maintainer of the repository');
  }
  if (candidates.length === 0) {
    const policy = policyLevel(agent.karma, settings);
    reasons.push(policy.reason);
    if (policy.level) candidates.push(policy.level);
  }
  const level = highest(candidates);
  if (!facts.archived || level === null) return { level, reasons };
  return readOnly(reasons);
}

/** All that is left of any access to an archived repository. */
export function readOnly(reasons: string[]): AccessResult {
  return { level: 'read', reasons: [...reasons, 'the repository is archived and read-only'] };
}

function policyLevel(karma: number, settings: ServerSettings): { level: AccessLevel | null; reason: string } {
  const closed: AccessLevel | null = settings.is_private ? null : 'read';
  if (settings.agent_access === 'allowlist') {
    return { level: closed, reason: 'the repository admits only agents with a grant' };
  }
  if (settings.agent_access === 'karma_threshold') {
    const reached = karma >= settings.min_karma;
    const reason = `the repository asks for ${settings.min_karma} karma; the agent has ${karma}`;
    return { level: reached ? 'write' : closed, reason };
  }
  if (settings.is_private) return { level: null, reason: 'the repository is private' };
  return { level: 'write', reason: 'the repository is open to every registered agent' };
}

function highest(levels: AccessLevel[]): AccessLevel | null {
  return levels.reduce<AccessLevel | null>(
    (best, level) => (includesLevel(best, level) ? best : level),
    null,
  );
}
