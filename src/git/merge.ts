import { isAncestor, readCommit, writeCommit } from './commits.ts';
import type { MergePair } from './merge-tree.ts';
import type { MergeAnswer } from './merge-tree-output.ts';
import type { Signature } from './person.ts';
import type { Repository } from './repository.ts';
import { syntheticCommit } from './synthetic-commit.ts';

export interface MergeQuery {
  /** Commit ids. */
  ours: string;
  theirs: string;
  /** Merge with the tree of this commit as base instead of the best common ancestor. */
  mergeBase?: string;
}

export interface MergeInput {
  ours: string;
  theirs: string;
  mergeBase?: string;
  message: string;
  author: Signature;
  committer?: Signature;
  /** Default: true, every landing has a commit of its own. */
  noFastForward?: boolean;
  /** All paths that `theirs` changed since it left `ours`, where the caller knows them. */
  touched?: readonly string[];
}

export type Conflict = Extract<MergeAnswer, { kind: 'conflict' }>;

export type MergeOutcome =
  | { kind: 'merged'; commit: string; tree: string }
  | { kind: 'up_to_date' }
  | Conflict;

/** Merges each pair in memory and stores the trees: no checkout, no ref, no index. Answers in the order asked. */
export async function mergeTrees(repo: Repository, queries: readonly MergeQuery[]): Promise<MergeAnswer[]> {
  const prepared = await Promise.all(queries.map((query) => prepareQuery(repo, query)));
  const asked = prepared.filter((each): each is Asked => !('kind' in each));
  // Attributes seldom change, so git merges with those of the last time while we find out.
  const guess = repo.attributes.latest;
  const [guessed, views] = await Promise.all([
    guess === undefined ? [] : repo.merger.answers(pairsOf(asked), guess),
    viewsOf(repo, asked),
  ]);
  const answers = new Map<Asked, MergeAnswer | undefined>();
  for (const view of new Set(views)) {
    const group = [...asked.keys()].filter((i) => views[i] === view);
    const pairs = pairsOf(group.flatMap((i) => asked[i] ?? []));
    const found = view === guess ? group.map((i) => guessed[i]) : await repo.merger.answers(pairs, view);
    for (const [i, index] of group.entries()) {
      const each = asked[index];
      if (each) answers.set(each, found[i]);
    }
  }
  return prepared
    .map((each) => ('kind' in each ? each : answers.get(each)))
    .filter((each) => each !== undefined);
}

/** A question git must be asked. `tree` is our side's, whose attributes count. */
interface Asked {
  pair: MergePair;
  tree: string;
}

function pairsOf(asked: readonly Asked[]): MergePair[] {
  return asked.map(({ pair }) => pair);
}

async function viewsOf(repo: Repository, asked: readonly Asked[]): Promise<string[]> {
  const views: string[] = [];
  for (const { tree } of asked) views.push(await repo.attributes.directoryFor(tree));
  return views;
}

/** Merges one commit into another in memory and writes the merge commit; the caller moves the ref. */
export async function mergeCommits(repo: Repository, input: MergeInput): Promise<MergeOutcome> {
  const { ours, theirs, noFastForward = true } = input;
  if (ours === theirs) return { kind: 'up_to_date' };
  const [answer] = await mergeTrees(repo, [input]);
  if (!answer || answer.kind === 'conflict') return answer ?? { kind: 'up_to_date' };
  const [mine, other] = await Promise.all([readCommit(repo, ours), readCommit(repo, theirs)]);
  // Only a merge that changes nothing can be one of something we have, so the question is asked rarely.
  if (answer.tree === mine.tree && (await isAncestor(repo, theirs, ours))) return { kind: 'up_to_date' };
  if (!noFastForward && answer.tree === other.tree && (await isAncestor(repo, ours, theirs))) {
    return { kind: 'merged', commit: theirs, tree: other.tree };
  }
  const { message, author, committer, touched } = input;
  if (touched) repo.attributes.learn(answer.tree, mine.tree, touched);
  const parents = [ours, theirs];
  const commit = writeCommit(repo, {
    tree: answer.tree,
    parents,
    message,
    author,
    ...(committer && { committer }),
  });
  return { kind: 'merged', commit, tree: answer.tree };
}

/** What to ask git, or the answer where no question is needed. */
async function prepareQuery(
  repo: Repository,
  { ours, theirs, mergeBase }: MergeQuery,
): Promise<Asked | MergeAnswer> {
  const [mine, other] = await Promise.all([readCommit(repo, ours), readCommit(repo, theirs)]);
  if (mergeBase === undefined) return { pair: { ours, theirs }, tree: mine.tree };
  const base = await readCommit(repo, mergeBase);
  if (base.tree === mine.tree || mine.tree === other.tree) return { kind: 'clean', tree: other.tree };
  if (base.tree === other.tree) return { kind: 'clean', tree: mine.tree };
  const side = ({ oid, parents, tree }: { oid: string; parents: string[]; tree: string }) =>
    parents.length === 1 && parents[0] === mergeBase ? oid : syntheticCommit(repo, tree, mergeBase);
  const pair = { ours: await side(mine), theirs: await side(other) };
  return { pair, tree: mine.tree };
}
