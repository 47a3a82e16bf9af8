import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const BEGIN = '# gitswarm: begin (made by gitswarm init, removed by gitswarm uninit)';
const END = '# gitswarm: end';
const PATTERNS = ['/.gitswarm/federation.db*', '/.gitswarm/local/', '/.worktrees/'];

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

/** Takes the entries out again, and nothing else. */
export function removeExcludes(commonDir: string): boolean {
  const file = join(commonDir, 'info', 'exclude');
  if (!existsSync(file)) return false;
  const lines = readFileSync(file, 'utf8').split('\n');
  const [begin, end] = [lines.indexOf(BEGIN), lines.indexOf(END)];
  if (begin < 0 || end < begin) return false;
  writeFileSync(file, [...lines.slice(0, begin), ...lines.slice(end + 1)].join('\n'));
  return true;
}

/** True where the entries are there. */
export function excludesPresent(commonDir: string): boolean {
  const file = join(commonDir, 'info', 'exclude');
  return existsSync(file) && readFileSync(file, 'utf8').includes(BEGIN);
}
