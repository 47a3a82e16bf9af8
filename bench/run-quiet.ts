import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const GIT_ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Bench',
  GIT_AUTHOR_EMAIL: 'bench@example.org',
  GIT_COMMITTER_NAME: 'Bench',
  GIT_COMMITTER_EMAIL: 'bench@example.org',
  GIT_EDITOR: 'true',
};

/** Runs a program and answers what it printed; throws when it fails. */
export async function runQuiet(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const { stdout } = await run(program, args, { env: GIT_ENV, maxBuffer: 1 << 28, ...options });
  return stdout;
}

/** Like runQuiet, but a failure is an answer: undefined. */
export async function tryQuiet(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  return runQuiet(program, args, options).catch(() => undefined);
}
