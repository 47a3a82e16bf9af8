/** `from` has gained by work of `to`, having judged it. */
export interface Approval {
  from: string;
  to: string;
}

/**
 * Who gains by each other's work, directly or round several corners: for each of them the name of the ring. What is
 * approved within a ring proves nothing, because everybody in it gains by everybody else's work. Who stands in no ring
 * is not in the answer. The answer depends on the set of approvals only, not on their order.
 */
export function ringsOf(approvals: readonly Approval[]): Map<string, string> {
  const next = new Map<string, string[]>();
  for (const { from, to } of approvals) next.set(from, [...(next.get(from) ?? []), to]);
  const reach = new Map([...next.keys()].map((node) => [node, reachable(node, next)]));
  const rings = new Map<string, string>();
  for (const node of [...next.keys()].sort()) {
    if (rings.has(node) || !reach.get(node)?.has(node)) continue;
    const members = [...(reach.get(node) ?? [])].filter((other) => reach.get(other)?.has(node));
    for (const member of members) rings.set(member, node);
  }
  return rings;
}

/** Everybody who stands in a ring that was not the same before: it has closed, grown, or swallowed another. */
export function membersOfChanged(
  before: ReadonlyMap<string, string>,
  rings: ReadonlyMap<string, string>,
): Set<string> {
  const changed = new Set([...rings].flatMap(([node, ring]) => (before.get(node) === ring ? [] : [ring])));
  return new Set([...rings].flatMap(([node, ring]) => (changed.has(ring) ? [node] : [])));
}

function reachable(start: string, next: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const waiting = [...(next.get(start) ?? [])];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    waiting.push(...(next.get(node) ?? []));
  }
  return found;
}

export interface Decider {
  node: string;
  /** A person, or an owner: somebody outside the agents vouches for this approval. */
  vouched: boolean;
}

/** True where an approval says something about the work: its giver is vouched for, or in no ring with the author. */
export function isIndependent(decider: Decider, author: string, rings: ReadonlyMap<string, string>): boolean {
  if (decider.vouched) return true;
  if (decider.node === author) return false;
  const ring = rings.get(author);
  return ring === undefined || rings.get(decider.node) !== ring;
}

/** True where a landing earns karma: no consensus was needed, or somebody independent was for it. */
export function earnsKarma(
  deciders: readonly Decider[],
  author: string,
  rings: ReadonlyMap<string, string>,
): boolean {
  return deciders.length === 0 || deciders.some((decider) => isIndependent(decider, author, rings));
}
