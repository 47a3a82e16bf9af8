import { spawn } from 'node:child_process';
import { GIT_ENV } from './run-quiet.ts';

/** The floor: one long-lived merge process that is asked for one answer after the other, and nothing else. */
export function coldMergeTree(directory: string): {
  ask(ours: string, theirs: string): Promise<string>;
  close(): void;
} {
  const child = spawn(
    'stdbuf',
    ['-o0', 'git', '-C', directory, 'merge-tree', '--write-tree', '-z', '--stdin'],
    {
      env: GIT_ENV,
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  let buffer = '';
  let resolve: ((answer: string) => void) | undefined;
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    buffer += chunk;
    // An answer is its status, its content and an empty field at the end.
    if (!buffer.endsWith('\0\0')) return;
    const answer = buffer;
    buffer = '';
    resolve?.(answer);
  });
  return {
    ask: (ours, theirs) =>
      new Promise((done) => {
        resolve = done;
        child.stdin.write(`${ours} ${theirs}\n`);
      }),
    close: () => child.stdin.end(),
  };
}
