import type { PlanEntry } from './plan-entries.ts';

/** Entries such that what others depend on comes first; in a circle, and otherwise, as they stand in their files. */
export function dependenciesFirst(entries: readonly PlanEntry[]): PlanEntry[] {
  const byBlock = new Map(entries.map((entry) => [entry.blockId, entry]));
  const ordered: PlanEntry[] = [];
  const seen = new Set<PlanEntry>();
  for (const start of entries) {
    if (seen.has(start)) continue;
    seen.add(start);
    const path = [{ entry: start, next: 0 }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const name = top.entry.dependsOn[top.next++];
      if (name === undefined) {
        ordered.push(top.entry);
        path.pop();
        continue;
      }
      const needed = byBlock.get(name);
      if (!needed || seen.has(needed)) continue;
      seen.add(needed);
      path.push({ entry: needed, next: 0 });
    }
  }
  return ordered;
}
