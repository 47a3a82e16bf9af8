import { CommanderError, Option, Command as Program } from 'commander';
import { readEnvironment } from '../app/environment.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Answer, Command, CommandOption, Options } from './command.ts';
import { groups } from './groups.ts';
import { helpText, versionText } from './help.ts';
import { nextLine, undoLine } from './output/hints.ts';
import { nearest } from './output/nearest.ts';
import { createOutput, type Output } from './output/output.ts';
import { wantsColor } from './output/style-text.ts';
import { type GlobalFlags, resolveDir, Session } from './session.ts';

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

async function dispatch(
  argv: string[],
  output: Output,
  environment: ReturnType<typeof readEnvironment>,
): Promise<number> {
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
  const { commands } = await group.load();
  return runProgram(rest, {
    commands: commands.filter((each) => each.name.split(' ')[0] === name),
    output,
    environment,
  });
}

async function runProgram(
  argv: string[],
  given: { commands: Command[]; output: Output; environment: ReturnType<typeof readEnvironment> },
): Promise<number> {
  let exit = 0;
  const program = globalOptions(new Program('gitswarm'));
  const quietly = (text: string) => given.output.note(text.trimEnd());
  const configure = (each: Program) =>
    each
      .exitOverride()
      .showSuggestionAfterError(true)
      .configureOutput({
        writeOut: (text) => process.stdout.write(text),
        writeErr: quietly,
        outputError: () => undefined,
      });
  configure(program);
  for (const command of given.commands) {
    const leaf = configure(addCommand(program, command));
    leaf.action(async (...parts: unknown[]) => {
      exit = await runCommand(command, {
        program,
        parts,
        output: given.output,
        environment: given.environment,
      });
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw new SwarmError('usage', error.message.replace(/^error: /, '').replace(/\n\(Did/, ' (Did'), {
      fix: `gitswarm ${firstWord(argv) ?? ''} --help`,
    });
  }
  return exit;
}

/** Adds a command under its words: `repo maintainer add` becomes three levels. */
function addCommand(program: Program, command: Command): Program {
  const words = command.name.split(' ');
  let parent = program;
  for (const word of words.slice(0, -1)) {
    const existing = parent.commands.find((each) => each.name() === word);
    parent = existing ?? parent.command(word).exitOverride();
  }
  const last = words.at(-1) ?? '';
  // A command may also have commands below it: `stabilize` and `stabilize history`.
  const isOwn = parent.commands.find((each) => each.name() === last);
  const leaf = isOwn ?? parent.command(last);
  leaf.description(command.summary);
  if (command.args) leaf.arguments(command.args);
  for (const option of command.options ?? []) leaf.addOption(toOption(option));
  if (command.examples?.length)
    leaf.addHelpText('after', `\nExamples:\n${command.examples.map((e) => `  ${e}`).join('\n')}`);
  return leaf;
}

function toOption({ flags, summary, choices, repeat }: CommandOption): Option {
  const option = new Option(flags, summary);
  if (repeat) option.argParser((value: string, earlier: string[] | undefined) => [...(earlier ?? []), value]);
  return choices ? option.choices([...choices]) : option;
}

function globalOptions(program: Program): Program {
  return program
    .option('--as <agent>', 'who acts (else GITSWARM_AGENT, else the author of this worktree)')
    .option('-C <dir>', 'work in this directory')
    .option('--json', 'one JSON document on stdout')
    .option('--quiet', 'no notes, no progress')
    .option('--no-color', 'no colours (also NO_COLOR)')
    .option('--yes', 'answer every question with yes')
    .option('--offline', 'do not use the network')
    .option('--trace', 'show where an error comes from')
    .option('--no-tick', 'leave what is due to a later command');
}

async function runCommand(
  command: Command,
  given: {
    program: Program;
    parts: unknown[];
    output: Output;
    environment: ReturnType<typeof readEnvironment>;
  },
): Promise<number> {
  const own = given.parts.at(-2) as Options;
  const args = given.parts
    .slice(0, -2)
    .flatMap((part) => (part === undefined ? [] : (part as string | string[])));
  const session = new Session({
    flags: readFlags(given.program.opts()),
    environment: given.environment,
    output: given.output,
    rule: typeof command.actor === 'function' ? command.actor(args, own) : command.actor,
    isInteractive: process.stdin.isTTY === true,
  });
  const interrupt = () => session.interrupt();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const answer = await command.run(session, args, own);
    show(given.output, answer);
    await session.doWhatIsDue();
    return session.signal.aborted ? INTERRUPTED : (answer.exit ?? 0);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await session.close();
  }
}

/** The exit code of a command that was stopped by Ctrl-C. */
const INTERRUPTED = 130;

function show(output: Output, answer: Answer): void {
  output.result(answer.data, () => {
    const lines = [answer.text().trimEnd()].filter((line) => line !== '');
    if (answer.undo) lines.push(undoLine(answer.undo, output.style));
    if (answer.next) lines.push(nextLine(answer.next, output.style));
    return lines.join('\n');
  });
}

function readFlags(options: Record<string, unknown>): GlobalFlags {
  return {
    as: typeof options.as === 'string' ? options.as : undefined,
    dir: resolveDir(typeof options.C === 'string' ? options.C : undefined),
    json: options.json === true,
    quiet: options.quiet === true,
    yes: options.yes === true,
    offline: options.offline === true,
    trace: options.trace === true,
    tick: options.tick !== false,
  };
}

/** What must be known before the command line is parsed: how to tell of an error in it. */
function quickFlags(argv: string[]): { json: boolean; quiet: boolean; noColor: boolean; trace: boolean } {
  const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  return {
    json: before.includes('--json'),
    quiet: before.includes('--quiet'),
    noColor: before.includes('--no-color'),
    trace: before.includes('--trace'),
  };
}

/** The first word that is neither a flag nor the value of a global one. */
function firstWord(argv: string[]): string | undefined {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--as' || word === '-C') i++;
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
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
