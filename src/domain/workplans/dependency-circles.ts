/**
 * Circles among names that wait for each other: one for every edge that closes one on a walk through the whole. Takes
 * time in proportion to the edges, whoever wrote them.
 */
export function findCircles(edges: ReadonlyMap<string, readonly string[]>, most: number): string[][] {
  const circles: string[][] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const start of edges.keys()) {
    if (state.has(start)) continue;
    const path = [{ name: start, next: 0 }];
    state.set(start, 'open');
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = edges.get(top.name)?.[top.next++];
      if (to === undefined) {
        state.set(top.name, 'done');
        path.pop();
      } else if (!state.has(to)) {
        state.set(to, 'open');
        path.push({ name: to, next: 0 });
      } else if (state.get(to) === 'open') {
        const names = path.map((each) => each.name);
        circles.push([...names.slice(names.indexOf(to)), to]);
        if (circles.length === most) return circles;
      }
    }
  }
  return circles;
}
