import { truncate } from './display-width.ts';

/** A block of lines at the bottom of a terminal. */
export interface LiveLines {
  /** Shows these lines in place of those before; each is cut to the width of the terminal. */
  draw(lines: readonly string[]): void;
  /** Makes room for other text; the next `draw` shows the block again below it. */
  clear(): void;
  /** Takes the block away for good. */
  done(): void;
}

export function liveLines(screen: { write(text: string): void; columns: number }): LiveLines {
  let shown = 0;
  let isOver = false;
  const erase = () => {
    const up = shown > 0 ? `\u001b[${shown}A\r\u001b[J` : '';
    shown = 0;
    return up;
  };
  const clear = () => {
    const text = erase();
    if (text !== '') screen.write(text);
  };
  return {
    draw: (lines) => {
      if (isOver) return;
      const cut = lines.map((line) => truncate(line, screen.columns - 1));
      screen.write(`${erase()}${cut.map((line) => `${line}\n`).join('')}`);
      shown = cut.length;
    },
    clear,
    done: () => {
      clear();
      isOver = true;
    },
  };
}
