import { CommanderError, Option, Command as Program } from 'commander';
import type { Environment } from '../app/environment.ts';
import { nearest } from '../base/nearest.ts';
import { AuthorityAway } from '../contract/authority-away.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import type { Answer, Command, CommandOption, Options } from './command.ts';
import { helpData, helpText, wordsOf } from './command-help.ts';
import { globalFlags } from './global-flags.ts';
import { groups } from './groups.ts';
import { commandText, nextLine, undoLine } from './output/hints.ts';
import type { Output } from './output/output.ts';
import { type GlobalFlags, resolveDir, Session } from './session.ts';
import { usageError } from './usage-error.ts';

/** The commands of one group, parsed and run: answers the exit code. */
export async function runProgram(
  argv: string[],
  given: { commands: Command[]; output: Output; environment: Environment; isRunning?: () => void },
): Promise<number> {
  let exit = 0;
  let asked: Program | undefined;
  const program = globalOptions(new Program('gitswarm'))
    .exitOverride()
    .helpCommand(false)
    // All that is told goes through the output; commander only says for which command help is wanted.
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} })
    .configureHelp({
      formatHelp: (command) => {
        asked = command;
        return '';
      },
    });
  for (const command of given.commands) {
    addCommand(program, command).action(async (...parts: unknown[]) => {
      exit = await runCommand(command, { program, parts, ...given });
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const about = asked;
    const examples = about ? (findCommand(given.commands, about)?.examples ?? []) : [];
    if (error.exitCode !== 0 || !about) {
      if (about && !given.output.isJson) given.output.note(`${helpText(about, examples)}\n`);
      throw usageError(error, { program, argv });
    }
    given.output.result(helpData(about, examples), () => helpText(about, examples));
  }
  return exit;
}

function findCommand(commands: Command[], program: Program): Command | undefined {
  return commands.find((each) => `gitswarm ${each.name}` === wordsOf(program));
}

/** Adds a command under its words: `repo maintainer add` becomes three levels. */
function addCommand(program: Program, command: Command): Program {
  const words = command.name.split(' ');
  let parent = program;
  for (const [i, word] of words.slice(0, -1).entries()) {
    const existing = parent.commands.find((each) => each.name() === word);
    parent = existing ?? parent.command(word).description(summaryOfWords(words.slice(0, i + 1).join(' ')));
  }
  const last = words.at(-1) ?? '';
  // A command may also have commands below it: `stabilize` and `stabilize history`.
  const isOwn = parent.commands.find((each) => each.name() === last);
  const leaf = isOwn ?? parent.command(last);
  leaf.description(command.summary);
  if (command.args) leaf.arguments(command.args);
  for (const option of command.options ?? []) leaf.addOption(toOption(option, `gitswarm ${command.name}`));
  return leaf;
}

/** Words that stand before commands and are none themselves. */
function summaryOfWords(words: string): string {
  const nested: Record<string, string> = {
    'repo maintainer': 'Who may decide: add, remove, list.',
    'council elect': 'Votes on seats: start, nominate, accept, start-voting, vote, complete.',
    'repo branch-rule': 'Rules by branch pattern: list, add, update, remove.',
    'repo access': 'Who may do what: grant, revoke, list, explain, trust.',
  };
  const group = groups.find((each) => each.name === words)?.summary ?? '';
  return nested[words] ?? (group && `${group[0]?.toUpperCase()}${group.slice(1)}.`);
}

function toOption({ flags, summary, choices, repeat }: CommandOption, command: string): Option {
  const option = new Option(flags, summary);
  if (repeat) option.argParser((value: string, earlier: string[] | undefined) => [...(earlier ?? []), value]);
  if (!choices) return option;
  return option.choices([...choices]).argParser((value: string) => {
    if (choices.includes(value)) return value;
    const near = nearest(value, choices);
    throw new SwarmError(
      'usage',
      `--${option.name()} is one of ${choices.join(', ')}, not "${value}".${near ? ` Did you mean "${near}"?` : ''}`,
      { fix: `${command} --help` },
    );
  });
}

function globalOptions(program: Program): Program {
  for (const { flag, value, summary } of globalFlags)
    program.option(value === undefined ? flag : `${flag} ${value}`, summary);
  return program;
}

async function runCommand(
  command: Command,
  given: {
    program: Program;
    parts: unknown[];
    output: Output;
    environment: Environment;
    isRunning?: () => void;
  },
): Promise<number> {
  const leaf = given.parts.at(-1) as Program;
  // What the command above it takes as well (`server`, `server login-link`), that one has parsed.
  const above = leaf.parent === given.program ? {} : leaf.parent?.opts<Options>();
  const own: Options = { ...above, ...(given.parts.at(-2) as Options) };
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
  // Only now: a signal that came while nobody listened would be lost.
  given.isRunning?.();
  try {
    const answer = await command.run(session, args, own);
    show(given.output, answer, session.flags.as);
    await session.doWhatIsDue();
    // A command that says 0 was not cut off: to be stopped is how a server ends.
    return session.signal.aborted && answer.exit !== 0 ? INTERRUPTED : (answer.exit ?? 0);
  } catch (error) {
    if (error instanceof AuthorityAway && error.kept) {
      show(given.output, keptAnswer(error, error.kept), session.flags.as);
      return KEPT;
    }
    if (!session.signal.aborted || isSwarmError(error, 'interrupted')) throw error;
    // Whatever failed did so because it was stopped.
    throw new SwarmError(
      'interrupted',
      'Interrupted. What was begun stays as it is, or is mended by the next command.',
      {
        cause: error,
      },
    );
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await session.close();
  }
}

/** The exit code of a command that was stopped by Ctrl-C. */
const INTERRUPTED = 130;

/** The exit code of a call that is kept for a server that is away. */
const KEPT = 7;

function keptAnswer({ message }: AuthorityAway, outbox: { seq: number; operation: string }): Answer {
  return {
    data: { kind: 'queued', position: null, reason: message, kept: outbox.seq, outbox },
    text: () => message,
    next: 'gitswarm sync',
  };
}

function show(output: Output, answer: Answer, as: string | undefined): void {
  output.result(answer.data, () => {
    const lines = [answer.text().trimEnd()].filter((line) => line !== '');
    if (answer.undo) lines.push(undoLine(asSame(answer.undo, as), output.style));
    if (answer.next) lines.push(nextLine(asSame(answer.next, as), output.style));
    return lines.join('\n');
  });
}

/** Whoever was named acts in what follows, too, unless that names somebody. */
function asSame(command: string, as: string | undefined): string {
  const isOurs = command.startsWith('gitswarm ') && !/ --(as)? /.test(command);
  return as !== undefined && isOurs ? `${command} ${commandText(['--as', as])}` : command;
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
