import { type Environment, readEnvironment } from '../app/environment.ts';
import { nearest } from '../base/nearest.ts';
import { SwarmError } from '../contract/errors.ts';
import { globalFlags } from './global-flags.ts';
import { groups } from './groups.ts';
import { helpText, overviewData, versionText } from './help.ts';
import { createOutput, type Output } from './output/output.ts';
import { wantsColor } from './output/style-text.ts';
import type { TextSink } from './output/text-writer.ts';
import { firstWord, quickFlags } from './words.ts';

/** What a command line is run in. */
export interface Surroundings {
  environment: Environment;
  stdout: TextSink & { isTTY?: boolean };
  stderr: TextSink & { isTTY?: boolean };
}

/** Runs one command line and answers the exit code. */
export async function main(argv: string[], surroundings?: Surroundings): Promise<number> {
  const { environment, stdout, stderr } = surroundings ?? {
    environment: readEnvironment(),
    stdout: process.stdout,
    stderr: process.stderr,
  };
  const early = quickFlags(argv);
  const output = createOutput({
    json: early.json,
    quiet: early.quiet,
    color: wantsColor({
      noColorFlag: early.noColor,
      noColorVariable: environment.noColor ? '1' : undefined,
      term: environment.variables.TERM,
      isTerminal: stdout.isTTY === true,
    }),
    stdout,
    stderr,
    isTerminal: stderr.isTTY === true,
  });
  // Until a command runs, and can stop in order, nothing has begun that would have to be ended.
  const stop = () => {
    void output.fail(new SwarmError('interrupted', 'Interrupted.'), (code) => process.exit(code));
  };
  const isRunning = () => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const exit = await dispatch(argv, { output, environment, isRunning });
    await output.flush();
    return exit;
  } catch (error) {
    return await fail(output, error, early.trace);
  } finally {
    isRunning();
  }
}

async function dispatch(
  argv: string[],
  given: { output: Output; environment: Environment; isRunning: () => void },
): Promise<number> {
  const { output } = given;
  const word = firstWord(argv);
  // What follows `--` is for another program.
  const ours = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  if (ours.includes('--version') || ours.includes('-V') || word === 'version') {
    output.result({ version: versionText() }, () => versionText());
    return 0;
  }
  if (word === undefined) refuseUnknownFlags(ours);
  const rest = word === 'help' ? withoutHelp(argv) : argv;
  const name = firstWord(rest);
  if (name === undefined) {
    output.result(overviewData(), () => helpText(output.style));
    return 0;
  }
  const group = groups.find((each) => each.name === name);
  if (!group) throw unknownCommand(name);
  // Loaded only now: the version and the help must not wait for the parser.
  const [{ commands }, { runProgram }] = await Promise.all([group.load(), import('./run-program.ts')]);
  return runProgram(rest, {
    ...given,
    commands: commands.filter((each) => each.name.split(' ')[0] === name),
  });
}

/** `help task create` is `task create --help`. */
function withoutHelp(argv: string[]): string[] {
  const words = [...argv];
  while (firstWord(words) === 'help') words.splice(words.indexOf('help'), 1);
  return [...words, '--help'];
}

/** Flags alone ask for the overview; one that does not exist is a mistake. */
function refuseUnknownFlags(argv: string[]): void {
  const flags = globalFlags.map((each) => each.flag);
  for (let i = 0; i < argv.length; i++) {
    const [word = ''] = (argv[i] ?? '').split('=', 1);
    const known = globalFlags.find((each) => each.flag === word);
    if (!known && word !== '--help' && word !== '-h') {
      const near = nearest(word, flags);
      throw new SwarmError('usage', `There is no flag "${word}".${near ? ` Did you mean "${near}"?` : ''}`, {
        fix: 'gitswarm help',
      });
    }
    if (!known?.value || argv[i] !== word) continue;
    i++;
    if (argv[i] === undefined)
      throw new SwarmError('usage', `${word} wants ${known.value}.`, { fix: 'gitswarm help' });
  }
}

function unknownCommand(name: string): SwarmError {
  const close = nearest(
    name,
    groups.map((group) => group.name),
  );
  return new SwarmError(
    'usage',
    `There is no command "${name}".${close ? ` Did you mean "${close}"?` : ''}`,
    {
      fix: close ? `gitswarm ${close} --help` : 'gitswarm help',
    },
  );
}

async function fail(output: Output, error: unknown, trace: boolean): Promise<number> {
  if (trace && error instanceof Error) output.note(error.stack ?? '');
  let exit = 1;
  await output.fail(error instanceof SwarmError ? error : unexpected(error), (code) => {
    exit = code;
  });
  return exit;
}

/** What no one foresaw, but for a disk or a directory that may not be written. */
function unexpected(error: unknown): SwarmError {
  const { code, path } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException;
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new SwarmError('read_only', `${path ?? 'A file'} cannot be written (${code}).`, {
      cause: error,
      fix: 'Make it writable for you, or work in another clone.',
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new SwarmError('internal', `Something unexpected went wrong: ${message}`, {
    cause: error,
    fix: 'gitswarm doctor; with --trace this shows where it comes from.',
  });
}
