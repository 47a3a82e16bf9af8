import type { Parsed } from './coprocess.ts';

/** One side of a conflicted path. */
export interface ConflictSide {
  mode: string;
  oid: string;
}

export type ConflictKind =
  | 'content'
  | 'added_twice'
  | 'changed_and_deleted'
  | 'renamed'
  | 'directory'
  | 'other';

/** A path git could not merge, with what each side holds there (absent where a side has no such file). */
export interface ConflictFile {
  path: string;
  kind: ConflictKind;
  base?: ConflictSide;
  ours?: ConflictSide;
  theirs?: ConflictSide;
}

export interface MergeMessage {
  paths: string[];
  type: string;
  text: string;
}

export type MergeAnswer =
  | { kind: 'clean'; tree: string }
  | { kind: 'conflict'; tree: string; files: ConflictFile[]; messages: MergeMessage[] };

const STAGED = /^(\d+) ([0-9a-f]+) ([123])\t(.*)$/s;

/**
 * Reads one answer of `git merge-tree --stdin --messages`: status, tree, one entry per stage of a conflicted path,
 * an empty field, the messages (count, paths, type, text), an empty field.
 */
export function parseMergeAnswer(bytes: Buffer): Parsed<MergeAnswer> {
  const fields = new Fields(bytes);
  const status = fields.next();
  const tree = fields.next();
  const stages: string[] = [];
  for (let field = fields.next(); field !== undefined && field !== ''; field = fields.next()) {
    stages.push(field);
  }
  const messages: MergeMessage[] = [];
  for (let count = fields.next(); count !== undefined && count !== ''; count = fields.next()) {
    const paths: string[] = [];
    for (let i = 0; i < Number(count); i++) paths.push(fields.next() ?? '');
    messages.push({ paths, type: fields.next() ?? '', text: (fields.next() ?? '').trimEnd() });
  }
  if (status === undefined || tree === undefined || fields.short) return { need: bytes.length + 1 };
  if (status === '1') return { value: { kind: 'clean', tree }, end: fields.at };
  return {
    value: { kind: 'conflict', tree, files: conflictFiles(stages, messages), messages },
    end: fields.at,
  };
}

function conflictFiles(stages: readonly string[], messages: readonly MergeMessage[]): ConflictFile[] {
  const files = new Map<string, ConflictFile>();
  for (const entry of stages) {
    const match = STAGED.exec(entry);
    if (!match?.[1] || !match[2] || match[4] === undefined) continue;
    const path = match[4];
    const file = files.get(path) ?? { path, kind: kindOf(path, messages) };
    const side: ConflictSide = { mode: match[1], oid: match[2] };
    if (match[3] === '1') file.base = side;
    else if (match[3] === '2') file.ours = side;
    else file.theirs = side;
    files.set(path, file);
  }
  // Some conflicts leave no staged entry (a renamed directory, for one): the messages still name the paths.
  for (const message of messages) {
    if (!message.type.startsWith('CONFLICT')) continue;
    if (message.paths.some((path) => files.has(path))) continue;
    const path = message.paths[0];
    if (path !== undefined) files.set(path, { path, kind: kindOf(path, messages) });
  }
  return [...files.values()];
}

function kindOf(path: string, messages: readonly MergeMessage[]): ConflictKind {
  const types = messages
    .filter(({ type, paths }) => type.startsWith('CONFLICT') && paths.includes(path))
    .map(({ type }) => type);
  if (types.some((type) => type.includes('rename'))) return 'renamed';
  if (types.some((type) => type.includes('file/directory') || type.includes('directory'))) return 'directory';
  if (types.includes('CONFLICT (modify/delete)')) return 'changed_and_deleted';
  if (types.includes('CONFLICT (add/add)')) return 'added_twice';
  if (types.includes('CONFLICT (contents)') || types.includes('CONFLICT (binary)')) return 'content';
  return 'other';
}

/** Walks the NUL-terminated fields of the output; `short` says that the bytes ended first. */
class Fields {
  at = 0;
  short = false;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  next(): string | undefined {
    const end = this.short ? -1 : this.#bytes.indexOf(0, this.at);
    if (end < 0) {
      this.short = true;
      return undefined;
    }
    const field = this.#bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return field;
  }
}
