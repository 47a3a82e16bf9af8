import { isUtf8 } from 'node:buffer';
import { type Field, type Fields, type Problem, readFields, type Span } from './plan-fields.ts';
import { closes, type Fence, fenceOf, type Line, lineEnd, nextLine } from './plan-lines.ts';

/** A `task` block of a workplan, with the places in the file that may be changed. */
export interface TaskBlock {
  /** The line of its opening fence, from 1. */
  line: number;
  fields: Map<string, Field>;
  indent: string;
  /** Where its closing fence begins: a new line is put there. */
  insertAt: number;
  eol: string;
  /** The nearest heading above it. */
  heading: string;
  /** What follows it, up to the next heading or block. */
  body: Span;
  problems: Problem[];
}

export interface Workplan {
  front: Map<string, Field>;
  blocks: TaskBlock[];
  /** Of the front matter. */
  problems: Problem[];
}

/** A file with `type: workplan`; any other, which is no business of ours; or one that cannot be read as it should. */
export type ParsedWorkplan =
  | { kind: 'workplan'; plan: Workplan }
  | { kind: 'other' }
  | { kind: 'unusable'; line: number; reason: string };

/** Far more than anybody writes. */
const LARGEST = 8 * 1024 ** 2;

/**
 * Reads a workplan without ever printing it: all that is kept are values and the bytes at which they stand. The file
 * may be hostile: nothing in it is carried out, and what is not understood is told with its line.
 */
export function parseWorkplan(bytes: Buffer): ParsedWorkplan {
  const unusable = (reason: string, line = 1): ParsedWorkplan => ({ kind: 'unusable', line, reason });
  if (bytes.length > LARGEST) return unusable(`it is larger than ${LARGEST} bytes`);
  if (isUtf16(bytes)) return unusable('it is UTF-16; workplans are UTF-8');
  // One character a byte: places in the text are places in the file.
  const text = bytes.toString('latin1');
  const start = text.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0;
  const front = readFront(text, start);
  if (front === undefined) return { kind: 'other' };
  const type = front.fields.all.get('type')?.value;
  if (type !== 'workplan') return { kind: 'other' };
  if (front.end === undefined) return unusable('its front matter is not closed by ---');
  if (!isUtf8(bytes)) return unusable('it is not valid UTF-8');
  const blocks = readBlocks(text, front.end);
  return { kind: 'workplan', plan: { front: front.fields.all, blocks, problems: front.fields.problems } };
}

function isUtf16(bytes: Buffer): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

interface Position {
  at: number;
  number: number;
}

/** Undefined where the file does not begin with `---`; without `end` where nothing closes it. */
function readFront(text: string, start: number): { fields: Fields; end: Position | undefined } | undefined {
  let at = start;
  let number = 1;
  const lines: Line[] = [];
  while (at < text.length) {
    const next = nextLine(text, at);
    const end = lineEnd(text, at, next);
    const content = text.slice(at, end);
    const isFence = content.trimEnd() === '---' || (number > 1 && content.trimEnd() === '...');
    if (number === 1 && !isFence) return undefined;
    if (number > 1 && isFence) return { fields: readFields(lines), end: { at: next, number: number + 1 } };
    if (number > 1) lines.push({ number, start: at, text: content, next });
    at = next;
    number++;
  }
  // Only its first lines say whether it was meant as one.
  return number === 1 ? undefined : { fields: readFields(lines.slice(0, 50)), end: undefined };
}

/** What a line of ours that is inside something else waits for. */
type Inside =
  | { kind: 'code'; open: Fence }
  | { kind: 'task'; open: Fence; block: TaskBlock; lines: Line[] }
  | { kind: 'html'; until: RegExp };

const HTML: [begins: RegExp, ends: RegExp][] = [
  [/^ {0,3}<!--/, /-->/],
  [/^ {0,3}<(?:pre|script|style|textarea)(?=[\s>]|$)/i, /<\/(?:pre|script|style|textarea)>/i],
];

function readBlocks(text: string, from: Position): TaskBlock[] {
  const blocks: TaskBlock[] = [];
  let inside: Inside | undefined;
  let heading = '';
  let number = from.number;
  for (let at = from.at; at < text.length; number++) {
    const next = nextLine(text, at);
    const end = lineEnd(text, at, next);
    const first = firstVisible(text, at, end);
    if (inside) {
      inside = goOn(inside, { number, start: at, text: text.slice(at, end), next }, first);
    } else if (first === '#') {
      const found = headingOf(text.slice(at, end));
      if (found !== undefined) {
        heading = found;
        endBody(blocks, at);
      }
    } else if (first === '`' || first === '~') {
      const open = fenceOf(text.slice(at, end));
      if (open && firstWord(open.info) === 'task') {
        endBody(blocks, at);
        const block = newBlock(number, heading, text.slice(end, next) || '\n');
        blocks.push(block);
        inside = { kind: 'task', open, block, lines: [] };
      } else if (open) inside = { kind: 'code', open };
    } else if (first === '<') inside = htmlBegun(text.slice(at, end));
    at = next;
  }
  if (inside?.kind === 'task') {
    const { block } = inside;
    block.problems.push({ line: block.line, text: 'the block is not closed' });
  }
  endBody(blocks, text.length);
  return blocks;
}

/** The state after one more line of what we are inside. */
function goOn(inside: Inside, line: Line, first: string | undefined): Inside | undefined {
  if (inside.kind === 'html') return inside.until.test(line.text) ? undefined : inside;
  const isEnd = first === inside.open.mark && closes(fenceOf(line.text), inside.open);
  if (inside.kind === 'code') return isEnd ? undefined : inside;
  if (!isEnd) {
    inside.lines.push(line);
    return inside;
  }
  const { block } = inside;
  const fields = readFields(inside.lines);
  block.fields = fields.all;
  block.indent = fields.indent;
  block.problems.push(...fields.problems);
  block.insertAt = line.start;
  block.body = { start: line.next, end: OPEN };
  return undefined;
}

function newBlock(line: number, heading: string, eol: string): TaskBlock {
  const body = { start: 0, end: 0 }; // nothing follows a block that is never closed
  return { line, fields: new Map(), indent: '', insertAt: 0, eol, heading, body, problems: [] };
}

/** The end of what follows a block, until it is found. */
const OPEN = -1;

function endBody(blocks: TaskBlock[], at: number): void {
  const last = blocks.at(-1);
  if (last?.body.end === OPEN) last.body.end = at;
}

/** The first character that is no blank, unless four or more stand before it: that is code, not structure. */
function firstVisible(text: string, start: number, end: number): string | undefined {
  for (let at = start; at < end && at < start + 4; at++) if (text[at] !== ' ') return text[at];
  return undefined;
}

function headingOf(line: string): string | undefined {
  const content = /^ {0,3}#{1,6}(?:[ \t]+(.*))?$/s.exec(line);
  if (!content) return undefined;
  const words = Buffer.from(content[1] ?? '', 'latin1').toString('utf8');
  return words
    .trimEnd()
    .replace(/(?:^|[ \t])#+$/, '')
    .trim();
}

function firstWord(info: string): string | undefined {
  return info.split(/\s/, 1)[0];
}

function htmlBegun(line: string): Inside | undefined {
  for (const [begins, ends] of HTML) {
    const begun = begins.exec(line);
    if (begun) return ends.test(line.slice(begun[0].length)) ? undefined : { kind: 'html', until: ends };
  }
  return undefined;
}
