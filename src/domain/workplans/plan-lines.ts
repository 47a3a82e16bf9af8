/** One line of a file whose bytes are held one a character, so that places in it are places in the file. */
export interface Line {
  number: number;
  start: number;
  /** Without its end: neither line feed nor the carriage return before it. */
  text: string;
  /** Where the next line begins. */
  next: number;
}

/** Where the line after the one that begins at `start` begins. Numbers, not objects: there may be millions of lines. */
export function nextLine(text: string, start: number): number {
  const feed = text.indexOf('\n', start);
  return feed < 0 ? text.length : feed + 1;
}

/** Where a line ends that begins at `start` and is followed by what begins at `next`. */
export function lineEnd(text: string, start: number, next: number): number {
  let end = next;
  if (end > start && text.charCodeAt(end - 1) === 10) {
    end--;
    if (end > start && text.charCodeAt(end - 1) === 13) end--;
  }
  return end;
}

/** A fence that opens or closes a code block. */
export interface Fence {
  mark: '`' | '~';
  length: number;
  /** What follows it on its line; a closing fence has nothing there. */
  info: string;
}

/** The fence on a line (CommonMark 4.5): at most three blanks, then three or more backticks or tildes. */
export function fenceOf(line: string): Fence | undefined {
  let at = 0;
  while (at < 3 && line[at] === ' ') at++;
  const mark = line[at];
  if (mark !== '`' && mark !== '~') return undefined;
  let end = at;
  while (line[end] === mark) end++;
  if (end - at < 3) return undefined;
  const info = line.slice(end).trim();
  return mark === '`' && info.includes('`') ? undefined : { mark, length: end - at, info };
}

/** True where a line closes what `open` opened. */
export function closes(fence: Fence | undefined, open: Fence): boolean {
  return fence !== undefined && fence.mark === open.mark && fence.length >= open.length && fence.info === '';
}
