import colours from 'picocolors';
import { plain } from '../../base/plain-text.ts';

export type Style = ReturnType<typeof createStyle>;

/** The few ways text is set apart here; each returns its text unchanged where colour is off. */
export function createStyle(hasColor: boolean) {
  const { bold, dim, red, green, yellow, cyan } = colours.createColors(hasColor);
  return { bold, dim, red, green, yellow, cyan };
}

/** NO_COLOR counts when it is set and not empty (no-color.org); a flag on the command line comes first. */
export function wantsColor(given: {
  noColorFlag: boolean;
  noColorVariable: string | undefined;
  term: string | undefined;
  isTerminal: boolean;
}): boolean {
  if (given.noColorFlag || given.noColorVariable) return false;
  return given.isTerminal && given.term !== 'dumb';
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with ESC
export const COLOUR = /(\u001b\[[0-9;]*m)/;

/**
 * The last look before text is written: our own colours pass where colour is on, any other control sequence goes, in
 * case text from outside came this far without `plain`.
 */
export function onlyColours(text: string, hasColor: boolean): string {
  const parts = text.split(COLOUR);
  return parts.map((part, i) => (i % 2 === 0 ? plain(part) : hasColor ? part : '')).join('');
}
