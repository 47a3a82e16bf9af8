import { loadavg } from 'node:os';

/** Milliseconds that one call takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** One line of the table: a target, what was measured, and whether it holds. */
export interface Row {
  what: string;
  measured: string;
  target: string;
  holds: boolean | undefined;
}

export function atLeast(what: string, ratio: number, target: number): Row {
  return { what, measured: `${ratio.toFixed(1)}x`, target: `>= ${target}x`, holds: ratio >= target };
}

export function atMost(what: string, ratio: number, target: number, unit = 'x'): Row {
  return {
    what,
    measured: `${ratio.toFixed(2)}${unit}`,
    target: `<= ${target}${unit}`,
    holds: ratio <= target,
  };
}

export function printRows(title: string, rows: Row[]): void {
  console.log(`\n${title}   (load ${loadavg()[0]?.toFixed(1)})`);
  const width = Math.max(...rows.map((row) => row.what.length));
  for (const row of rows) {
    const mark = row.holds === undefined ? '    ' : row.holds ? 'ok  ' : 'MISS';
    console.log(`  ${mark} ${row.what.padEnd(width)}  ${row.measured.padStart(10)}   ${row.target}`);
  }
}
