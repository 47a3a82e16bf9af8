import { listStreams, type Stream } from '../contract/streams.ts';
import { mergeTrees } from '../git/merge.ts';
import type { MergeAnswer } from '../git/merge-tree-output.ts';
import { withScratchObjects } from '../git/scratch-objects.ts';
import { allPages } from './all-pages.ts';
import { bufferTip, type Workflow } from './workflow.ts';

/** Something that would clash with a stream if both landed now. */
export interface PredictedConflict {
  with: 'buffer' | 'stream';
  streamId: string | null;
  handle: string;
  name: string;
  files: string[];
}

/**
 * With what a head would clash: the buffer, and every open stream that touches the same paths. Merges in memory and
 * writes nothing into the repository.
 */
export async function predictConflicts(
  workflow: Workflow,
  subject: { streamId: string; head: string; base: string; paths: string[] },
): Promise<PredictedConflict[]> {
  const buffer = await bufferTip(workflow);
  const others = (await openStreams(workflow)).filter(
    (other) => other.id !== subject.streamId && other.commitCount > 0 && overlap(other.paths, subject.paths),
  );
  // What begins at the buffer's tip cannot clash with it.
  const rivals: Rival[] = [
    ...(subject.base === buffer ? [] : [{ head: buffer }]),
    ...others.map((stream) => ({ head: stream.head, stream })),
  ];
  if (rivals.length === 0) return [];
  return withScratchObjects(workflow.git, async (scratch) => {
    const answers = await mergeTrees(
      scratch,
      rivals.map(({ head }) => ({ ours: head, theirs: subject.head })),
    );
    return rivals.flatMap((rival, i) => conflictWith(workflow, rival, answers[i]));
  });
}

interface Rival {
  head: string;
  /** None: the buffer. */
  stream?: Stream;
}

function conflictWith(
  workflow: Workflow,
  { stream }: Rival,
  answer: MergeAnswer | undefined,
): PredictedConflict[] {
  if (answer?.kind !== 'conflict') return [];
  const files = answer.files.map((file) => file.path);
  if (!stream)
    return [{ with: 'buffer', streamId: null, handle: '', name: workflow.repo.bufferBranch, files }];
  return [{ with: 'stream', streamId: stream.id, handle: stream.handle, name: stream.name, files }];
}

/** All streams that are neither merged nor abandoned. */
export function openStreams(workflow: Workflow): Promise<Stream[]> {
  return allPages((cursor) =>
    workflow.authority.call(listStreams, { repoId: workflow.repo.id, open: true, limit: 200, cursor }),
  );
}

/** Paths meet when they are the same, or one is a directory above the other. */
export function overlap(a: string[], b: string[]): boolean {
  const [small, large] = a.length < b.length ? [a, b] : [b, a];
  const set = new Set(large);
  const parents = new Set(large.flatMap(ancestors));
  return small.some(
    (path) => set.has(path) || parents.has(path) || ancestors(path).some((dir) => set.has(dir)),
  );
}

function ancestors(path: string): string[] {
  const parts = path.replace(/\/$/, '').split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}
