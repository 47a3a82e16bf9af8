import { editStream } from '../../contract/edit-stream.ts';
import { SwarmError } from '../../contract/errors.ts';
import type { Stream } from '../../contract/streams.ts';
import { applyPatch, type UnfitFile } from '../../git/apply-patch.ts';
import { readCommit, treeOf, writeCommit } from '../../git/commits.ts';
import { editTree, type FileEntry, findEntry } from '../../git/edit-tree.ts';
import { writeBlob } from '../../git/objects.ts';
import { signatureAt } from '../../git/person.ts';
import { findRef, updateRefs } from '../../git/refs.ts';
import { assertSafePath } from '../../git/safe-path.ts';
import { listTreeFiles, type TreeFile } from '../../git/tree-files.ts';
import { isDirectory } from '../../git/tree-record.ts';
import { authorOf } from '../authorship.ts';
import { branchHead } from '../facts.ts';
import { actorOf, type Workflow } from '../workflow.ts';

/**
 * Where files of a stream are kept until they are committed: a commit of their own on the head they were written for,
 * under a ref that moves by compare-and-swap. No checkout, no index file to be left half written, and what is there
 * survives the death of the server.
 */
export function stagedRef(streamId: string): string {
  return `${STAGED}${streamId}`;
}

export const STAGED = 'refs/gitswarm/staged/';

export interface Staged {
  /** The commit that holds what was staged; the head where nothing was. */
  commit: string;
  tree: string;
  /** The head it was staged for. */
  head: string;
  changes: number;
}

const MOST_CHANGES = 10_000;
const LARGEST_FILE = 16 * 1024 * 1024;
const TRIES = 20;

/** What a stream holds with everything that was staged. */
export async function readStaged(workflow: Workflow, stream: Stream): Promise<Staged> {
  const { git } = workflow;
  const staged = await findRef(git, stagedRef(stream.id));
  if (staged === undefined) {
    const head = await headOf(workflow, stream);
    return { commit: head, tree: await treeOf(git, head), head, changes: 0 };
  }
  const { tree, parents, message } = await readCommit(git, staged);
  const changes = Number(/^staged (\d+)/.exec(message)?.[1] ?? 1);
  return { commit: staged, tree, head: parents[0] ?? staged, changes };
}

/** A stream that is over is shown as it was. */
export async function headOf(workflow: Workflow, stream: Stream): Promise<string> {
  const isOver = stream.state === 'merged' || stream.state === 'abandoned';
  return isOver ? stream.head : branchHead(workflow, stream);
}

export interface FileWrite {
  path: string;
  content: Buffer;
  mode?: '100644' | '100755' | undefined;
}

/** What a caller believes is there: an id, anything at all, or nothing. */
export type Expected = { kind: 'entry'; oid: string } | { kind: 'any' } | { kind: 'none' } | undefined;

/** Writes or takes away one file of a stream, to be committed later. Answers what is there now. */
export async function stageFile(
  workflow: Workflow,
  request: { stream: string; write: FileWrite | { path: string; content: null }; expected: Expected },
): Promise<{ entry: FileEntry | null; created: boolean }> {
  const { write, expected } = request;
  assertSafePath(write.path);
  const stream = await workflow.authority.call(editStream, { stream: request.stream });
  if (write.content !== null && write.content.length > LARGEST_FILE)
    throw new SwarmError('too_large', `${write.path} is larger than ${LARGEST_FILE} bytes.`);
  const oid = write.content === null ? undefined : await writeBlob(workflow.git, write.content);
  for (let i = 0; i < TRIES; i++) {
    const staged = await readStaged(workflow, stream);
    const before = await findEntry(workflow.git, staged.tree, write.path);
    checkExpected(write.path, before && isDirectory(before) ? undefined : before, expected);
    if (oid === undefined && (!before || isDirectory(before)))
      throw new SwarmError('not_found', `${stream.handle} has no file ${write.path}.`);
    if (
      before &&
      before.mode !== '100644' &&
      before.mode !== '100755' &&
      !isDirectory(before) &&
      oid !== undefined
    )
      throw new SwarmError('conflict', `${write.path} is no ordinary file.`, { fix: 'Delete it first.' });
    const kept = before?.mode === '100755' ? '100755' : '100644';
    const wanted = write.content === null ? undefined : write.mode;
    const entry = oid === undefined ? null : { mode: wanted ?? kept, oid };
    const tree = await editTree(workflow.git, staged.tree, [{ path: write.path, entry }]);
    if (await putTree(workflow, stream, { staged, tree, changes: 1 }))
      return { entry, created: before === undefined };
  }
  throw new SwarmError('busy', `Others write to ${stream.handle} at the same moment.`, { fix: 'Try again.' });
}

function checkExpected(path: string, before: FileEntry | undefined, expected: Expected): void {
  if (expected === undefined) return;
  const isAsExpected =
    expected.kind === 'none'
      ? before === undefined
      : before !== undefined && (expected.kind === 'any' || before.oid === expected.oid);
  if (isAsExpected) return;
  throw new SwarmError('stale', `${path} is not what you expect it to be.`, {
    fix: 'Read it again and send its ETag as If-Match.',
    details: { etag: before?.oid ?? null },
  });
}

/** Puts a tree in the place of what was staged; false where another writer was quicker. */
async function putTree(
  workflow: Workflow,
  stream: Stream,
  { staged, tree, changes }: { staged: Staged; tree: string; changes: number },
): Promise<boolean> {
  const { git } = workflow;
  if (staged.changes + changes > MOST_CHANGES)
    throw new SwarmError('too_large', `More than ${MOST_CHANGES} changes would wait in ${stream.handle}.`, {
      fix: 'Commit what waits first.',
    });
  if (tree === staged.tree) return true;
  const author = signatureAt(await authorOf(workflow, actorOf(workflow)), workflow.clock.now());
  const message = `staged ${staged.changes + changes}\n`;
  const commit = writeCommit(git, { tree, parents: [staged.head], message, author });
  const old = staged.commit === staged.head ? null : staged.commit;
  const moved = await updateRefs(git, [{ ref: stagedRef(stream.id), old, new: commit }], 'gitswarm: stage');
  return moved.kind === 'moved';
}

export type StagedPatch =
  | { kind: 'staged'; stream: Stream; tree: string; paths: string[] }
  | { kind: 'unfit'; stream: Stream; files: UnfitFile[] };

/**
 * Applies a unified diff to the files of a stream, to be committed later: all of it or nothing. `expected` is the head
 * or the tree that the caller made it for.
 */
export async function stagePatch(
  workflow: Workflow,
  request: { stream: string; patch: Buffer; expected: string | undefined },
): Promise<StagedPatch> {
  const { patch, expected } = request;
  const stream = await workflow.authority.call(editStream, { stream: request.stream });
  for (let i = 0; i < TRIES; i++) {
    const staged = await readStaged(workflow, stream);
    if (expected !== undefined && expected !== staged.head && expected !== staged.tree)
      throw new SwarmError('stale', `${stream.handle} is not what the patch was made for.`, {
        fix: 'Read its files again and make the patch anew.',
        details: { head: staged.head, tree: staged.tree },
      });
    const limits = { files: MOST_CHANGES, bytes: LARGEST_FILE };
    const applied = await applyPatch(workflow.git, staged.tree, { patch, limits });
    if (applied.kind === 'unfit') return { kind: 'unfit', stream, files: applied.files };
    const { tree, paths } = applied;
    if (await putTree(workflow, stream, { staged, tree, changes: paths.length }))
      return { kind: 'staged', stream, tree, paths };
  }
  throw new SwarmError('busy', `Others write to ${stream.handle} at the same moment.`, { fix: 'Try again.' });
}

/** All files of a stream as they would be committed now. */
export async function listStagedFiles(workflow: Workflow, stream: Stream): Promise<TreeFile[]> {
  const { tree } = await readStaged(workflow, stream);
  return listTreeFiles(workflow.git, tree);
}

/** The bytes of a file as it would be committed now; throws not_found. */
export async function readStagedFile(
  workflow: Workflow,
  stream: Stream,
  path: string,
): Promise<FileEntry & { content: Buffer }> {
  assertSafePath(path);
  const { tree } = await readStaged(workflow, stream);
  const entry = await findEntry(workflow.git, tree, path);
  const object = entry && !isDirectory(entry) ? await workflow.git.objects.object(entry.oid) : undefined;
  if (!entry || object?.type !== 'blob')
    throw new SwarmError('not_found', `${stream.handle} has no file ${path}.`);
  return { mode: entry.mode, oid: entry.oid, content: object.content };
}
