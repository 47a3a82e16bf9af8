import { SwarmError } from '../contract/errors.ts';
import { writeObject } from './loose-objects.ts';
import { assertOid } from './oid.ts';
import type { Repository } from './repository.ts';
import { runGit } from './run-git.ts';

const LARGE = 1024 ** 2;

/** The bytes of a file in a commit or tree, or undefined where there is no such file. */
export async function readBlob(repo: Repository, rev: string, path: string): Promise<Buffer | undefined> {
  if (/^\.{1,2}\//.test(path)) return undefined;
  const name = `${rev}:${path}`;
  if (/[\n\0]/.test(name)) return readOddBlob(repo, rev, path);
  const object = await repo.objects.object(name);
  return object?.type === 'blob' ? object.content : undefined;
}

/** Stores bytes as a blob, as they are, and returns its id. */
export async function writeBlob(repo: Repository, content: string | Buffer): Promise<string> {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  if (bytes.length < LARGE) return writeObject(repo, 'blob', bytes);
  const { stdout } = await runGit(repo, ['hash-object', '-w', '--stdin', '--no-filters'], { input: bytes });
  return stdout.trim();
}

/** What is at a path: `blob`, `tree` or undefined. */
export async function entryType(repo: Repository, rev: string, path: string): Promise<string | undefined> {
  if (/[\n\0]/.test(path)) return (await readOddBlob(repo, rev, path)) ? 'blob' : undefined;
  return (await repo.objects.head(`${rev}:${path}`))?.type;
}

/** A path with a newline cannot be asked for by name; the tree it is in can be walked. */
async function readOddBlob(repo: Repository, rev: string, path: string): Promise<Buffer | undefined> {
  if (path.includes('\0') || /[\n\0]/.test(rev)) {
    throw new SwarmError('invalid', `${JSON.stringify(`${rev}:${path}`)} cannot name a file`);
  }
  let at = (await repo.objects.head(`${rev}^{tree}`))?.oid;
  for (const name of path.split('/')) {
    if (at === undefined) return undefined;
    assertOid(at);
    const object = await repo.objects.head(at);
    if (object?.type !== 'tree') return undefined;
    at = (await repo.objects.tree(at)).find((entry) => entry.name === name)?.oid;
  }
  const object = at === undefined ? undefined : await repo.objects.object(at);
  return object?.type === 'blob' ? object.content : undefined;
}

/** The id of the blob or tree at a path, or undefined. */
export async function entryOid(repo: Repository, rev: string, path: string): Promise<string | undefined> {
  if (/[\n\0]/.test(path)) return undefined;
  return (await repo.objects.head(`${rev}:${path}`))?.oid;
}
