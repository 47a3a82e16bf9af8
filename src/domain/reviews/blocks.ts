import { createHash } from 'node:crypto';
import type { StreamCommit } from '../../contract/streams.ts';

/** Consecutive commits of a stream that are judged together. */
export interface Block {
  id: string;
  /** From 1. */
  number: number;
  commits: StreamCommit[];
  patchId: string;
}

/** What a commit is known by across rewrites. */
export function commitKey(commit: StreamCommit): string {
  return commit.changeId === '' ? commit.patchId : commit.changeId;
}

/**
 * The blocks of a stream: every commit begins one, but for those that go on with the block before. So a new commit is
 * a block of its own, and a rebase changes nothing. A block that holds other commits is another block; one whose commits
 * were changed is the same with another patch.
 */
export function blocksOf(
  streamId: string,
  commits: readonly StreamCommit[],
  joined: ReadonlySet<string>,
): Block[] {
  const groups: StreamCommit[][] = [];
  for (const commit of commits) {
    const last = groups.at(-1);
    if (last && joined.has(commitKey(commit))) last.push(commit);
    else groups.push([commit]);
  }
  return groups.map((group, i) => ({
    id: blockId(streamId, group.map(commitKey)),
    number: i + 1,
    commits: group,
    patchId: `b${digest(group.map((commit) => commit.patchId)).slice(0, 40)}`,
  }));
}

/** The id of the block that holds these commits of a stream: the same wherever it is computed. */
export function blockId(streamId: string, keys: readonly string[]): string {
  const hex = digest([streamId, ...keys]);
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(18, 20)}`,
  ];
  return [...parts, hex.slice(20, 32)].join('-');
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
