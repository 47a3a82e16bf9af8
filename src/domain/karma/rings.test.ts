import fc from 'fast-check';
import { expect, it } from 'vitest';
import { earnsKarma, isIndependent, ringsOf } from './rings.ts';

const edges = (text: string) =>
  text
    .split(' ')
    .filter(Boolean)
    .map((pair) => ({ from: pair[0] ?? '', to: pair[1] ?? '' }));

it.each([
  ['', ''],
  ['ab', ''],
  ['ab ba', 'a b'],
  ['ab bc ca', 'a b c'],
  ['ab bc cd', ''],
  ['ab ba bc', 'a b'],
  ['aa', 'a'],
])('of the approvals %s these stand in a ring: %s', (text, members) => {
  expect([...ringsOf(edges(text)).keys()].sort().join(' ')).toBe(members);
});

it('rings do not depend on the order in which approvals were given', () => {
  const pair = fc.record({ from: fc.constantFrom(...'abcdef'), to: fc.constantFrom(...'abcdef') });
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 20 }), (approvals) => {
      const sorted = (map: Map<string, string>) => [...map].sort();
      expect(sorted(ringsOf(approvals.toReversed()))).toEqual(sorted(ringsOf(approvals)));
    }),
  );
});

it('no approval within a group that only approves itself is independent, once all are in the ring', () => {
  const group = 'abcd';
  const pair = fc.record({ from: fc.constantFrom(...group), to: fc.constantFrom(...group) });
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 20 }), (more) => {
      const rings = ringsOf([...edges('ab bc cd da'), ...more]);
      for (const { from, to } of more) {
        expect(isIndependent({ node: from, vouched: false }, to, rings)).toBe(false);
        expect(isIndependent({ node: from, vouched: true }, to, rings)).toBe(true);
      }
    }),
  );
});

it('a landing earns karma where nobody had to agree, or somebody outside the ring did', () => {
  const rings = ringsOf(edges('ab ba'));
  const by = (...nodes: string[]) => nodes.map((node) => ({ node, vouched: false }));
  expect(earnsKarma([], 'a', rings)).toBe(true);
  expect(earnsKarma(by('b'), 'a', rings)).toBe(false);
  expect(earnsKarma(by('b', 'c'), 'a', rings)).toBe(true);
  expect(earnsKarma(by('a'), 'a', new Map())).toBe(false);
});
