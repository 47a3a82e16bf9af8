import { closeSync, openSync, readSync } from 'node:fs';
import { SwarmError } from '../contract/errors.ts';
import { isOid } from './oid.ts';

export interface BundleHeader {
  /** What the bundle offers, as it names it: hostile until looked at. */
  refs: { name: string; oid: string }[];
  /** Commits that have to be there already. */
  needs: string[];
  /** Bytes before the pack. */
  length: number;
}

const LARGEST_HEADER = 4 * 1024 * 1024;
const MOST_REFS = 10_000;

/** Reads what a bundle says of itself. Throws invalid for whatever is no bundle of versions 2 or 3. */
export function readBundleHeader(path: string): BundleHeader {
  const bytes = beginningOf(path);
  const end = bytes.indexOf('\n\n');
  const lines = bytes.toString('utf8', 0, end < 0 ? 0 : end).split('\n');
  const signature = lines.shift();
  if (end < 0 || (signature !== '# v2 git bundle' && signature !== '# v3 git bundle'))
    throw refused('it does not begin like one');
  const header: BundleHeader = { refs: [], needs: [], length: end + 2 };
  for (const line of lines) readLine(line, header);
  if (header.refs.length > MOST_REFS) throw refused(`it offers more than ${MOST_REFS} refs`);
  return header;
}

function readLine(line: string, header: BundleHeader): void {
  if (line === '@object-format=sha1') return;
  if (line.startsWith('@')) throw refused(`it asks for ${line.slice(1, 100)}`);
  const [, isNeeded, oid = '', name = ''] = /^(-?)([0-9a-f]+)(?: (.*))?$/.exec(line) ?? [];
  if (!isOid(oid)) throw refused('its list of refs cannot be read');
  if (isNeeded === '-') header.needs.push(oid);
  else header.refs.push({ name, oid });
}

function beginningOf(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(LARGEST_HEADER);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < bytes.length; filled += read)
      read = readSync(file, bytes, filled, bytes.length - filled, filled);
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

function refused(why: string): SwarmError {
  return new SwarmError('invalid', `This is no bundle that can be taken: ${why}.`, {
    fix: 'git bundle create repo.bundle --all',
  });
}
