export interface DiffLine {
  kind: 'same' | 'added' | 'removed' | 'note';
  text: string;
  before: number | undefined;
  after: number | undefined;
}

export interface DiffFile {
  path: string;
  insertions: number;
  deletions: number;
  /** Nothing can be shown of a file that is not text. */
  isBinary: boolean;
  lines: DiffLine[];
}

/** The files of what `git diff` prints. Everything in it is text to show, whatever it looks like. */
export function parseDiff(text: string): DiffFile[] {
  const files: DiffFile[] = [];
  let file: DiffFile | undefined;
  let before = 0;
  let after = 0;
  let isHunk = false;
  for (const line of text.split('\n')) {
    const header = /^diff --git (?:"?a\/(.*?)"?) (?:"?b\/(.*?)"?)$/.exec(line);
    if (header) {
      file = { path: header[2] ?? '', insertions: 0, deletions: 0, isBinary: false, lines: [] };
      files.push(file);
      isHunk = false;
      continue;
    }
    if (!file) continue;
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/.exec(line);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      isHunk = true;
      const text = (hunk[3] ?? '').trim();
      // Before the first lines of a file there is no gap to speak of.
      if (before > 1 || text !== '')
        file.lines.push({ kind: 'note', text: text || '⋯', before: undefined, after: undefined });
    } else if (isHunk && line.startsWith('+')) {
      file.insertions++;
      file.lines.push({ kind: 'added', text: line.slice(1), before: undefined, after: after++ });
    } else if (isHunk && line.startsWith('-')) {
      file.deletions++;
      file.lines.push({ kind: 'removed', text: line.slice(1), before: before++, after: undefined });
    } else if (isHunk && line.startsWith(' ')) {
      file.lines.push({ kind: 'same', text: line.slice(1), before: before++, after: after++ });
    } else if (line.startsWith('Binary files ') || line.startsWith('GIT binary patch')) {
      file.isBinary = true;
    } else if (!isHunk && line.startsWith('+++ b/')) {
      file.path = line.slice('+++ b/'.length).replace(/\t$/, '');
    }
  }
  return files;
}
