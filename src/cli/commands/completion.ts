import { SwarmError } from '../../contract/errors.ts';
import type { Command } from '../command.ts';
import { groups } from '../groups.ts';

const GLOBAL = [
  '--as',
  '-C',
  '--json',
  '--quiet',
  '--no-color',
  '--yes',
  '--offline',
  '--trace',
  '--no-tick',
  '--help',
];

const completion: Command = {
  name: 'completion',
  summary: 'Print the completion script of a shell; source it from its start-up file.',
  args: '<shell>',
  actor: 'nobody',
  examples: [
    'source <(gitswarm completion bash)',
    'gitswarm completion fish > ~/.config/fish/completions/gitswarm.fish',
  ],
  async run(_session, [shell = '']) {
    const commands = (await Promise.all(groups.map((group) => group.load()))).flatMap(
      (each) => each.commands,
    );
    const unique = [...new Map(commands.map((command) => [command.name, command])).values()];
    const writers: Record<string, (all: Command[]) => string> = { bash, zsh, fish };
    const script = Object.hasOwn(writers, shell) ? writers[shell]?.(unique) : undefined;
    if (script === undefined) {
      throw new SwarmError('usage', `There is no completion for "${shell}".`, {
        fix: 'gitswarm completion bash|zsh|fish',
      });
    }
    return { data: { shell, script }, text: () => script };
  },
};

/** The words that may follow each beginning of a command line. */
function followers(commands: Command[]): Map<string, string[]> {
  const words = new Map<string, Set<string>>([['', new Set(groups.map((group) => group.name))]]);
  const add = (key: string, word: string) => words.set(key, (words.get(key) ?? new Set()).add(word));
  for (const command of commands) {
    const parts = command.name.split(' ');
    for (let i = 1; i < parts.length; i++) add(parts.slice(0, i).join(' '), parts[i] ?? '');
    for (const option of command.options ?? []) add(command.name, option.flags.split(/[ ,]/)[0] ?? '');
    for (const flag of GLOBAL) add(command.name, flag);
  }
  return new Map([...words].map(([key, set]) => [key, [...set].sort()]));
}

function cases(commands: Command[]): string {
  return [...followers(commands)]
    .map(([key, words]) => `    '${key}') words='${words.join(' ')}' ;;`)
    .join('\n');
}

function bash(commands: Command[]): string {
  return `_gitswarm() {
  local current="\${COMP_WORDS[COMP_CWORD]}" key='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) ;; *) key="\${key:+$key }\${COMP_WORDS[i]}" ;; esac
  done
  while :; do
    case "$key" in
${cases(commands)}
    esac
    [ -n "$words" ] || [ -z "$key" ] && break
    case "$key" in *' '*) key="\${key% *}" ;; *) key='' ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _gitswarm gitswarm
`;
}

function zsh(commands: Command[]): string {
  return `#compdef gitswarm
autoload -U +X bashcompinit && bashcompinit
${bash(commands)}`;
}

function fish(commands: Command[]): string {
  const lines = groups.map(
    (group) =>
      `complete -c gitswarm -f -n __fish_use_subcommand -a ${group.name} -d '${group.summary.replace(/'/g, "\\'")}'`,
  );
  for (const command of commands) {
    const [noun, verb] = command.name.split(' ');
    if (verb) {
      lines.push(
        `complete -c gitswarm -f -n '__fish_seen_subcommand_from ${noun}' -a ${verb} -d '${command.summary.replace(/'/g, "\\'")}'`,
      );
    }
    for (const option of command.options ?? []) {
      const name = /--([a-z-]+)/.exec(option.flags)?.[1];
      if (name)
        lines.push(
          `complete -c gitswarm -n '__fish_seen_subcommand_from ${noun}' -l ${name} -d '${option.summary.replace(/'/g, "\\'")}'`,
        );
    }
  }
  return `${[...new Set(lines)].join('\n')}\n`;
}

export const commands = [completion];
