import { shellWord } from '../../base/shell-word.ts';
import type { Style } from './style-text.ts';

/** What to do now, as a command. */
export function nextLine(command: string, style: Pick<Style, 'dim'>): string {
  return `${style.dim('next:')} ${command}`;
}

/** How to take back what was just done. */
export function undoLine(command: string, style: Pick<Style, 'dim'>): string {
  return `${style.dim('undo:')} ${command}`;
}

/** A command as one types it: arguments that a shell would change are quoted. */
export function commandText(argv: readonly string[]): string {
  return argv.map(shellWord).join(' ');
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** `850 ms`, `2.4 s`, `42 s`, `3 m 5 s`, `2 h 10 m`, `4 d 3 h`. */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return 'unknown';
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1000) return `${ms} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const rounded = Math.round(ms / 1000) * 1000;
  const first = UNITS.findIndex(([, size]) => rounded >= size);
  const parts = UNITS.slice(first, first + 2).map(([unit, size], i, [larger]) => {
    const amount = Math.floor((i === 0 ? rounded : rounded % (larger?.[1] ?? 1)) / size);
    return { unit, amount };
  });
  return parts
    .filter(({ amount }, i) => i === 0 || amount > 0)
    .map(({ amount, unit }) => `${amount} ${unit}`)
    .join(' ');
}

/** `3 m ago`, `in 2 h`, `just now`; times are ISO 8601, `now` is milliseconds since the epoch. */
export function relativeTime(iso: string, now: number): string {
  const past = now - Date.parse(iso);
  if (Number.isNaN(past)) return 'unknown';
  const distance = Math.abs(past);
  if (distance < 5000) return 'just now';
  const [unit, size] = UNITS.find(([, length]) => distance >= length) ?? ['s', 1000];
  const amount = `${Math.floor(distance / size)} ${unit}`;
  return past > 0 ? `${amount} ago` : `in ${amount}`;
}

/** `1 stream`, `3 streams`, `no streams`. */
export function count(amount: number, singular: string, plural: string = `${singular}s`): string {
  if (amount === 0) return `no ${plural}`;
  return `${amount} ${amount === 1 ? singular : plural}`;
}
