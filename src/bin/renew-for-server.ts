/** Of each of the two halves, in MiB. Node's own limit lets an idle server keep a hundred more for nothing. */
const YOUNG_HEAP = '--max-semi-space-size=4';

/**
 * A server lives long and makes much that lives short: with Node's limits its memory grows by half for no gain in speed.
 * They are read once, at the start, so the process puts itself in its own place with another one; its id stays.
 */
export function renewForServer(words: readonly string[]): void {
  const command = words.find((word) => !word.startsWith('-'));
  if (command !== 'server' && command !== 'up') return;
  const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  if (/--max-semi-space-size|--max_semi_space_size/.test(given) || process.platform === 'win32') return;
  const [, program = ''] = process.argv;
  process.execve?.(
    process.execPath,
    [process.execPath, YOUNG_HEAP, ...process.execArgv, program, ...words],
    process.env,
  );
}
