import { plainLine } from '../../base/plain-text.ts';
import { displayWidth, pad, truncate } from './display-width.ts';

export interface Column<Row> {
  title: string;
  /** Text of any origin: it is made plain and put on one line. */
  value: (row: Row) => string;
  align?: 'left' | 'right';
  /** Colours the finished cell. */
  style?: (text: string, row: Row) => string;
  /** Gives way when the table is wider than the terminal; the widest of these first. */
  canShrink?: boolean;
}

const GAP = '  ';
const NARROWEST = 8;

/** Aligned columns under their titles, no wider than `width` where columns that can shrink allow it. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  look: { width?: number | undefined; title?: (text: string) => string } = {},
): string {
  const cells = rows.map((row) => columns.map((column) => plainLine(column.value(row))));
  const widths = columns.map((column, i) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[i] ?? ''))),
  );
  if (look.width !== undefined) shrink(widths, columns, look.width);

  const cut = (text: string, i: number) => truncate(text, widths[i] ?? 0);
  const titles = columns.map(({ title }, i) => ({ text: cut(title, i), style: look.title }));
  const lines = [joinCells(titles, columns, widths)];
  for (const [r, row] of rows.entries()) {
    const line = columns.map(({ style }, i) => ({
      text: cut(cells[r]?.[i] ?? '', i),
      style: style && ((text: string) => style(text, row)),
    }));
    lines.push(joinCells(line, columns, widths));
  }
  return lines.join('\n');
}

/** Two columns without titles: names on the left, values on the right; those without a value are left out. */
export function pairs(entries: readonly (readonly [name: string, value: string | undefined])[]): string {
  const shown = entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const width = Math.max(0, ...shown.map(([name]) => displayWidth(name)));
  return shown.map(([name, value]) => `${pad(name, width)}${GAP}${value}`).join('\n');
}

function shrink<Row>(widths: number[], columns: readonly Column<Row>[], limit: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (columns.length - 1) - limit;
  while (excess > 0) {
    const able = columns.flatMap((column, i) =>
      column.canShrink && (widths[i] ?? 0) > NARROWEST ? [i] : [],
    );
    const widest = able.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0];
    if (widest === undefined) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
}

interface Cell {
  text: string;
  style: ((text: string) => string) | undefined;
}

/** Blanks stand outside the style, so that underlines and backgrounds do not run on; the last column has none. */
function joinCells<Row>(cells: Cell[], columns: readonly Column<Row>[], widths: readonly number[]): string {
  const padded = cells.map(({ text, style }, i) => {
    const column = columns[i];
    const blanks = ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(text)));
    const shown = style && text !== '' ? style(text) : text;
    if (column?.align === 'right') return blanks + shown;
    return i === cells.length - 1 ? shown : shown + blanks;
  });
  return padded.join(GAP).trimEnd();
}
