import { CommanderError, Option, Command as Program } from 'commander';
import type { Environment } from '../app/environment.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Answer, Command, CommandOption, Options } from './command.ts';
import { nextLine, undoLine } from './output/hints.ts';
import type { Output } from './output/output.ts';
import { type GlobalFlags, resolveDir, Session } from './session.ts';
import { firstWord } from './words.ts';

/** The commands of one group, parsed and run: answers the exit code. */
export async function runProgram(
  argv: string[],
  given: { commands: Command[]; output: Output; environment: Environment },
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
    environment: Environment;
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
