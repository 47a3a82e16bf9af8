import { readCommit, writeCommit } from '../git/commits.ts';
import { mergeTrees } from '../git/merge.ts';
import type { Repository } from '../git/repository.ts';

/**
 * Each head as it would be on the buffer, so that two of them differ by their own changes only, wherever they began.
 * A head that begins at the tip is itself; one that clashes with the buffer stays what it is, and is compared so.
 */
export async function onBuffer(
  scratch: Repository,
  buffer: string,
  heads: readonly { head: string; base: string }[],
): Promise<Map<string, string>> {
  const landed = new Map<string, string>();
  const behind = [...new Set(heads.flatMap(({ head, base }) => (base === buffer ? [] : [head])))];
  const answers = await mergeTrees(
    scratch,
    behind.map((theirs) => ({ ours: buffer, theirs })),
  );
  for (const [i, head] of behind.entries()) {
    const answer = answers[i];
    if (answer?.kind !== 'clean') continue;
    const { author } = await readCommit(scratch, head);
    const parents = [buffer, head];
    landed.set(
      head,
      writeCommit(scratch, { tree: answer.tree, parents, message: 'for a question\n', author }),
    );
  }
  return landed;
}
