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

/**
 * Who acts when neither `--as` nor GITSWARM_AGENT says so.
 * - author: the author of the worktree one stands in; at a terminal else an owner
 * - named: nobody is inferred from a worktree (verdicts, settings, access); at a terminal an owner
 * - reader: as author, and the owner anywhere: reading needs no name
 * - nobody: the command needs no actor
 */
export type ActorRule = 'author' | 'named' | 'reader' | 'nobody';

export type OptionValue = string | boolean | string[] | undefined;
export type Options = Record<string, OptionValue>;

export interface CommandOption {
  /** As commander writes it: `--priority <level>`, `--force`, `--label <text...>`. */
  flags: string;
  summary: string;
  choices?: readonly string[];
}

export interface Command {
  /** Its words: `task create`, `merge`. */
  name: string;
  summary: string;
  /** As commander writes it: `<stream> [paths...]`. */
  args?: string;
  options?: CommandOption[];
  actor: ActorRule;
  /** Examples shown by `--help`. */
  examples?: string[];
  run(session: Session, args: string[], options: Options): Promise<Answer>;
}
