import { statSync } from 'node:fs';
import { join } from 'node:path';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { checkedOutRefs } from './checkouts.ts';
import { assertOid, zeroOid } from './oid.ts';
import { type RefInFile, readRefFile } from './ref-files.ts';
import { checkRefName, isRefName } from './ref-name.ts';
import type { RefUpdate } from './ref-writer.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

export interface Ref {
  name: string;
  oid: string;
  type: string;
  /** What an annotated tag points at. */
  peeled?: string;
  /** The subject of the commit or tag. */
  subject: string;
}

export type UpdateResult = { kind: 'moved' } | { kind: 'lost'; message: string };

export interface UpdateOptions {
  /** Says that the caller moves the checkout of these refs, too. Only then may a checked-out ref move. */
  withCheckout?: boolean;
}

/** How often an update is tried when git could not take a lock that is free again. */
const TRIES = 3;

/** Moves all refs or none, each only from its old value. Somebody else's move is `lost`; a held lock throws busy. */
export async function updateRefs(
  repo: Repository,
  updates: readonly RefUpdate[],
  reason: string,
  options: UpdateOptions = {},
): Promise<UpdateResult> {
  if (updates.length === 0) return { kind: 'moved' };
  await checkUpdates(repo, updates, options);
  for (let attempt = 1; ; attempt++) {
    const result = await repo.refWriter.write(updates, reason, zeroOid(repo.objectFormat));
    if (result.ok) return { kind: 'moved' };
    const verdict = await explainFailure(repo, updates, result);
    if (verdict !== 'again') return verdict;
    if (attempt === TRIES) throw refused(updates, result.words);
  }
}

/** Names must be full, ids must be ids, and nobody may stand on a ref that moves without its checkout. */
export async function checkUpdates(
  repo: Repository,
  updates: readonly RefUpdate[],
  { withCheckout = false }: UpdateOptions,
): Promise<void> {
  for (const { ref, old, new: to } of updates) {
    checkRefName(ref);
    if (old !== null) assertOid(old);
    if (to !== null) assertOid(to);
  }
  const moving = updates.filter(({ ref, old, new: to }) => ref.startsWith('refs/heads/') && old !== to);
  if (withCheckout || moving.length === 0) return;
  const checkedOut = await checkedOutRefs(repo, new Set(moving.map(({ ref }) => ref)));
  for (const { ref } of moving) {
    const worktree = checkedOut.get(ref);
    if (worktree === undefined) continue;
    throw new SwarmError('target_checked_out', `${ref} is checked out in ${worktree} and must move with it`, {
      details: { ref, worktree },
    });
  }
}

/** Why git refused, read from the refs themselves and never from the words of a message. */
export async function explainFailure(
  repo: Repository,
  updates: readonly RefUpdate[],
  { words, unknown }: { words: string; unknown: boolean },
): Promise<UpdateResult | 'again'> {
  const now = await Promise.all(updates.map(({ ref }) => findRef(repo, ref)));
  if (unknown && updates.every((update, i) => (now[i] ?? null) === update.new)) return { kind: 'moved' };
  const lost = updates.findIndex((update, i) => (now[i] ?? null) !== update.old);
  const rival = updates[lost];
  if (rival) {
    const message = `${rival.ref} is at ${now[lost] ?? 'nothing'}, not at ${rival.old ?? 'nothing'}`;
    return { kind: 'lost', message };
  }
  const lock = heldLock(repo, updates);
  if (lock) throw locked(lock);
  for (const { new: to } of updates) {
    if (to !== null && !(await repo.objects.head(to))) throw refused(updates, words);
  }
  return 'again';
}

/** The id a ref has, or undefined. Takes full names only. */
export async function findRef(repo: Repository, ref: string): Promise<string | undefined> {
  checkRefName(ref);
  const read = readHere(repo, ref);
  return read.kind === 'ask' ? (await repo.objects.head(ref))?.oid : oidOf(read);
}

function readHere(repo: Repository, ref: string): RefInFile {
  return repo.hasRefFiles ? readRefFile(repo.commonDir, ref) : { kind: 'ask' };
}

function oidOf(read: Exclude<RefInFile, { kind: 'ask' }>): string | undefined {
  return read.kind === 'oid' ? read.oid : undefined;
}

/** The commit each name stands for: branches, full refs, ids; undefined where a name means no commit. */
export async function resolveRefs(
  repo: Repository,
  names: readonly string[],
): Promise<Map<string, string | undefined>> {
  const heads = await Promise.all(names.map((name) => resolveCommit(repo, name)));
  return new Map(names.map((name, i) => [name, heads[i]]));
}

/** The commit one name stands for, or undefined. */
export async function resolveCommit(repo: Repository, name: string): Promise<string | undefined> {
  if (name === '' || /[\n\0]/.test(name)) return undefined;
  // git keeps everything but commits out of its branches.
  if (name.startsWith('refs/heads/') && isRefName(name)) {
    const read = readHere(repo, name);
    if (read.kind !== 'ask') return oidOf(read);
  }
  try {
    return (await repo.objects.head(`${name}^{commit}`))?.oid;
  } catch (error) {
    // git does not answer but ends where the name asks for an upstream or a log that is not there.
    if (isSwarmError(error, 'git_failed') && name.includes('@{')) return undefined;
    throw error;
  }
}

/** All refs under these prefixes (`refs/heads/stream/`), by name. */
export async function listRefs(repo: Repository, prefixes: readonly string[]): Promise<Ref[]> {
  for (const prefix of prefixes) checkRefName(prefix.replace(/\/$/, ''));
  const format = '%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(contents:subject)';
  const { stdout } = await runGit(repo, ['for-each-ref', `--format=${format}`, '--', ...prefixes]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', oid = '', type = '', peeled = '', subject = ''] = line.split('\0');
      return { name, oid, type, subject, ...(peeled === '' ? {} : { peeled }) };
    });
}

function heldLock(repo: Repository, updates: readonly RefUpdate[]): string | undefined {
  const locks = [...updates.map(({ ref }) => `${ref}.lock`), 'packed-refs.lock'];
  return locks
    .map((lock) => join(repo.commonDir, lock))
    .find((lock) => statSync(lock, { throwIfNoEntry: false }) !== undefined);
}

function locked(lock: string): SwarmError {
  return new SwarmError('busy', `Another process holds ${lock}`, {
    details: { lockFile: lock },
    fix: 'try again; gitswarm doctor tells whether its holder is still alive',
  });
}

function refused(updates: readonly RefUpdate[], words: string): SwarmError {
  const names = updates.map(({ ref }) => ref).join(', ');
  return new SwarmError('git_failed', `git did not move ${names}: ${words}`, { details: { words } });
}
