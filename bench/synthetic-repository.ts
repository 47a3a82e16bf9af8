import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runQuiet } from './run-quiet.ts';

export interface Shape {
  name: string;
  files: number;
  /** Commits of history before the streams fork. */
  commits: number;
  streams: number;
  commitsPerStream: number;
  filesPerCommit: number;
}

export const SMALL: Shape = {
  name: 'S',
  files: 2000,
  commits: 200,
  streams: 240,
  commitsPerStream: 2,
  filesPerCommit: 4,
};
export const LARGE: Shape = {
  name: 'L',
  files: 50_000,
  commits: 100,
  streams: 240,
  commitsPerStream: 2,
  filesPerCommit: 4,
};

/** A number sequence that is the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Makes a bare repository with a history on `main`, a `buffer` at its tip and streams that fork from it, each of which
 * edits files of its own area and, in about one of seven edits, a hot file that others edit, too.
 */
export async function makeRepository(directory: string, shape: Shape): Promise<void> {
  await runQuiet('git', ['init', '-q', '--bare', '-b', 'main', directory]);
  const git = spawn('git', ['-C', directory, 'fast-import', '--quiet'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const random = seeded(7);
  let mark = 0;
  let out = '';
  const flush = async () => {
    if (!git.stdin.write(out)) await once(git.stdin, 'drain');
    out = '';
  };
  const commit = (branch: string, from: string | undefined, edits: [string, string][]) => {
    mark++;
    const message = `change ${mark}`;
    const person = `Bench <bench@example.org> ${1_700_000_000 + mark} +0000`;
    out += `commit refs/heads/${branch}\nmark :${mark}\nauthor ${person}\ncommitter ${person}\ndata ${message.length}\n${message}\n`;
    if (from) out += `from ${from}\n`;
    for (const [path, text] of edits)
      out += `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
    out += '\n';
    return `:${mark}`;
  };
  const all = Array.from({ length: shape.files }, (_, i): [string, string] => [pathOf(i), textOf(i, 0)]);
  let tip = commit('main', undefined, all);
  await flush();
  for (let i = 0; i < shape.commits; i++) {
    const n = Math.floor(random() * shape.files);
    tip = commit('main', tip, [[pathOf(n), textOf(n, i + 1)]]);
  }
  out += `reset refs/heads/buffer\nfrom ${tip}\n\n`;
  for (let s = 0; s < shape.streams; s++) {
    let head = tip;
    for (let c = 0; c < shape.commitsPerStream; c++) {
      const edits = Array.from({ length: shape.filesPerCommit }, (_, f): [string, string] => {
        const isHot = random() < 0.15;
        const n = isHot ? Math.floor(random() * 20) : 20 + ((s * 37 + c * 11 + f * 3) % (shape.files - 20));
        return [pathOf(n), textOf(n, 10_000 + s * 100 + c * 10 + f, isHot ? s % 40 : undefined)];
      });
      head = commit(`s${s}`, head, edits);
    }
    if (out.length > 4_000_000) await flush();
  }
  await flush();
  git.stdin.end();
  await once(git, 'close');
}

export function pathOf(n: number): string {
  return `d${n % 40}/e${Math.floor(n / 40) % 50}/f${n}.txt`;
}

/** Forty lines; an edit changes one of them, so that two edits of a file clash only when they meet in a line. */
function textOf(n: number, version: number, at: number = version % 40): string {
  const lines = Array.from({ length: 40 }, (_, i) => `file ${n} line ${i}`);
  if (version > 0) lines[at] = `file ${n} line ${at} version ${version}`;
  return `${lines.join('\n')}\n`;
}
