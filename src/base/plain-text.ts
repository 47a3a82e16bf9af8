import { stripVTControlCharacters } from 'node:util';

// Controls but tab and line feed, and the invisible characters that reorder what is read.
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text from outside, for showing: several lines may stay, nothing in it steers a terminal or reorders text. */
export function plain(text: string): string {
  const lines = stripVTControlCharacters(text).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  return lines.replace(UNSEEN, '').toWellFormed();
}

/** The same on one line: for names and titles. */
export function plainLine(text: string): string {
  return plain(text).replace(/\s+/g, ' ').trim();
}
