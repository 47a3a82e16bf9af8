import type { ActorRule } from './actor-rule.ts';
import type { Session } from './session.ts';

/** What a command answers: data for programs, text for people, and what comes next. */
export interface Answer {
  data: unknown;
  text(): string;
  /** Expected outcomes that are not success (a conflict, a red run) are data with their exit code. */
  exit?: number;
  /** The sensible next step, as a command. */
  next?: string | undefined;
  /** How to take this back. */
  undo?: string | undefined;
}

export type OptionValue = string | boolean | string[] | undefined;
export type Options = Record<string, OptionValue>;

export interface CommandOption {
  /** As commander writes it: `--priority <level>`, `--force`, `--label <text...>`. */
  flags: string;
  summary: string;
  choices?: readonly string[];
  /** May be given several times; the values come as a list. */
  repeat?: boolean;
}

export interface Command {
  /** Its words: `task create`, `merge`. */
  name: string;
  summary: string;
  /** As commander writes it: `<stream> [paths...]`. */
  args?: string;
  options?: CommandOption[];
  /** One rule, or the one that follows from what was asked. */
  actor: ActorRule | ((args: string[], options: Options) => ActorRule);
  /** Examples shown by `--help`. */
  examples?: string[];
  run(session: Session, args: string[], options: Options): Promise<Answer>;
}
