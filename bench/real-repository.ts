import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runQuiet } from './run-quiet.ts';
import { type Shape, seeded } from './synthetic-repository.ts';

/** Files that an edit may touch: text of an ordinary size. */
const LARGEST = 100_000;

/**
 * Makes a bare clone of a real repository with a `main` and a `buffer` at its HEAD, and streams that fork from there,
 * each of which changes lines of some of its text files. Answers how large it is.
 */
export async function cloneWithStreams(source: string, directory: string, name: string): Promise<Shape> {
  await runQuiet('git', ['clone', '-q', '--bare', '--no-local', source, directory]);
  const git = (...args: string[]) => runQuiet('git', ['-C', directory, ...args]);
  const tip = (await git('rev-parse', 'HEAD')).trim();
  const files = (await git('ls-tree', '-r', '-l', '-z', tip)).split('\0').filter(Boolean);
  const texts: { path: string; lines: string[] }[] = [];
  for (const file of files) {
    const match = /^100644 blob ([0-9a-f]+) +(\d+)\t(.+)$/s.exec(file);
    if (!match?.[1] || !match[3] || Number(match[2]) > LARGEST || Number(match[2]) === 0) continue;
    const text = await git('cat-file', 'blob', match[1]);
    if (!text.includes('\0') && !text.includes('\uFFFD'))
      texts.push({ path: match[3], lines: text.split('\n') });
  }
  const commits = Number((await git('rev-list', '--count', tip)).trim());
  const shape: Shape = {
    name,
    files: files.length,
    commits,
    streams: 240,
    commitsPerStream: 2,
    filesPerCommit: 4,
  };
  await importStreams(directory, { tip, texts, shape });
  await git('symbolic-ref', 'HEAD', 'refs/heads/main');
  return shape;
}

async function importStreams(
  directory: string,
  given: { tip: string; texts: { path: string; lines: string[] }[]; shape: Shape },
): Promise<void> {
  const { tip, texts, shape } = given;
  const git = spawn('git', ['-C', directory, 'fast-import', '--quiet', '--force'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const random = seeded(11);
  let mark = 0;
  let out = `reset refs/heads/main\nfrom ${tip}\n\nreset refs/heads/buffer\nfrom ${tip}\n\n`;
  for (let s = 0; s < shape.streams; s++) {
    let from = tip;
    for (let c = 0; c < shape.commitsPerStream; c++) {
      mark++;
      const person = `Bench <bench@example.org> ${1_700_000_000 + mark} +0000`;
      const message = `change ${mark}`;
      out += `commit refs/heads/s${s}\nmark :${mark}\nauthor ${person}\ncommitter ${person}\ndata ${message.length}\n${message}\nfrom ${from}\n`;
      for (let f = 0; f < shape.filesPerCommit; f++) {
        const file = texts[Math.floor(random() * texts.length)];
        if (!file) continue;
        const at = Math.floor(random() * file.lines.length);
        const text = file.lines.map((line, i) => (i === at ? `${line} // ${s}.${c}.${f}` : line)).join('\n');
        out += `M 100644 inline ${JSON.stringify(file.path)}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
      }
      out += '\n';
      from = `:${mark}`;
    }
    if (out.length > 4_000_000) {
      if (!git.stdin.write(out)) await once(git.stdin, 'drain');
      out = '';
    }
  }
  git.stdin.end(out);
  await once(git, 'close');
}
