import { Help, type Command as Program } from 'commander';

/** What `--help` answers to programs. */
export interface HelpData {
  /** Its words, without `gitswarm`. */
  name: string;
  summary: string;
  usage: string;
  options: { flags: string; summary: string; choices?: string[] }[];
  commands: { name: string; summary: string }[];
  examples: string[];
}

/** The words of a command as they are typed: `gitswarm repo maintainer`. */
export function wordsOf(command: Program): string {
  const words: string[] = [];
  for (let each: Program | null = command; each; each = each.parent) words.unshift(each.name());
  return words.join(' ');
}

export function helpData(command: Program, examples: readonly string[]): HelpData {
  const helper = command.createHelp();
  return {
    name: wordsOf(command).replace(/^gitswarm ?/, ''),
    summary: command.description(),
    usage: helper.commandUsage(command),
    options: command.options.map(({ flags, description, argChoices }) => ({
      flags,
      summary: description,
      ...(argChoices ? { choices: argChoices } : {}),
    })),
    commands: command.commands.map((each) => ({ name: wordsOf(each).slice(9), summary: each.description() })),
    examples: [...examples],
  };
}

export function helpText(command: Program, examples: readonly string[]): string {
  const helper = command.createHelp();
  // Columns of a terminal; elsewhere as wide as a terminal usually is.
  helper.helpWidth = Math.min(process.stdout.columns ?? 80, 100);
  helper.subcommandTerm = (each) =>
    [each.name(), ...each.registeredArguments.map((argument) => helper.argumentTerm(argument))].join(' ');
  helper.visibleCommands = (of) => of.commands.slice();
  helper.argumentTerm = (argument) => {
    const name = argument.name() + (argument.variadic ? '...' : '');
    return argument.required ? `<${name}>` : `[${name}]`;
  };
  helper.visibleArguments = () => [];
  const lines = [Help.prototype.formatHelp.call(helper, command, helper).trimEnd()];
  if (examples.length > 0) lines.push('', 'Examples:', ...examples.map((example) => `  ${example}`));
  lines.push('', 'Also takes --as <agent>, -C <dir>, --json and the other flags of: gitswarm help');
  return lines.join('\n');
}
