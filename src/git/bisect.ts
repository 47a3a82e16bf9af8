export type Verdict = 'green' | 'red';

export interface BisectInput {
  /** How many landings there are. Prefix 0 is the tip before the first, prefix n has all of them. */
  landings: number;
  /** What is known of prefixes. Prefix 0 counts as green when nothing else is known. */
  verdicts: ReadonlyMap<number, Verdict>;
  /** Prefixes that are being tested now. */
  running?: readonly number[];
  /** How many can be tested at a time. */
  runners: number;
}

export type BisectStep =
  /** The first prefix that is red; the landing with this number (from 1) made it so. */
  | { kind: 'culprit'; landing: number }
  /** Nothing is red. */
  | { kind: 'green' }
  /** Even the tip before the first landing is red: none of them is to blame. */
  | { kind: 'baseline_red' }
  /** Start these; empty while the answers of running tests are awaited. */
  | { kind: 'test'; prefixes: number[] };

/**
 * The next step in the search for the first red prefix, several at a time. Red stays red: what follows a red prefix
 * is not tested. The prefixes divide the open range into equal parts, so k runners need log(n) to the base k + 1 rounds.
 */
export function nextBisect({ landings, verdicts, running = [], runners }: BisectInput): BisectStep {
  if (verdicts.get(0) === 'red') return { kind: 'baseline_red' };
  const reds = [...verdicts].filter(([prefix, verdict]) => verdict === 'red' && prefix <= landings);
  const red = Math.min(...reds.map(([prefix]) => prefix));
  if (red === Number.POSITIVE_INFINITY) {
    if (landings === 0 || verdicts.get(landings) === 'green') return { kind: 'green' };
    return { kind: 'test', prefixes: running.includes(landings) || runners < 1 ? [] : [landings] };
  }
  const greens = [...verdicts].filter(([prefix, verdict]) => verdict === 'green' && prefix < red);
  const green = Math.max(0, ...greens.map(([prefix]) => prefix));
  if (red - green === 1) return { kind: 'culprit', landing: red };
  const useful = running.filter((prefix) => prefix > green && prefix < red);
  return { kind: 'test', prefixes: divide(green, red, useful, runners - running.length) };
}

/** Up to `count` prefixes between green and red, each in the middle of the widest gap that is left. */
function divide(green: number, red: number, taken: readonly number[], count: number): number[] {
  if (taken.length === 0) {
    const parts = Math.min(count, red - green - 1) + 1;
    return Array.from(
      { length: Math.max(0, parts - 1) },
      (_, i) => green + Math.round(((i + 1) * (red - green)) / parts),
    );
  }
  const marks = [green, ...taken, red].sort((a, b) => a - b);
  const chosen: number[] = [];
  while (chosen.length < count) {
    let at = 0;
    for (let i = 0; i + 1 < marks.length; i++) if (gap(marks, i) > gap(marks, at)) at = i;
    if (gap(marks, at) < 2) break;
    const middle = (marks[at] ?? 0) + Math.floor(gap(marks, at) / 2);
    marks.splice(at + 1, 0, middle);
    chosen.push(middle);
  }
  return chosen;
}

function gap(marks: readonly number[], at: number): number {
  return (marks[at + 1] ?? 0) - (marks[at] ?? 0);
}
