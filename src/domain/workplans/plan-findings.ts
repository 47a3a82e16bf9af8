export type Severity = 'ERROR' | 'WARN' | 'INFO';

/** What a check can find. The numbers C-11, C-13 and C-14 are those that people know from other checkers. */
export const findingCodes = {
  'C-01': {
    severity: 'ERROR',
    title: 'the workplan cannot be read',
    text: 'The file has no closed front matter, is not UTF-8, or is larger than 8 MiB. None of its tasks is looked at.',
    fix: 'Close the front matter with a line of three dashes; save the file as UTF-8.',
  },
  'C-02': {
    severity: 'WARN',
    title: 'the front matter is incomplete',
    text: 'The front matter has no id, or a line that is no `key: value`. The tasks of the file are looked at all the same.',
    fix: 'Give the workplan an id; mend the line that is named.',
  },
  'C-03': {
    severity: 'ERROR',
    title: 'two workplans have one id',
    text: 'The id in the front matter must name one file of the repository.',
    fix: 'Change the id of the copy, and the ids of its blocks.',
  },
  'C-04': {
    severity: 'ERROR',
    title: 'the task block is malformed',
    text: 'The block is not closed, lacks an id or a status, has a key twice, or holds a line that is no `key: value`. A block that is not understood is never written to.',
    fix: 'Mend the line that is named. An example block goes into a fence of four backticks.',
  },
  'C-05': {
    severity: 'ERROR',
    title: 'two task blocks have one id',
    text: 'The id of a block must be unique among all workplans of the repository. None of the blocks is touched.',
    fix: 'Give the newer one an id of its own, and take its task id out.',
  },
  'C-06': {
    severity: 'ERROR',
    title: 'two task blocks name one task',
    text: 'A task belongs to one block. This is what is left when a block was copied with the id of its task.',
    fix: 'Take the task id out of the copy; fix gives it a task of its own.',
  },
  'C-07': {
    severity: 'ERROR',
    title: 'the status is unknown',
    text: 'A status is one of todo, in_progress, blocked, done, cancelled, in lower case.',
    fix: 'Write one of them.',
  },
  'C-08': {
    severity: 'WARN',
    title: 'the dependency leads nowhere',
    text: 'depends_on names no block of these workplans, or the blocks wait for each other in a circle. Other dependencies are kept.',
    fix: 'Name the id of a block, or take the name out.',
  },
  'C-09': {
    severity: 'WARN',
    title: 'the status of the workplan contradicts its tasks',
    text: 'The front matter says that the plan is done and tasks are not, or all tasks are over and the plan is not. Front matters are never written to.',
    fix: 'Set the status of the front matter by hand.',
  },
  'C-10': {
    severity: 'INFO',
    title: 'the block has no task yet',
    text: 'The block is new, or its id was given by another machine and is not in this database yet. fix makes the task and writes its id into the block.',
    fix: 'gitswarm plan fix',
  },
  'C-11': {
    severity: 'WARN',
    title: 'the file is ahead of the database',
    text: 'The statuses differ, and the file is further: todo < in_progress = blocked < done = cancelled. fix carries the status into the database, by the operations anybody would use, as whoever runs it.',
    fix: 'gitswarm plan fix',
  },
  'C-12': {
    severity: 'ERROR',
    title: 'the task id is wrong',
    text: 'The id in the block is no id, is a task of another repository, or is not the task that the database has for this block.',
    fix: 'Take the line with the id out, and fix writes the right one; or, where the file is right, gitswarm plan fix --force.',
  },
  'C-13': {
    severity: 'WARN',
    title: 'the database is ahead of the file; a regression was prevented',
    text: 'The database is further, or as far and different: then it wins. This is normal where work has gone on at another machine. fix writes the status into the file and commits it; it never moves a task backwards.',
    fix: 'gitswarm plan fix',
  },
  'C-14': {
    severity: 'WARN',
    title: 'the checkout is not what others have',
    text: 'The branch lacks commits that its upstream has: then fix writes nothing at all for the repository. Or a workplan has changes that are not committed: then this file is not written to. In check mode it is only information. A remote that does not answer is passed over in silence.',
    fix: 'gitswarm plan fix --pull; or commit the changes first.',
  },
  'C-15': {
    severity: 'WARN',
    title: 'the database refused the status of the file',
    text: 'The operation was refused: a task with an amount and a task that somebody else holds are not done because a file says so, being done needs maintain access, and a task that waits for others cannot be begun. The file is kept.',
    fix: 'Do what the message says, or let a maintainer run fix.',
  },
  'C-16': {
    severity: 'WARN',
    title: 'a task has lost its block',
    text: 'The task is not over, and no workplan of this checkout has its block any more. In a checkout that is behind it is only information.',
    fix: 'Bring the block back, or gitswarm task cancel <task>.',
  },
  'C-17': {
    severity: 'WARN',
    title: 'the database was set back since',
    text: 'The task had come as far as the file says, and was set back on purpose since: its landing was reverted, its claim given up, its lease ran out. The file tells no news, so fix writes the status of the database into it.',
    fix: 'gitswarm plan fix; to go on with the task: gitswarm task claim <task>, or, by a person, gitswarm plan fix --force.',
  },
  'C-18': {
    severity: 'WARN',
    title: 'the writeback could not be committed',
    text: 'HEAD is detached, the branch is the buffer or the stream of somebody else, a merge or rebase is unfinished, or git refused. The database is right; the files follow with the next fix.',
    fix: 'Do what the message says and run gitswarm plan fix again.',
  },
} as const satisfies Record<string, { severity: Severity; title: string; text: string; fix: string }>;

export type FindingCode = keyof typeof findingCodes;

/** One thing a check found. */
export interface PlanFinding {
  code: FindingCode;
  severity: Severity;
  message: string;
  file?: string;
  line?: number;
  /** The id of the block. */
  task?: string;
  taskId?: string;
}

export function isFindingCode(text: string): text is FindingCode {
  return Object.hasOwn(findingCodes, text);
}

/** A finding with the severity of its code, or another where the circumstances make it one. */
export function finding(
  code: FindingCode,
  message: string,
  where: Omit<PlanFinding, 'code' | 'severity' | 'message'> & { severity?: Severity } = {},
): PlanFinding {
  const { severity = findingCodes[code].severity, ...place } = where;
  return { code, severity, message, ...place };
}
