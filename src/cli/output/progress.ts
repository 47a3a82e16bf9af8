import type { Clock } from '../../base/clock.ts';
import { plainLine } from '../../base/plain-text.ts';
import { truncate } from './display-width.ts';
import { duration } from './hints.ts';

export interface Progress {
  /** How far it is; `total` may be unknown, `text` says what is being done. */
  update(now: { done?: number; total?: number | undefined; text?: string }): void;
  /** Makes room for other text; the next update draws again. */
  clear(): void;
  /** Ends the display; with a text this stays as the last line, if anything was shown. */
  done(text?: string): void;
}

export interface ProgressScreen {
  write(text: string): void;
  isTerminal: boolean;
  columns: number;
  clock: Clock;
}

// What is over before this is not worth a line.
const SHOWN_AFTER_MS = 400;
const REDRAWN_AFTER_MS = 80;
const LINE_EVERY_MS = 10_000;
const BAR = 20;

export const silentProgress: Progress = { update: () => {}, clear: () => {}, done: () => {} };

/** One line that is drawn again and again on a terminal; elsewhere a line now and then. */
export function showProgress(label: string, screen: ProgressScreen): Progress {
  const startedAt = screen.clock.now();
  let state: { done?: number; total?: number | undefined; text?: string } = {};
  let shownAt: number | undefined;

  const line = () => {
    const seconds = Math.floor((screen.clock.now() - startedAt) / 1000);
    const elapsed = seconds < 60 ? `${seconds} s` : duration(seconds * 1000);
    const parts = [plainLine(label), meter(state, screen.isTerminal), plainLine(state.text ?? ''), elapsed];
    return parts.filter(Boolean).join('  ');
  };
  const draw = () => {
    const now = screen.clock.now();
    const pause = screen.isTerminal ? REDRAWN_AFTER_MS : LINE_EVERY_MS;
    if (shownAt === undefined ? now - startedAt < SHOWN_AFTER_MS : now - shownAt < pause) return;
    shownAt = now;
    screen.write(screen.isTerminal ? `\r\u001b[2K${truncate(line(), screen.columns - 1)}` : `${line()}\n`);
  };
  const clear = () => {
    if (screen.isTerminal && shownAt !== undefined) screen.write('\r\u001b[2K');
  };
  // Elapsed time goes on while nothing else happens; it must not keep the process alive.
  const ticks = setInterval(draw, 500);
  ticks.unref();

  return {
    update: (now) => {
      state = { ...state, ...now };
      draw();
    },
    clear,
    done: (text) => {
      clearInterval(ticks);
      clear();
      if (shownAt === undefined) return;
      if (text !== undefined) screen.write(`${plainLine(text)}\n`);
    },
  };
}

function meter(state: { done?: number; total?: number | undefined }, isTerminal: boolean): string {
  const { done, total } = state;
  if (done === undefined) return '';
  if (total === undefined || total <= 0) return String(done);
  const filled = Math.round(BAR * Math.min(1, Math.max(0, done / total)));
  const bar = isTerminal ? `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ` : '';
  return `${bar}${done}/${total}`;
}
