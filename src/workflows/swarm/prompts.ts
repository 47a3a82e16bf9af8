import type { Stream } from '../../contract/streams.ts';
import type { Task } from '../../contract/tasks.ts';
import { VERDICT_FILE_VARIABLE } from '../../providers/verdict.ts';

/** Why an agent is asked again, and what it needs to know for it. */
export interface Feedback {
  /** One line. */
  summary: string;
  /** Output of a command, words of reviewers. */
  details?: string;
  /** Files that hold conflict markers in the worktree. */
  conflicts?: string[];
}

export interface AuthorPrompt {
  task: Task | null;
  stream: Stream;
  directory: string;
  attempt: number;
  attempts: number;
  /** The command that decides. */
  tests: string | null;
  feedback: Feedback | undefined;
}

const LONGEST_DETAILS = 12_000;
const LONGEST_DIFF = 200_000;

/** What an author is told. Everything that decides later is named here. */
export function authorPrompt(given: AuthorPrompt): string {
  const { task, stream, feedback, attempt, attempts, tests } = given;
  return paragraphs([
    `Task ${task?.handle ?? stream.handle}: ${task?.title ?? stream.name}`,
    task?.description.trim(),
    listed('It is done when:', task?.acceptance),
    listed('It is expected to touch:', task?.paths),
    feedback && repairText(feedback, { attempt, attempts }),
    [
      `You work in ${given.directory}, a worktree of your own on the branch ${stream.branch}. Change files only there.`,
      'Stay on this branch. Leave your work in the files: it is committed for you when you end; committing yourself is fine.',
      'Other agents work on other tasks at the same time. Keep to this one.',
      ...(tests === null
        ? []
        : [`Whether it may land is decided by this command, not by what you say: ${tests}`]),
      'End when you are done; exit code 0 means that you are.',
    ].join('\n'),
  ]);
}

function repairText(feedback: Feedback, at: { attempt: number; attempts: number }): string {
  return paragraphs([
    `This is attempt ${at.attempt} of ${at.attempts}. What you or somebody before you did is in the worktree. ${feedback.summary}`,
    feedback.conflicts && conflictText(feedback.conflicts),
    feedback.details && fenced(feedback.details, LONGEST_DETAILS),
  ]);
}

function conflictText(files: string[]): string {
  return [
    'The current state of the repository was merged into your worktree. These files are in conflict:',
    ...files.map((file) => `  ${file}`),
    'Keep what both sides mean and leave no conflict markers behind.',
  ].join('\n');
}

export interface ReviewPrompt {
  task: Task | null;
  stream: Stream;
  diff: string;
  directory: string;
  tests: string | null;
  isSecondAsking: boolean;
}

/** What a reviewer is told: the change, what it is measured by, and how a verdict is given. */
export function reviewPrompt({ task, stream, diff, directory, tests, isSecondAsking }: ReviewPrompt): string {
  return paragraphs([
    `Review of ${stream.handle}: ${task?.title ?? stream.name}`,
    task?.description.trim(),
    listed('It is done when:', task?.acceptance),
    `The change by ${stream.authorName}, ${stream.baseCommit.slice(0, 10)}..${stream.head.slice(0, 10)}:`,
    fenced(diff, LONGEST_DIFF),
    [
      `${directory} holds the repository with this change; it is thrown away afterwards, so run what you like.`,
      ...(tests === null ? [] : [`The tests of the repository: ${tests}`]),
    ].join('\n'),
    isSecondAsking ? 'Your last answer held no verdict that could be read.' : undefined,
    [
      'Give your verdict as one line of JSON, the last line of your standard output:',
      '  {"verdict":"approve"}  or  {"verdict":"request_changes","feedback":"what is wrong, and where"}',
      'A verdict may be approve, request_changes or comment; add "tested":true if you ran the tests.',
      `Or write that line into the file that the variable ${VERDICT_FILE_VARIABLE} names. Anything else counts as no verdict.`,
    ].join('\n'),
  ]);
}

function paragraphs(parts: (string | undefined | false)[]): string {
  return `${parts.filter((part) => part !== undefined && part !== false && part !== '').join('\n\n')}\n`;
}

function listed(title: string, items: string[] | undefined): string | undefined {
  return items && items.length > 0 ? [title, ...items.map((item) => `  - ${item}`)].join('\n') : undefined;
}

/** The end of a long text is what tells most of a failed run; of a diff both ends are kept. */
function fenced(text: string, longest: number): string {
  const half = Math.floor(longest / 2);
  const cut = text.length > longest ? `${text.slice(0, half)}\n[… cut …]\n${text.slice(-half)}` : text;
  return `-----\n${cut.trimEnd()}\n-----`;
}
