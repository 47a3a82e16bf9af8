import type { CommanderError, Command as Program } from 'commander';
import { nearest } from '../base/nearest.ts';
import { SwarmError } from '../contract/errors.ts';
import { wordsOf } from './command-help.ts';
import { firstWord } from './words.ts';

/** What is wrong with the command line, with the nearest name and the help of the command it got to. */
export function usageError(
  error: CommanderError,
  { program, argv }: { program: Program; argv: string[] },
): SwarmError {
  const { command, next } = furthest(program, argv);
  const words = wordsOf(command);
  const below = command.commands.map((each) => each.name());
  if (below.length > 0 && next === undefined && error.code === 'commander.help') {
    return new SwarmError('usage', `"${words}" wants one of: ${below.join(', ')}.`, {
      fix: `${words} --help`,
    });
  }
  const isUnknown = error.code === 'commander.unknownCommand' || error.code === 'commander.excessArguments';
  if (isUnknown && below.length > 0 && next !== undefined) {
    const near = nearest(next, below);
    return new SwarmError(
      'usage',
      `There is no command "${words} ${next}".${near ? ` Did you mean "${words} ${near}"?` : ` There are: ${below.join(', ')}.`}`,
      { fix: `${words}${near ? ` ${near}` : ''} --help` },
    );
  }
  const [said = '', hint] = error.message.replace(/^error: /, '').split(/\n\(?/);
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}${said.endsWith('.') ? '' : '.'}`;
  return new SwarmError('usage', hint ? `${sentence} ${hint.replace(/\)$/, '')}` : sentence, {
    fix: `${words} --help`,
  });
}

/** The command that the words lead to, and the first word that leads no further. */
function furthest(program: Program, argv: string[]): { command: Program; next: string | undefined } {
  let command = program;
  for (let rest = argv; ; ) {
    const word = firstWord(rest);
    const below = command.commands.find((each) => each.name() === word);
    if (word === undefined || !below) return { command, next: word };
    command = below;
    rest = rest.slice(rest.indexOf(word) + 1);
  }
}
