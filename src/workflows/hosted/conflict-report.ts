import type { Stream } from '../../contract/streams.ts';
import { type Conflict, mergeTrees } from '../../git/merge.ts';
import type { ConflictSide } from '../../git/merge-tree-output.ts';
import { bufferTip, type Workflow } from '../workflow.ts';
import { headOf } from './staged-files.ts';

/** One side of a conflicted file, as text where it is text. */
export interface SideContent {
  oid: string;
  mode: string;
  content: string;
  encoding: 'utf8' | 'base64';
}

export interface ConflictedFile {
  path: string;
  kind: string;
  /** `ours` is the stream, `theirs` what it should take in; absent where that side has no such file. */
  base: SideContent | null;
  ours: SideContent | null;
  theirs: SideContent | null;
  /** The file with git's markers, where both sides have text. */
  markers: string | null;
}

export interface ConflictReport {
  onto: string;
  head: string;
  files: ConflictedFile[];
}

/** Bytes of one side beyond which only its id is given. */
const LARGEST_SHOWN = 1024 * 1024;

/** What stands between a stream and what it should take in now; no files where nothing does. */
export async function conflictReport(workflow: Workflow, stream: Stream): Promise<ConflictReport> {
  const { onto, head, conflict } = await findConflict(workflow, stream);
  const files = await Promise.all(
    (conflict?.files ?? []).map((file) => describe(workflow, file, conflict?.tree ?? '')),
  );
  return { onto, head, files };
}

/** The stream's head merged with what it conflicts with, in memory. */
export async function findConflict(
  workflow: Workflow,
  stream: Stream,
): Promise<{ onto: string; head: string; conflict: Conflict | undefined; tree: string | undefined }> {
  const isBuffer = stream.conflict === null || stream.conflict.with === 'buffer';
  const onto = isBuffer ? await bufferTip(workflow) : (stream.conflict?.onto ?? '');
  const head = await headOf(workflow, stream);
  const [answer] = await mergeTrees(workflow.git, [{ ours: head, theirs: onto }]);
  if (answer?.kind === 'conflict') return { onto, head, conflict: answer, tree: undefined };
  return { onto, head, conflict: undefined, tree: answer?.tree };
}

async function describe(
  workflow: Workflow,
  file: Conflict['files'][number],
  tree: string,
): Promise<ConflictedFile> {
  const [base, ours, theirs] = await Promise.all(
    [file.base, file.ours, file.theirs].map((side) => contentOf(workflow, side)),
  );
  const isText = [ours, theirs].every((side) => side?.encoding === 'utf8');
  // The merged tree holds the file as git would leave it in a checkout.
  const merged = isText
    ? await workflow.git.objects.object(`${tree}:${file.path}`).catch(() => undefined)
    : undefined;
  return {
    path: file.path,
    kind: file.kind,
    base: base ?? null,
    ours: ours ?? null,
    theirs: theirs ?? null,
    markers: merged?.type === 'blob' ? merged.content.toString('utf8') : null,
  };
}

async function contentOf(workflow: Workflow, side: ConflictSide | undefined): Promise<SideContent | null> {
  if (!side) return null;
  const object = side.mode === '160000' ? undefined : await workflow.git.objects.object(side.oid);
  const bytes = object && object.content.length <= LARGEST_SHOWN ? object.content : Buffer.alloc(0);
  return { oid: side.oid, mode: side.mode, ...asText(bytes) };
}

/** Bytes as text where they are text, else in base64. */
export function asText(bytes: Buffer): { content: string; encoding: 'utf8' | 'base64' } {
  const text = bytes.toString('utf8');
  const isText = !bytes.includes(0) && Buffer.from(text, 'utf8').equals(bytes);
  return isText
    ? { content: text, encoding: 'utf8' }
    : { content: bytes.toString('base64'), encoding: 'base64' };
}
