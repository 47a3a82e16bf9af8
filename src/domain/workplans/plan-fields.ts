import type { Line } from './plan-lines.ts';

/** Where something stands in a file, in bytes: from `start` up to, not including, `end`. */
export interface Span {
  start: number;
  end: number;
}

/** One `key: value` at the left edge of a front matter or a task block. */
export interface Field {
  key: string;
  /** Without quotes and comment. Of a list or a text of several lines, empty. */
  value: string;
  /** The value as it stands there, quotes included; where there is none, the place for one. */
  span: Span;
  /** A blank has to be put before a value that is written there. */
  needsBlank: boolean;
  /** The lines `- item` below it, or the parts of `[a, b]`. */
  items: readonly string[];
  line: number;
}

export interface Problem {
  line: number;
  text: string;
}

export interface Fields {
  all: Map<string, Field>;
  /** What stands before every key. */
  indent: string;
  problems: Problem[];
}

/** Whoever writes more has not written a block. */
const MOST_PROBLEMS = 20;

const KEY = /^([A-Za-z_][A-Za-z0-9_-]*)[ \t]*:(?=[ \t]|$)/;

/**
 * Reads the few forms that front matters and task blocks are written in: one key a line, plain or quoted, comments,
 * lists, and deeper lines that belong to the key above. What is none of these is a problem, never a guess.
 */
export function readFields(lines: readonly Line[]): Fields {
  const fields: Fields = { all: new Map(), indent: '', problems: [] };
  let last: Field | undefined;
  let list: string[] | undefined;
  let isFirst = true;
  for (const line of lines) {
    if (fields.problems.length >= MOST_PROBLEMS) break;
    const text = line.text;
    const content = text.trimStart();
    if (content === '' || content[0] === '#') continue;
    const indent = text.slice(0, text.length - content.length);
    if (isFirst) {
      fields.indent = indent;
      isFirst = false;
    }
    if (indent !== fields.indent) {
      if (last && indent.startsWith(fields.indent)) continue;
      fields.problems.push({ line: line.number, text: 'is indented differently from the lines above' });
      continue;
    }
    if (last && last.value === '' && (content === '-' || content.startsWith('- '))) {
      if (!list) {
        list = [];
        last.items = list;
      }
      list.push(unquoted(content.slice(2).trim()));
      continue;
    }
    list = undefined;
    last = readField(line, content, fields);
  }
  return fields;
}

function readField(line: Line, content: string, fields: Fields): Field | undefined {
  const problem = (text: string) => {
    fields.problems.push({ line: line.number, text });
    return undefined;
  };
  const match = KEY.exec(content);
  const key = match?.[1];
  if (!match || key === undefined) return problem('is no `key: value`');
  const value = readValue(content.slice(match[0].length));
  if (typeof value === 'string') return problem(`${key}: ${value}`);
  if (fields.all.has(key)) return problem(`${key} is there twice`);
  const at = line.start + (line.text.length - content.length) + match[0].length;
  const field: Field = {
    key,
    value: isolated(value.text),
    span: { start: at + value.from, end: at + value.to },
    needsBlank: value.from === 0,
    items: value.items,
    line: line.number,
  };
  fields.all.set(key, field);
  return field;
}

/** Most values are no list: one empty one for all. */
const NONE: readonly string[] = [];

interface Value {
  text: string;
  from: number;
  to: number;
  items: readonly string[];
}

/** What stands behind the colon, with its place there; or what is wrong with it. */
function readValue(rest: string): Value | string {
  const trimmed = rest.trimStart();
  const from = rest.length - trimmed.length;
  const quote = trimmed[0];
  if (quote === undefined || quote === '#')
    return { text: '', from: Math.min(from, 1), to: Math.min(from, 1), items: NONE };
  if (quote === '"' || quote === "'") {
    const end = closingQuote(trimmed);
    if (end < 0) return 'its quotes are not closed';
    const after = trimmed.slice(end + 1).trimStart();
    if (after !== '' && after[0] !== '#') return 'something follows its quotes';
    return { text: unquoted(trimmed.slice(0, end + 1)), from, to: from + end + 1, items: NONE };
  }
  const plain = withoutComment(trimmed);
  const to = from + plain.length;
  if (quote === '|' || quote === '>') return { text: '', from, to, items: NONE };
  if (quote !== '[') return { text: plain, from, to, items: NONE };
  if (!plain.endsWith(']')) return 'its list is not closed';
  const items = plain
    .slice(1, -1)
    .split(',')
    .map((item) => unquoted(item.trim())); // ids hold no commas
  return { text: '', from, to, items: items.filter((item) => item !== '') };
}

/** A comment begins with ` #`; blanks at the end do not count. */
function withoutComment(text: string): string {
  for (let at = text.indexOf('#'); at >= 0; at = text.indexOf('#', at + 1)) {
    const before = text[at - 1];
    if (before === ' ' || before === '\t') return text.slice(0, at).trimEnd();
  }
  return text.trimEnd();
}

function closingQuote(text: string): number {
  const quote = text[0];
  for (let at = 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++;
    else if (text[at] === quote && quote === "'" && text[at + 1] === "'") at++;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function unquoted(text: string): string {
  const quote = text[0];
  if (text.length < 2 || text.at(-1) !== quote) return text;
  if (quote === "'") return text.slice(1, -1).replaceAll("''", "'");
  return quote === '"' ? text.slice(1, -1).replace(/\\(["\\/])/g, '$1') : text;
}

/** Bytes, one a character, as the text they are. */
function isolated(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
