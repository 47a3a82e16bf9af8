import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain } from './explain.ts';
import { overlaps } from './footprint.ts';
import { footprintOf } from './lane-rules.ts';
import { mergeDriven } from './merge-drivers.ts';
import type { QueueEvent, Wish } from './queue-events.ts';
import { batchSize, bestBatch, FIRST_RATES, learnt, type Rates } from './rates.ts';
import { foldQueue } from './reduce.ts';
import { cutByWeight, nextPrefixes } from './search-prefixes.ts';
import { suspicion } from './suspicion.ts';
import { wake } from './wake.ts';

const CERTAIN: Rates = { failure: 0, flake: 0, runMs: 1000 };

function wish(id: string, changes: Partial<Wish> & { touches?: string[] } = {}): QueueEvent {
  const { touches = [`${id}/file.ts`], ...rest } = changes;
  return {
    kind: 'queued',
    wish: {
      id,
      stream: id,
      author: 'ada',
      urgency: 'medium',
      rank: 0,
      askedAt: 0,
      footprint: footprintOf(touches, { lanes: 'directory' }),
      isFix: false,
      isTested: true,
      after: [],
      ...rest,
    },
  };
}

/** What is decided for these events, recorded at once; only the runs. */
function startsAfter(events: QueueEvent[], { runners = 4, rates = CERTAIN, now = 0 } = {}) {
  const decisions = wake(foldQueue(events, rates), { now, runners });
  return decisions.flatMap((each) => (each.kind === 'start' ? [each] : []));
}

describe('lanes', () => {
  const meet = (a: string[], b: string[], lanes: 'file' | 'directory' | 'owner' | 'none', owners = '') =>
    overlaps(footprintOf(a, { lanes, owners }), footprintOf(b, { lanes, owners }));

  it('by file only the same file meets, by directory all that lie beside it', () => {
    expect(meet(['src/a.ts'], ['src/b.ts'], 'file')).toBe(false);
    expect(meet(['src/a.ts'], ['src/a.ts'], 'file')).toBe(true);
    expect(meet(['src/a.ts'], ['src/b.ts'], 'directory')).toBe(true);
    expect(meet(['src/a.ts'], ['src/deep/b.ts'], 'directory')).toBe(false);
  });

  it('by owner all files of one owner meet, whoever else owns them', () => {
    const owners = '# who\n* @all\n/api/ @ada @bob\nweb/*.css @bob\nweb/*.ts @cyd\n';
    expect(meet(['api/x.ts'], ['web/y.css'], 'owner', owners)).toBe(true);
    expect(meet(['api/x.ts'], ['web/y.ts'], 'owner', owners)).toBe(false);
    expect(meet(['docs/x.md'], ['deep/y.md'], 'owner', owners)).toBe(true);
  });

  it('what everything depends on meets everybody, prose beside it does not', () => {
    expect(meet(['package.json'], ['src/a.ts'], 'directory')).toBe(true);
    expect(meet(['.gitswarm/config.yml'], ['src/a.ts'], 'file')).toBe(true);
    expect(meet(['README.md'], ['src/a.ts'], 'directory')).toBe(false);
    expect(meet(['README.md'], ['README.md'], 'directory')).toBe(true);
    expect(meet(['package.json'], ['package.json'], 'none')).toBe(false);
  });

  it('files that a merge driver merges by itself keep nobody apart', () => {
    const rule = {
      lanes: 'directory' as const,
      mergesItself: (path: string) => path === 'package-lock.json',
    };
    const a = footprintOf(['package-lock.json', 'a/x.ts'], rule);
    expect(overlaps(a, footprintOf(['package-lock.json', 'b/x.ts'], rule))).toBe(false);
  });

  it('.gitattributes says which files a driver merges; later lines win, and the built-in ways are no drivers', () => {
    const driven = mergeDriven(
      '*.lock merge=ours\n/gen/** merge=union linguist-generated\nplain.lock -merge\n*.txt merge=text\n',
    );
    expect(['deep/yarn.lock', 'gen/x/y.ts'].every(driven)).toBe(true);
    expect(['plain.lock', 'a.txt', 'src/gen/x.ts', 'src/a.ts'].some(driven)).toBe(false);
  });

  it('overlapping is mutual', () => {
    const paths = fc.array(fc.constantFrom('a/1', 'a/2', 'b/1', 'c', 'd.md'), { maxLength: 4 });
    fc.assert(
      fc.property(paths, paths, fc.constantFrom('file' as const, 'directory' as const), (a, b, lanes) => {
        expect(meet(a, b, lanes)).toBe(meet(b, a, lanes));
      }),
    );
  });
});

describe('batches', () => {
  it('are as large as pays for the failures that were seen, and no larger than the backlog asks for', () => {
    expect(bestBatch({ ...CERTAIN, failure: 0.1 })).toBe(7);
    expect(bestBatch({ ...CERTAIN, failure: 0.1, flake: 0.1 })).toBe(3);
    expect(bestBatch({ ...CERTAIN, failure: 0.9 })).toBe(1);
    expect(batchSize({ ...CERTAIN, failure: 0.1 }, { backlog: 4, free: 8 })).toBe(1);
    expect(batchSize({ ...CERTAIN, failure: 0.1 }, { backlog: 9, free: 4 })).toBe(3);
    expect(batchSize({ ...CERTAIN, failure: 0.1 }, { backlog: 500, free: 4 })).toBe(7);
  });

  it('follow a jump of the failure rate within fifty streams', () => {
    let rates: Rates = { ...FIRST_RATES, failure: 0.02, flake: 0 };
    // Every fifth stream is bad.
    for (let i = 1; i <= 50; i++) rates = learnt(rates, 'failure', i % 5 === 0 ? 1 : 0);
    const right = Math.LN2 / 0.2;
    expect(bestBatch(rates)).toBeGreaterThanOrEqual(right / 2);
    expect(bestBatch(rates)).toBeLessThanOrEqual(right * 2);
  });

  it('are searched by prefixes that leave no gap twice as wide as another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), fc.integer({ min: 1, max: 4 }), (red, count) => {
        const prefixes = nextPrefixes(red, count);
        expect(prefixes).toEqual([...new Set(prefixes)].sort((a, b) => a - b));
        expect(prefixes).toHaveLength(Math.min(count, red - 1));
        const bounds = [0, ...prefixes, red];
        const gaps = bounds.slice(1).map((bound, i) => bound - (bounds[i] ?? 0));
        expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

describe('the search in the buffer', () => {
  it('cuts in equal parts where nobody is likelier than others, and next to the likeliest where somebody is', () => {
    expect(cutByWeight([1, 1, 1, 1, 1, 1, 1, 1], { green: 0, red: 8 }, 3)).toEqual([2, 4, 6]);
    expect(cutByWeight([1, 1, 1, 1, 20, 1, 1, 1], { green: 0, red: 8 }, 2)).toEqual([4, 5]);
    expect(cutByWeight([1, 1, 1], { green: 2, red: 3 }, 4)).toEqual([]);
  });

  it('makes as many cuts as it may, each once and inside', () => {
    const drawn = fc.record({
      weights: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
      count: fc.integer({ min: 0, max: 6 }),
    });
    fc.assert(
      fc.property(drawn, ({ weights, count }) => {
        const red = weights.length;
        const cuts = cutByWeight(weights, { green: 0, red }, count);
        expect(cuts).toHaveLength(Math.min(count, red - 1));
        expect(cuts).toEqual([...new Set(cuts)].sort((a, b) => a - b));
        for (const cut of cuts) expect(cut > 0 && cut < red).toBe(true);
      }),
    );
  });

  it('suspects first whose files the output names', () => {
    const suspects = [{ paths: ['src/cache.ts'] }, { paths: ['src/parser.ts'] }, { paths: ['docs/a.md'] }];
    const weights = suspicion(
      suspects.map((each) => ({ ...each, reverted: 0 })),
      'FAIL src/parser.test.ts: unexpected token',
    );
    expect(weights.indexOf(Math.max(...weights))).toBe(1);
  });
});

describe('the line', () => {
  it('disjoint streams are tested side by side, overlapping ones on top of each other', () => {
    const starts = startsAfter([wish('a'), wish('b'), wish('c', { touches: ['a/other.ts'], askedAt: 1 })]);
    expect(starts.map(({ on }) => on)).toEqual([['a'], ['b'], ['a', 'c']]);
  });

  it('an incident begins on the bare tip and sends only what it overlaps back', () => {
    const events: QueueEvent[] = [wish('a'), wish('b')];
    events.push(...startsAfter(events, { runners: 2 }));
    events.push(wish('fire', { urgency: 'incident', touches: ['a/file.ts'] }));
    const decisions = wake(foldQueue(events, CERTAIN), { now: 0, runners: 2 });
    expect(decisions).toMatchObject([
      { kind: 'cancel', run: 'r1' },
      { kind: 'start', on: ['fire'] },
    ]);
  });

  it('a stack is tested by one run at its tip, even where there are runners for more', () => {
    const stack = [wish('a'), wish('b', { after: ['a'] }), wish('c', { after: ['b'] })];
    expect(startsAfter(stack).map(({ on }) => on)).toEqual([['a', 'b', 'c']]);
  });

  it('a parent goes before its child though the child is more urgent', () => {
    const starts = startsAfter([wish('child', { after: ['parent'], urgency: 'critical' }), wish('parent')]);
    expect(starts.map(({ on }) => on)).toEqual([['parent', 'child']]);
  });

  it('within a class the authors take turns', () => {
    const many = ['a', 'b', 'c', 'd'].map((id, i) => wish(id, { askedAt: i }));
    const starts = startsAfter([...many, wish('other', { author: 'bob', askedAt: 9 })], {
      runners: 2,
      rates: { ...CERTAIN, failure: 0.7 },
    });
    expect(starts.map(({ about }) => about)).toEqual([['a'], ['other']]);
  });

  it('who has waited for long is lifted above those more urgent', () => {
    const events = [wish('old', { urgency: 'low' }), wish('new', { urgency: 'medium', askedAt: 13_000 })];
    const alone = { runners: 1, rates: { ...CERTAIN, failure: 0.7 } };
    expect(startsAfter(events, { ...alone, now: 13_000 })[0]?.on).toEqual(['old']);
    expect(startsAfter(events, { ...alone, now: 11_000 })[0]?.on).toEqual(['new']);
  });

  it('a freeze lets a declared fix pass, though it overlaps what is held', () => {
    const events: QueueEvent[] = [wish('a'), { kind: 'frozen' }];
    events.push(wish('fix', { isFix: true, touches: ['a/file.ts'], askedAt: 1 }));
    expect(startsAfter(events).map(({ on }) => on)).toEqual([['fix']]);
  });

  it('of two that overlap and were found good apart while one was frozen, the first lands and the other is tested anew', () => {
    const apart: QueueEvent[] = [
      wish('held', { touches: ['a/x.ts'] }),
      { kind: 'start', run: 'r1', purpose: 'batch', on: ['held'], about: ['held'], at: 0 },
      { kind: 'finished', run: 'r1', result: 'red', ms: 1, tree: '' },
      { kind: 'start', run: 'r2', purpose: 'confirm', on: ['held'], about: ['held'], at: 1 },
      { kind: 'frozen' },
      { kind: 'finished', run: 'r2', result: 'green', ms: 1, tree: 't2' },
      wish('fix', { touches: ['a/y.ts'], isFix: true }),
      { kind: 'start', run: 'r3', purpose: 'batch', on: ['fix'], about: ['fix'], at: 2 },
      { kind: 'paused' },
      { kind: 'finished', run: 'r3', result: 'green', ms: 1, tree: 't3' },
      { kind: 'resumed' },
      { kind: 'unfrozen' },
    ];
    const [landing, ...others] = wake(foldQueue(apart), { now: 3, runners: 4 });
    expect(landing).toEqual({ kind: 'land', ids: ['fix'], run: 'r3', tree: 't3' });
    expect(others).toEqual([]);
    const landed: QueueEvent[] = [...apart, landing as QueueEvent, { kind: 'landed', ids: ['fix'] }];
    expect(startsAfter(landed)).toMatchObject([{ on: ['held'] }]);
  });

  it('a paused queue begins nothing and lands nothing', () => {
    const events: QueueEvent[] = [wish('a'), wish('b')];
    events.push(...startsAfter(events, { runners: 1, rates: { ...CERTAIN, failure: 0.7 } }));
    events.push({ kind: 'paused' }, { kind: 'finished', run: 'r1', result: 'green', ms: 5, tree: '' });
    expect(wake(foldQueue(events, CERTAIN), { now: 0, runners: 4 })).toEqual([]);
    events.push({ kind: 'resumed' });
    expect(wake(foldQueue(events, CERTAIN), { now: 0, runners: 4 })).toMatchObject([
      { kind: 'land', ids: ['a'], run: 'r1' },
    ]);
  });
});

describe('explaining', () => {
  const asked = { now: 0, runners: 1 };

  it('names what a stream waits for, and nothing about one that is not there', () => {
    const events: QueueEvent[] = [wish('a'), wish('b', { touches: ['a/x.ts'], askedAt: 1 })];
    events.push(wish('c', { touches: ['a/y.ts'], askedAt: 2 }), wish('orphan', { after: ['gone'] }));
    events.push(...startsAfter(events, { runners: 1, rates: { ...CERTAIN, failure: 0.7 } }));
    const state = foldQueue(events, CERTAIN);
    expect(explain(state, 'a', asked)).toMatchObject({
      phase: 'testing',
      waitsFor: [{ kind: 'run', runs: ['r1'] }],
    });
    expect(explain(state, 'b', asked)).toMatchObject({ phase: 'queued', place: 1, lane: ['a', 'c'] });
    expect(explain(state, 'b', asked)?.waitsFor).toEqual([{ kind: 'runner' }]);
    expect(explain(state, 'c', asked)?.waitsFor).toEqual([{ kind: 'lane', ids: ['b'] }]);
    expect(explain(state, 'orphan', asked)?.waitsFor).toEqual([{ kind: 'parent', streams: ['gone'] }]);
    expect(explain(state, 'nobody', asked)).toBeUndefined();
  });

  it('tells a suspect from one that is searched', () => {
    const events: QueueEvent[] = [wish('a'), wish('b')];
    events.push(...startsAfter(events, { runners: 1 }), {
      kind: 'finished',
      run: 'r1',
      result: 'red',
      ms: 5,
      tree: '',
    });
    expect(explain(foldQueue(events, CERTAIN), 'a', asked)?.phase).toBe('searching');
    events.push(...startsAfter(events, { runners: 1 }), {
      kind: 'finished',
      run: 'r2',
      result: 'red',
      ms: 5,
      tree: '',
    });
    expect(explain(foldQueue(events, CERTAIN), 'a', asked)?.phase).toBe('suspect');
    expect(explain(foldQueue(events, CERTAIN), 'b', asked)?.phase).toBe('queued');
  });
});
