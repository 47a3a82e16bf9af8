import { SwarmError } from '../contract/errors.ts';
import type { CascadeStream } from './cascade-stream.ts';

/**
 * The streams below a moved one in levels: each comes after all its parents that are below it too. The rest is
 * untouched. Throws invalid for a circle.
 */
export function cascadeLevels(
  moved: string,
  streams: readonly CascadeStream[],
): { levels: CascadeStream[][]; untouched: string[] } {
  const below = descendants(moved, streams);
  const levels: CascadeStream[][] = [];
  let waiting = streams.filter(({ id }) => below.has(id));
  const placed = new Set([moved]);
  while (waiting.length > 0) {
    const level = waiting.filter((stream) =>
      parentIds(stream).every((parent) => placed.has(parent) || !below.has(parent)),
    );
    if (level.length === 0) {
      const names = waiting.map(({ id }) => id).join(', ');
      throw new SwarmError('invalid', `These streams depend on each other in a circle: ${names}`);
    }
    for (const { id } of level) placed.add(id);
    levels.push(level);
    waiting = waiting.filter(({ id }) => !placed.has(id));
  }
  return { levels, untouched: streams.filter(({ id }) => !below.has(id)).map(({ id }) => id) };
}

function descendants(moved: string, streams: readonly CascadeStream[]): Set<string> {
  const children = new Map<string, string[]>();
  for (const stream of streams) {
    for (const parent of parentIds(stream)) {
      children.set(parent, [...(children.get(parent) ?? []), stream.id]);
    }
  }
  const below = new Set<string>();
  const open = [moved];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const child of children.get(id) ?? []) {
      if (below.has(child)) continue;
      below.add(child);
      open.push(child);
    }
  }
  return below;
}

function parentIds(stream: CascadeStream): string[] {
  return [stream.parentId, ...(stream.otherParents ?? []).map(({ id }) => id)];
}
