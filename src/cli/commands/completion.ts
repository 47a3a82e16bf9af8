import { nearest } from '../../base/nearest.ts';
import { SwarmError } from '../../contract/errors.ts';
import { Verdict } from '../../contract/reviews.ts';
import { settingOwners } from '../../domain/repos/config-settings.ts';
import type { Command } from '../command.ts';
import { globalFlags } from '../global-flags.ts';
import { groups } from '../groups.ts';

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
      const near = nearest(shell, Object.keys(writers));
      throw new SwarmError(
        'usage',
        `There is no completion for "${shell}".${near ? ` Did you mean "${near}"?` : ''}`,
        { fix: 'gitswarm completion bash|zsh|fish' },
      );
    }
    return { data: { shell, script }, text: () => script };
  },
};

interface Flag {
  /** As they are typed: `-m`, `--message`. */
  names: string[];
  takesValue: boolean;
  choices: readonly string[];
  summary: string;
}

function flagsOf(command: Command): Flag[] {
  return (command.options ?? []).map(({ flags, choices = [], summary }) => ({
    names: flags.match(/(?<![\w-])--?[\w-]+/g) ?? [],
    takesValue: flags.includes('<'),
    choices,
    summary,
  }));
}

const GLOBAL: Flag[] = [
  ...globalFlags.map(({ flag, value, summary }) => ({
    names: [flag],
    takesValue: value !== undefined,
    choices: [],
    summary,
  })),
  { names: ['--help'], takesValue: false, choices: [], summary: 'what it does' },
];

/** The arguments that are words of ours. */
const ARGUMENTS: Record<string, readonly string[]> = {
  completion: ['bash', 'zsh', 'fish'],
  'config get': Object.keys(settingOwners()),
  'config set': Object.keys(settingOwners()),
  'config explain': Object.keys(settingOwners()),
  'review submit': Verdict.options,
  'task review': ['approve', 'reject'],
};

/** The words that may follow each beginning of a command line. */
function followers(commands: Command[]): [string, string[]][] {
  const words = new Map<string, Set<string>>([['', new Set([...groups.map((group) => group.name), 'help'])]]);
  const add = (key: string, more: readonly string[]) => {
    words.set(key, new Set([...(words.get(key) ?? []), ...more]));
  };
  for (const command of commands) {
    const parts = command.name.split(' ');
    for (let i = 1; i < parts.length; i++) add(parts.slice(0, i).join(' '), [parts[i] ?? '']);
    add(command.name, ARGUMENTS[command.name] ?? []);
    add(
      command.name,
      [...flagsOf(command), ...GLOBAL].flatMap((flag) => flag.names),
    );
  }
  return [...words].map(([key, set]) => [key, [...set].sort()]);
}

/** What may follow a flag: its choices, or nothing that we know. Keys are `<command>|<flag>`. */
function values(commands: Command[]): [string, string][] {
  const own = commands.flatMap((command) =>
    flagsOf(command).flatMap((flag) =>
      flag.takesValue
        ? flag.names.map((name): [string, string] => [`'${command.name}|${name}'`, flag.choices.join(' ')])
        : [],
    ),
  );
  const global = GLOBAL.filter((flag) => flag.takesValue).flatMap((flag) => flag.names);
  return [...global.map((name): [string, string] => [`*'|${name}'`, '']), ...own];
}

const cases = (entries: readonly (readonly [string, string])[]) =>
  entries.map(([key, words]) => `    ${key}) words='${words}' ;;`).join('\n');

/** The words so far are walked as far as they name commands; the value of a flag is none of them. */
function bash(commands: Command[]): string {
  const known = followers(commands);
  return `_gitswarm_words() {
  case "$1" in
${cases(known.map(([key, words]) => [`'${key}'`, words.join(' ')]))}
    *) return 1 ;;
  esac
}
_gitswarm_value() {
  case "$1" in
${cases(values(commands))}
    *) return 1 ;;
  esac
}
_gitswarm() {
  [ -n "\${ZSH_VERSION-}" ] && emulate -L sh
  local current="\${COMP_WORDS[COMP_CWORD]}" key='' words='' word flag='' named='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [ -n "$flag" ]; then
      flag=''
    elif [ "$word" = -- ]; then
      return
    elif [ "\${word#-}" != "$word" ]; then
      _gitswarm_value "$key|$word" && flag="$word"
    elif [ "$word" != help ] && _gitswarm_words "\${key:+$key }$word"; then
      key="\${key:+$key }$word"
    fi
  done
  if [ -n "$flag" ]; then _gitswarm_value "$key|$flag"; else _gitswarm_words "$key"; fi
  # Flags are shown where one is begun, or where nothing else can follow.
  for word in $words; do [ "\${word#-}" = "$word" ] && named="$named $word"; done
  [ -n "$named" ] && [ "\${current#-}" = "$current" ] && words="$named"
  [ -n "$words" ] && COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _gitswarm gitswarm
`;
}

function zsh(commands: Command[]): string {
  return `#compdef gitswarm
autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
${bash(commands)}`;
}

function fish(commands: Command[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const lines = groups.map(
    (group) =>
      `complete -c gitswarm -f -n __fish_use_subcommand -a ${group.name} -d ${quoted(group.summary)}`,
  );
  for (const command of commands) {
    const words = command.name.split(' ');
    const after = (known: string[]) =>
      quoted(known.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and '));
    const last = words.at(-1) ?? '';
    for (let i = 1; i < words.length; i++) {
      const summary = i === words.length - 1 ? command.summary : `${words[i]} …`;
      const before = words.slice(0, i);
      const not = `; and not __fish_seen_subcommand_from ${wordsBelow(commands, before).join(' ')}`;
      const condition = `${after(before).slice(0, -1)}${not}'`;
      lines.push(`complete -c gitswarm -f -n ${condition} -a ${words[i]} -d ${quoted(summary)}`);
    }
    const arguments_ = ARGUMENTS[command.name];
    if (arguments_)
      lines.push(`complete -c gitswarm -f -n ${after(words)} -a ${quoted(arguments_.join(' '))}`);
    for (const flag of flagsOf(command)) {
      const names = flag.names.map((name) =>
        name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
      );
      const takes =
        flag.choices.length > 0 ? ` -x -a ${quoted(flag.choices.join(' '))}` : flag.takesValue ? ' -r' : '';
      lines.push(
        `complete -c gitswarm -n ${after(last === words[0] ? [last] : words)} ${names.join(' ')}${takes} -d ${quoted(flag.summary)}`,
      );
    }
  }
  return `${[...new Set(lines)].join('\n')}\n`;
}

function wordsBelow(commands: Command[], before: string[]): string[] {
  const begun = `${before.join(' ')} `;
  const below = commands.filter((command) => command.name.startsWith(begun));
  return [...new Set(below.map((command) => command.name.split(' ')[before.length] ?? ''))];
}

export const commands = [completion];
