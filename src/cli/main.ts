import { type Environment, readEnvironment } from '../app/environment.ts';
import { nearest } from '../base/nearest.ts';
import { SwarmError } from '../contract/errors.ts';
import { groups } from './groups.ts';
import { helpText, versionText } from './help.ts';
import { createOutput, type Output } from './output/output.ts';
import { wantsColor } from './output/style-text.ts';
import { firstWord, quickFlags } from './words.ts';

/** Runs one command line and answers the exit code. */
export async function main(argv: string[]): Promise<number> {
  const environment = readEnvironment();
  const early = quickFlags(argv);
  const output = createOutput({
    json: early.json,
    quiet: early.quiet,
    color: wantsColor({
      noColorFlag: early.noColor,
      noColorVariable: environment.noColor ? '1' : undefined,
      term: environment.variables.TERM,
      isTerminal: process.stdout.isTTY === true,
    }),
    stdout: process.stdout,
    stderr: process.stderr,
    isTerminal: process.stderr.isTTY === true,
  });
  try {
    return await dispatch(argv, output, environment);
  } catch (error) {
    return fail(output, error, early.trace);
  } finally {
    await output.flush();
  }
}

async function dispatch(argv: string[], output: Output, environment: Environment): Promise<number> {
  const word = firstWord(argv);
  // What follows `--` is for another program.
  const ours = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const wantsHelp = ours.includes('--help') || ours.includes('-h');
  if (ours.includes('--version') || ours.includes('-V') || word === 'version') {
    output.result({ version: versionText() }, () => versionText());
    return 0;
  }
  if (word === undefined || (word === 'help' && argv.filter((each) => !each.startsWith('-')).length === 1)) {
    output.result({ commands: groups.map(({ name, summary }) => ({ name, summary })) }, () =>
      helpText(output.style),
    );
    return word === undefined && !wantsHelp && argv.length > 0 ? 2 : 0;
  }
  const rest = word === 'help' ? [...argv.filter((each) => each !== 'help'), '--help'] : argv;
  const name = firstWord(rest) ?? '';
  const group = groups.find((each) => each.name === name);
  if (!group) throw unknownCommand(name);
  // Loaded only now: the version and the help must not wait for the parser.
  const [{ commands }, { runProgram }] = await Promise.all([group.load(), import('./run-program.ts')]);
  return runProgram(rest, {
    commands: commands.filter((each) => each.name.split(' ')[0] === name),
    output,
    environment,
  });
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
  const known =
    error instanceof SwarmError
      ? error
      : new SwarmError(
          'internal',
          `Something unexpected went wrong: ${error instanceof Error ? error.message : String(error)}`,
          {
            cause: error,
            fix: 'gitswarm doctor; with --trace this shows where it comes from.',
          },
        );
  if (trace && error instanceof Error) output.note(error.stack ?? '');
  let exit = 1;
  await output.fail(known, (code) => {
    exit = code;
  });
  return exit;
}
