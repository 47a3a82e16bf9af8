import { COLOUR } from './style-text.ts';

/** Made when text first needs it: it costs more than most commands take to start. */
let graphemes: Intl.Segmenter | undefined;
/** A sign drawn as a picture by itself or by the selector behind it. The class of whole sequences is slow to build. */
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
const ASCII = /^[\x20-\x7e]*$/;
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u;

/** Ranges that terminals draw two columns wide (Unicode East Asian Width W and F), without emoji. */
const WIDE: readonly (readonly [number, number])[] = [
  ...([
    [0x1100, 0x115f],
    [0x2e80, 0x303e],
    [0x3041, 0x33ff],
    [0x3400, 0x4dbf],
  ] as const),
  ...([
    [0x4e00, 0x9fff],
    [0xa000, 0xa4cf],
    [0xa960, 0xa97c],
    [0xac00, 0xd7a3],
  ] as const),
  ...([
    [0xf900, 0xfaff],
    [0xfe10, 0xfe19],
    [0xfe30, 0xfe6b],
    [0xff01, 0xff60],
  ] as const),
  ...([
    [0xffe0, 0xffe6],
    [0x16fe0, 0x18dff],
    [0x1aff0, 0x1b2ff],
    [0x1f200, 0x1f265],
  ] as const),
  [0x20000, 0x3fffd],
];

/** How many columns a terminal takes for one line of text; colours take none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const piece of pieces(text)) width += piece.width;
  return width;
}

/** The text within so many columns, ended with … where something is missing; colours begun are ended. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns < 1) return '';
  let width = 0;
  let kept = '';
  let isColoured = false;
  for (const piece of pieces(text)) {
    if (piece.isColour) isColoured = true;
    else if (width + piece.width > columns - 1) break;
    width += piece.width;
    kept += piece.text;
  }
  return `${kept}…${isColoured ? '\u001b[0m' : ''}`;
}

/** The text filled up with blanks to so many columns. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, columns - displayWidth(text)));
  return side === 'left' ? text + blanks : blanks + text;
}

interface Piece {
  text: string;
  width: number;
  isColour: boolean;
}

function* pieces(text: string): Generator<Piece> {
  for (const [i, part] of text.split(COLOUR).entries()) {
    if (i % 2 === 1) yield { text: part, width: 0, isColour: true };
    else if (ASCII.test(part)) for (const sign of part) yield { text: sign, width: 1, isColour: false };
    else {
      graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
      for (const { segment } of graphemes.segment(part))
        yield { text: segment, width: widthOf(segment), isColour: false };
    }
  }
}

function widthOf(grapheme: string): number {
  const code = grapheme.codePointAt(0) ?? 0;
  if (EMOJI.test(grapheme)) return 2;
  if (INVISIBLE.test(String.fromCodePoint(code))) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
