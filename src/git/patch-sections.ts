/** One run of changed lines of a patch. */
export interface Hunk {
  /** `@@ -3,4 +3,5 @@` as it stands there. */
  header: string;
  /** The lines it expects to find, without their marks. */
  before: string[];
}

/** What a patch says of one file. */
export interface PatchSection {
  text: string;
  hunks: Hunk[];
}

const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;

/**
 * The parts of a unified diff, in their order: with git's headers or with `---` and `+++` only. What stands inside of
 * hunks is counted, never read, so that a line of content that looks like a header is none.
 */
export function patchSections(patch: string): PatchSection[] {
  const sections: { lines: string[]; hunks: Hunk[]; isGit: boolean }[] = [];
  const lines = patch.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const current = sections.at(-1);
    const isGit = line.startsWith('diff --git ');
    const isPlain = line.startsWith('--- ') && (lines[i + 1] ?? '').startsWith('+++ ');
    const beginsPlain = isPlain && (!current?.isGit || current.hunks.length > 0);
    if (isGit || beginsPlain) sections.push({ lines: [line], hunks: [], isGit });
    else current?.lines.push(line);
    const counts = HUNK.exec(line);
    const into = sections.at(-1);
    if (!counts || !into) continue;
    const end = endOfHunk(lines, i + 1, { before: counts[1], after: counts[2] });
    const body = lines.slice(i + 1, end);
    into.lines.push(...body);
    const before = body.filter((each) => /^[ -]|^$/.test(each)).map((each) => each.slice(1));
    into.hunks.push({ header: HUNK.exec(line)?.[0] ?? '', before });
    i = end - 1;
  }
  return sections.map(({ lines: own, hunks }) => ({
    text: `${own.join('\n').replace(/\n*$/, '')}\n`,
    hunks,
  }));
}

function endOfHunk(
  lines: readonly string[],
  start: number,
  counts: { before: string | undefined; after: string | undefined },
): number {
  let [before, after] = [Number(counts.before ?? 1), Number(counts.after ?? 1)];
  let at = start;
  for (; at < lines.length && (before > 0 || after > 0); at++) {
    const mark = lines[at]?.[0] ?? ' ';
    if (mark === ' ' || mark === '-') before--;
    if (mark === ' ' || mark === '+') after--;
  }
  // What follows the last line says that the file ends there.
  return lines[at]?.startsWith('\\') ? at + 1 : at;
}

/** The first hunk whose lines are nowhere in the file; undefined where each of them is somewhere. */
export function firstMissing(hunks: readonly Hunk[], content: string): Hunk | undefined {
  const whole = `\n${content.endsWith('\n') ? content : `${content}\n`}`;
  return hunks.find((hunk) => hunk.before.length > 0 && !whole.includes(`\n${hunk.before.join('\n')}\n`));
}
