import type { RepoConfig } from '../../contract/repo-files.ts';
import { ownersOf, parseOwners } from './code-owners.ts';
import type { Footprint } from './footprint.ts';

export interface LaneRule {
  lanes: RepoConfig['queue']['lanes'];
  /** The text of CODEOWNERS on the buffer; asked for by the rule `owner` only. */
  owners?: string | undefined;
  /** Paths that a merge driver of the repository merges by itself: lock files, generated files. */
  mergesItself?: (path: string) => boolean;
}

/**
 * The footprint of a set of touched paths. By `directory`, two streams meet in a directory whose files both touch; by
 * `owner`, in the owners of their files, and by directory where a file has none; by `none` nobody meets anybody.
 */
export function footprintOf(paths: readonly string[], rule: LaneRule): Footprint {
  if (rule.lanes === 'none') return { root: false, keys: [] };
  const owners = rule.lanes === 'owner' ? parseOwners(rule.owners ?? '') : [];
  const keys = new Set<string>();
  let root = false;
  for (const path of paths) {
    if (rule.mergesItself?.(path)) continue;
    if (isRoot(path)) root = true;
    else for (const key of keysOf(path, rule, owners)) keys.add(key);
  }
  return { root, keys: [...keys].sort() };
}

const PROSE = /\.(md|markdown|rst|adoc|txt)$|^(LICENSE|LICENCE|NOTICE|AUTHORS|CHANGELOG|CODEOWNERS)$/i;

/** Manifests, build files and the settings: at the top of the repository everything but prose concerns everyone. */
function isRoot(path: string): boolean {
  if (path.startsWith('.gitswarm/')) return true;
  return !path.includes('/') && !PROSE.test(path);
}

function keysOf(path: string, rule: LaneRule, owners: ReturnType<typeof parseOwners>): string[] {
  if (rule.lanes === 'file') return [path];
  if (rule.lanes === 'owner') {
    const found = ownersOf(path, owners);
    if (found.length > 0) return found;
  }
  const slash = path.lastIndexOf('/');
  return [slash < 0 ? path : `${path.slice(0, slash)}/`];
}
