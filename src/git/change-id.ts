import { randomHex } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';

const CHANGE_ID = /^I[0-9a-f]{40}$/;
const TRAILER = /^([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$/;

/** A new identity of a change: `I` and 40 hex digits, so that two never meet by chance. */
export function newChangeId(hex: string = randomHex(20)): string {
  return `I${hex}`;
}

/** True for what newChangeId makes, which is also what Gerrit makes. */
export function isChangeId(text: string): boolean {
  return CHANGE_ID.test(text);
}

/** The Change-Id of a message: the last valid one of its trailers, as Gerrit reads it. */
export function changeIdOf(message: string): string | undefined {
  if (!/change-id/i.test(message)) return undefined;
  return trailersOf(message)
    .filter(([name, value]) => name.toLowerCase() === 'change-id' && CHANGE_ID.test(value))
    .at(-1)?.[1];
}

/** The trailers at the end of a message, in order; names may repeat. */
export function trailersOf(message: string): [name: string, value: string][] {
  return splitTrailers(message).trailers;
}

/** The message with these trailers: one with the same name is replaced, the others stay as they are. */
export function withTrailers(
  message: string,
  trailers: Readonly<Record<string, string | undefined>>,
): string {
  const added = Object.entries(trailers).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const { body, trailers: present } = splitTrailers(message);
  if (added.length === 0) return message;
  for (const [name, value] of added) assertTrailer(name, value);
  const names = new Set(added.map(([name]) => name.toLowerCase()));
  const kept = present.filter(([name]) => !names.has(name.toLowerCase()));
  const lines = [...kept, ...added].map(([name, value]) => `${name}: ${value}`);
  return `${body === '' ? '' : `${body}\n\n`}${lines.join('\n')}\n`;
}

function assertTrailer(name: string, value: string): void {
  if (TRAILER.exec(`${name}: ${value}`)?.[1] === name && !/[\n\r\0]/.test(value)) return;
  throw new SwarmError('invalid', `"${name}: ${value}" cannot be a trailer of a commit message`);
}

/** Trailers are the last paragraph, if it is not the first and every line of it is a trailer or continues one. */
function splitTrailers(message: string): { body: string; trailers: [string, string][] } {
  const text = message.replace(/\r\n/g, '\n').trimEnd();
  const start = text.lastIndexOf('\n\n');
  const onlyTrailers = start < 0;
  const trailers: [string, string][] = [];
  for (const line of (onlyTrailers ? text : text.slice(start + 2)).split('\n')) {
    const match = TRAILER.exec(line);
    const last = trailers.at(-1);
    if (match?.[1] && match[2] !== undefined) trailers.push([match[1], match[2].trim()]);
    else if (last && /^[ \t]/.test(line)) last[1] += ` ${line.trim()}`;
    else return { body: text, trailers: [] };
  }
  if (onlyTrailers && !text.startsWith('Change-Id:')) return { body: text, trailers: [] };
  return { body: onlyTrailers ? '' : text.slice(0, start).trimEnd(), trailers };
}
