/** What a stream touches, in the terms of the lane rule in force. Two streams whose footprints overlap share a lane. */
export interface Footprint {
  /** It touches what everything depends on and meets every other stream. */
  root: boolean;
  /** Files, directories or owners, by the rule; sorted, each once. */
  keys: string[];
}

/** The answer is the same both ways. A footprint without keys meets nothing but roots. */
export function overlaps(a: Footprint, b: Footprint): boolean {
  if (a.root || b.root) return true;
  const [small, large] = a.keys.length < b.keys.length ? [a.keys, b.keys] : [b.keys, a.keys];
  if (small.length * large.length <= 64) return small.some((key) => large.includes(key));
  const keys = new Set(large);
  return small.some((key) => keys.has(key));
}
