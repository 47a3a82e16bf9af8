import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findDependencyCycle } from './dependency-cycle.ts';

it('finds the way back to the task', () => {
  const edges = new Map([
    ['b', ['c']],
    ['c', ['a']],
  ]);
  expect(findDependencyCycle('a', ['b'], edges)).toEqual(['a', 'b', 'c', 'a']);
  expect(findDependencyCycle('a', ['a'], new Map())).toEqual(['a', 'a']);
  expect(findDependencyCycle('a', ['d'], edges)).toBeUndefined();
});

it('forgets what the task depended on before', () => {
  expect(findDependencyCycle('a', [], new Map([['a', ['a']]]))).toBeUndefined();
});

it('never lets a graph without cycles get one', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const change = fc.record({ id: fc.constantFrom(...ids), on: fc.subarray(ids) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const edges = new Map<string, string[]>();
      for (const { id, on } of changes) {
        const cycle = findDependencyCycle(id, on, edges);
        if (!cycle) edges.set(id, on);
        else expect(isPath(cycle, new Map([...edges, [id, on]]))).toBe(true);
        expect(hasCycle(edges)).toBe(false);
      }
    }),
  );
});

function isPath(path: string[], edges: Map<string, string[]>): boolean {
  const steps = path.slice(1).every((id, i) => edges.get(path[i] ?? '')?.includes(id));
  return steps && path[0] === path.at(-1);
}

/** Takes away what depends on nothing until no more can be taken. */
function hasCycle(edges: Map<string, string[]>): boolean {
  const left = new Map(edges);
  for (;;) {
    const free = [...left].filter(([, on]) => !on.some((id) => (left.get(id) ?? []).length > 0));
    const taken = free.filter(([id]) => left.delete(id));
    if (taken.length === 0) return left.size > 0;
  }
}
