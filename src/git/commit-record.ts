import { SwarmError } from '../contract/errors.ts';
import { changeIdOf } from './change-id.ts';
import { formatSignature, parseSignature, type Signature } from './person.ts';

/** One commit. `changeId` is its identity across rewrites, where it has one. */
export interface CommitRecord {
  oid: string;
  tree: string;
  parents: string[];
  author: Signature;
  committer: Signature;
  message: string;
  changeId: string | undefined;
}

export interface NewCommit {
  tree: string;
  parents: readonly string[];
  author: Signature;
  committer: Signature;
  message: string;
}

/** Reads a raw commit object. */
export function parseCommit(oid: string, content: Buffer): CommitRecord {
  const split = content.indexOf('\n\n');
  const header = content.toString('utf8', 0, split < 0 ? content.length : split);
  const lines = header.split('\n');
  const first = (name: string) => lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  const message = split < 0 ? '' : decode(content.subarray(split + 2), first('encoding'));
  return {
    oid,
    tree: first('tree') ?? '',
    parents: lines.filter((line) => line.startsWith('parent ')).map((line) => line.slice(7)),
    author: parseSignature(first('author') ?? ''),
    committer: parseSignature(first('committer') ?? ''),
    message,
    changeId: changeIdOf(message),
  };
}

/** The raw object of a commit, always in UTF-8. */
export function formatCommit(commit: NewCommit): string {
  if (commit.message.includes('\0'))
    throw new SwarmError('invalid', 'A commit message cannot hold a NUL byte');
  const message =
    commit.message === '' || commit.message.endsWith('\n') ? commit.message : `${commit.message}\n`;
  return [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${formatSignature(commit.author)}`,
    `committer ${formatSignature(commit.committer)}`,
    '',
    message,
  ].join('\n');
}

function decode(bytes: Buffer, encoding: string | undefined): string {
  if (encoding === undefined) return bytes.toString('utf8');
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}
