import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const BEGIN = '# gitswarm: begin (made by gitswarm init, removed by gitswarm uninit)';
const END = '# gitswarm: end';
const PATTERNS = ['/.gitswarm/federation.db*', '/.gitswarm/local/', '/.worktrees/'];

/** How the exclude file is: its last line may lack its end, and then is given one. */
export type ExcludeFile = 'absent' | 'unended' | 'ended';

export function excludeFile(commonDir: string): ExcludeFile {
  const file = join(commonDir, 'info', 'exclude');
  if (!existsSync(file)) return 'absent';
  const text = readFileSync(file, 'utf8');
  return text === '' || text.endsWith('\n') ? 'ended' : 'unended';
}

/** Enters what GitSwarm keeps in a checkout into the repository's own exclude file; a tracked .gitignore is not touched. */
export function addExcludes(commonDir: string): boolean {
  const file = join(commonDir, 'info', 'exclude');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (text.includes(BEGIN)) return false;
  mkdirSync(dirname(file), { recursive: true });
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  writeFileSync(file, `${text}${gap}${[BEGIN, ...PATTERNS, END].join('\n')}\n`);
  return true;
}

/** Takes the entries out again, and nothing else; `before` says how the file was without them. */
export function removeExcludes(commonDir: string, before: ExcludeFile = 'ended'): boolean {
  const file = join(commonDir, 'info', 'exclude');
  if (!existsSync(file)) return false;
  const lines = readFileSync(file, 'utf8').split('\n');
  const [begin, end] = [lines.indexOf(BEGIN), lines.indexOf(END)];
  if (begin < 0 || end < begin) return false;
  const after = lines.slice(end + 1);
  const isLast = after.join('') === '';
  const text = [...lines.slice(0, begin), ...after].join('\n');
  if (before === 'absent' && text === '') {
    rmSync(file);
    if (readdirSync(dirname(file)).length === 0) rmdirSync(dirname(file));
  } else writeFileSync(file, before === 'unended' && isLast ? text.replace(/\n$/, '') : text);
  return true;
}

/** True where the entries are there. */
export function excludesPresent(commonDir: string): boolean {
  const file = join(commonDir, 'info', 'exclude');
  return existsSync(file) && readFileSync(file, 'utf8').includes(BEGIN);
}
