import { allPages } from '../base/all-pages.ts';
import { isSwarmError } from '../contract/errors.ts';
import { listStreams, type Stream } from '../contract/streams.ts';
import { readCommit } from '../git/commits.ts';
import { mergeTrees } from '../git/merge.ts';
import { withScratchObjects } from '../git/scratch-objects.ts';
import { changesBetween, meetingPairs, touchedBy } from '../git/touched.ts';
import { listPredictions, type Prediction, recordPredictions } from '../machine/predictions.ts';
import { onBuffer } from './on-buffer.ts';
import { isHere } from './shared/shared-refs.ts';
import { bufferTip, type Workflow } from './workflow.ts';

/** Something that would clash with a stream if both landed now. */
export interface PredictedConflict {
  with: 'buffer' | 'stream';
  streamId: string | null;
  handle: string;
  name: string;
  files: string[];
}

/** A stream as predictions need it; its head may be newer than what is recorded. */
export interface Predicted {
  streamId: string;
  head: string;
  /** Where its own commits begin. */
  base: string;
}

/** Two open streams that clash, each as if it were on the buffer already. */
export interface ClashingPair {
  one: Stream;
  other: Stream;
  files: string[];
}

/**
 * With what a head would clash: the buffer, and every other open stream. Merges in memory and writes nothing into the
 * repository.
 */
export async function predictConflicts(workflow: Workflow, subject: Predicted): Promise<PredictedConflict[]> {
  const buffer = await bufferTip(workflow);
  const open = await openStreams(workflow);
  const others = await known(
    workflow,
    open.filter((other) => other.id !== subject.streamId && other.commitCount > 0),
  );
  const all = [subject, ...others.map(predicted)];
  const wanted = (await meeting(workflow, all)).filter(([one]) => one === 0);
  const answers = await predictPairs(workflow, { all, wanted, buffer });
  const conflicts: PredictedConflict[] = [];
  const withBuffer = subject.base === buffer ? [] : await filesAgainst(workflow, buffer, subject.head);
  if (withBuffer.length > 0) {
    const { bufferBranch: name } = workflow.repo;
    conflicts.push({ with: 'buffer', streamId: null, handle: '', name, files: withBuffer });
  }
  for (const [i, [, place]] of wanted.entries()) {
    const other = others[place - 1];
    const files = answers[i] ?? [];
    if (!other || files.length === 0) continue;
    conflicts.push({ with: 'stream', streamId: other.id, handle: other.handle, name: other.name, files });
  }
  return conflicts;
}

/** All pairs of these streams that would clash. */
export async function predictAmong(workflow: Workflow, streams: readonly Stream[]): Promise<ClashingPair[]> {
  const working = await known(
    workflow,
    streams.filter((stream) => stream.commitCount > 0),
  );
  if (working.length < 2) return [];
  const buffer = await bufferTip(workflow);
  const all = working.map(predicted);
  const wanted = await meeting(workflow, all);
  const answers = await predictPairs(workflow, { all, wanted, buffer });
  return wanted.flatMap(([a, b], i) => {
    const [one, other, files] = [working[a], working[b], answers[i] ?? []];
    return one && other && files.length > 0 ? [{ one, other, files }] : [];
  });
}

/** All streams that are neither merged nor abandoned. */
export function openStreams(workflow: Workflow): Promise<Stream[]> {
  return allPages((cursor) =>
    workflow.authority.call(listStreams, { repoId: workflow.repo.id, open: true, limit: 200, cursor }),
  );
}

/** Of what another machine has not pushed yet nothing can be said. */
async function known(workflow: Workflow, streams: Stream[]): Promise<Stream[]> {
  if (!workflow.shared) return streams;
  const found = await Promise.all(
    streams.map(
      async ({ head, baseCommit }) => (await isHere(workflow, head)) && isHere(workflow, baseCommit),
    ),
  );
  return streams.filter((_, i) => found[i]);
}

function predicted({ id, head, baseCommit }: Stream): Predicted {
  return { streamId: id, head, base: baseCommit };
}

/** The pairs for which git has to be asked at all. */
async function meeting(workflow: Workflow, all: readonly Predicted[]): Promise<[number, number][]> {
  if (all.length < 2) return [];
  const { git } = workflow;
  const trees = await Promise.all(
    all.map(async ({ base, head }) => {
      const [from, to] = await Promise.all([readCommit(git, base), readCommit(git, head)]);
      return { from: from.tree, to: to.tree };
    }),
  );
  return meetingPairs((await changesBetween(git, trees)).map(touchedBy));
}

/** The files in which each wanted pair clashes. What is known for these heads and this tip is not asked again. */
async function predictPairs(
  workflow: Workflow,
  { all, wanted, buffer }: { all: readonly Predicted[]; wanted: [number, number][]; buffer: string },
): Promise<string[][]> {
  if (wanted.length === 0) return [];
  const answered = new Map(
    listPredictions(workflow.machine, buffer).map(({ ours, theirs, files }) => [`${ours} ${theirs}`, files]),
  );
  const pairs = wanted.map(([a, b]): Prediction => {
    const [ours = '', theirs = ''] = [all[a]?.head ?? '', all[b]?.head ?? ''].sort();
    return { ours, theirs, files: answered.get(`${ours} ${theirs}`) ?? [] };
  });
  const unknown = pairs.filter(({ ours, theirs }) => !answered.has(`${ours} ${theirs}`));
  if (unknown.length > 0) {
    await withScratchObjects(workflow.git, async (scratch) => {
      const asked = new Set(unknown.flatMap(({ ours, theirs }) => [ours, theirs]));
      const landed = await onBuffer(
        scratch,
        buffer,
        all.filter(({ head }) => asked.has(head)),
      );
      const answers = await mergeTrees(
        scratch,
        unknown.map(({ ours, theirs }) => ({
          ours: landed.get(ours) ?? ours,
          theirs: landed.get(theirs) ?? theirs,
        })),
      );
      for (const [i, pair] of unknown.entries()) {
        const answer = answers[i];
        pair.files = answer?.kind === 'conflict' ? answer.files.map(({ path }) => path) : [];
      }
    });
    remember(workflow, buffer, unknown);
  }
  return pairs.map(({ files }) => files);
}

/** A disk that cannot be written is no reason not to answer. */
function remember(workflow: Workflow, buffer: string, predictions: Prediction[]): void {
  try {
    recordPredictions(workflow.machine, buffer, predictions);
  } catch (error) {
    if (!isSwarmError(error, 'read_only')) throw error;
  }
}

async function filesAgainst(workflow: Workflow, buffer: string, head: string): Promise<string[]> {
  const [answer] = await withScratchObjects(workflow.git, (scratch) =>
    mergeTrees(scratch, [{ ours: buffer, theirs: head }]),
  );
  return answer?.kind === 'conflict' ? answer.files.map(({ path }) => path) : [];
}
