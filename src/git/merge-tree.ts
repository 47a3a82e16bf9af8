import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SwarmError } from '../contract/errors.ts';
import { Coprocess, CoprocessDied } from './coprocess.ts';
import { type MergeAnswer, parseMergeAnswer } from './merge-tree-output.ts';
import { assertOid } from './oid.ts';
import { type GitPlace, gitFailed, runGitBytes } from './run-git.ts';

/** Two commits to merge, by full id. */
export interface MergePair {
  ours: string;
  theirs: string;
}

export interface MergeTreeOptions {
  commonDir: string;
  /** Keep one process for all merges from the first one on. */
  longLived: boolean;
  /** False: as if the system had no `stdbuf`. */
  stdbuf: boolean;
  /** How long a new process may take to answer its first question, in milliseconds. */
  patience: number;
}

const ARGS = ['merge-tree', '--stdin', '--messages'];

/** After this many batches a short-lived program is better off with one process, too. */
const MANY_BATCHES = 2;

/**
 * Asks `git merge-tree --stdin`. Up to git 2.39 and later it does not flush its answers, so a conversation needs
 * `stdbuf`, or a git that flushes: the first question finds out. Where neither helps, each batch gets its own
 * process, whose input is closed.
 */
export class MergeTree {
  readonly #place: GitPlace;
  readonly #options: MergeTreeOptions;
  #ways: (readonly string[])[];
  #process: { coprocess: Coprocess; view: string; proved: boolean } | undefined;
  #batches = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(place: GitPlace, options: MergeTreeOptions) {
    this.#place = place;
    this.#options = options;
    const stdbuf = options.stdbuf && hasProgram('stdbuf', place.env.PATH);
    this.#ways = stdbuf ? [['stdbuf', '-o0'], []] : [[]];
  }

  /** True while a conversation with one process is possible. */
  get converses(): boolean {
    return this.#ways.length > 0;
  }

  /** The answers to these pairs, in order, with the attributes found in the directory `view`. */
  answers(pairs: readonly MergePair[], view: string): Promise<MergeAnswer[]> {
    for (const { ours, theirs } of pairs) {
      assertOid(ours);
      assertOid(theirs);
    }
    const answers = this.#turn.then(() => this.#answer(pairs, view));
    this.#turn = answers.catch(() => {});
    return answers;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#process?.coprocess.close();
    this.#process = undefined;
  }

  async #answer(pairs: readonly MergePair[], view: string): Promise<MergeAnswer[]> {
    if (pairs.length === 0) return [];
    this.#batches++;
    const converse = this.#options.longLived || this.#batches > MANY_BATCHES;
    return converse ? this.#conversation(pairs, view) : this.#batch(pairs, view);
  }

  async #conversation(pairs: readonly MergePair[], view: string): Promise<MergeAnswer[]> {
    const answers: MergeAnswer[] = [];
    while (answers.length < pairs.length) {
      const way = this.#ways[0];
      if (way === undefined) return [...answers, ...(await this.#batch(pairs.slice(answers.length), view))];
      const running = await this.#running(way, view);
      // The first question goes alone: many answers would fill a buffer and look like a process that flushes.
      const count = running.proved ? pairs.length : answers.length + 1;
      const open = pairs
        .slice(answers.length, count)
        .map(({ ours, theirs }) => running.coprocess.ask(`${ours} ${theirs}\n`, parseMergeAnswer));
      for (const one of open) one.catch(() => {});
      try {
        for (const one of open) {
          answers.push(running.proved ? await one : await inTime(one, this.#options.patience));
          running.proved = true;
        }
      } catch (error) {
        await this.#stumble(error, running.proved, pairs[answers.length], view, answers);
      }
    }
    return answers;
  }

  /** A silent process is no partner for a conversation. A dead one may have met an unknown object: ask for it alone. */
  async #stumble(
    error: unknown,
    proved: boolean,
    pair: MergePair | undefined,
    view: string,
    answers: MergeAnswer[],
  ): Promise<void> {
    await this.#process?.coprocess.kill();
    this.#process = undefined;
    if (error instanceof Silent) {
      this.#ways = this.#ways.slice(1);
      return;
    }
    if (!(error instanceof CoprocessDied) || !pair) throw error;
    answers.push(...(await this.#batch([pair], view)));
    // A program in front of git that cannot start would fail like this every time.
    if (!proved) this.#ways = this.#ways.slice(1);
  }

  async #batch(pairs: readonly MergePair[], view: string): Promise<MergeAnswer[]> {
    const input = pairs.map(({ ours, theirs }) => `${ours} ${theirs}\n`).join('');
    const result = await runGitBytes(this.#place, ARGS, {
      cwd: view,
      env: this.#env(view),
      input,
      okExits: [0, 1, 128],
    });
    const answers: MergeAnswer[] = [];
    let rest = result.stdout;
    while (rest.length > 0) {
      const parsed = parseMergeAnswer(rest);
      if ('need' in parsed) break;
      answers.push(parsed.value);
      rest = rest.subarray(parsed.end);
    }
    const failed = pairs[answers.length];
    if (!failed) return answers;
    const cause = gitFailed(ARGS, view, { ...result, stdout: '' });
    const message = `Merging ${failed.theirs} into ${failed.ours} failed: ${result.stderr.trim()}`;
    throw new SwarmError('git_failed', message, { cause, details: { ...failed } });
  }

  async #running(way: readonly string[], view: string) {
    if (this.#process?.coprocess.alive && this.#process.view === view) return this.#process;
    await this.#process?.coprocess.close();
    const start = { args: ARGS, cwd: view, env: { ...this.#place.env, ...this.#env(view) }, prefix: way };
    this.#process = { coprocess: new Coprocess(start), view, proved: false };
    return this.#process;
  }

  #env(view: string): Record<string, string> {
    return {
      GIT_DIR: this.#options.commonDir,
      GIT_WORK_TREE: view,
      // Attributes are looked for in the index as well; there must be none.
      GIT_INDEX_FILE: join(this.#options.commonDir, 'gitswarm-no-index'),
    };
  }
}

class Silent extends Error {}

async function inTime<T>(answer: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Silent()), milliseconds);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function hasProgram(name: string, path: string | undefined): boolean {
  return (path ?? '').split(delimiter).some((dir) => dir !== '' && existsSync(join(dir, name)));
}
