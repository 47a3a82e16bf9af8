import { Coprocess, CoprocessDied, type Parsed, parseLine } from './coprocess.ts';
import { type GitPlace, runGit } from './run-git.ts';

/** One move of a ref. `old: null` means it must not exist yet, `new: null` deletes it. */
export interface RefUpdate {
  ref: string;
  old: string | null;
  new: string | null;
}

/** `unknown`: the process was killed, so its work may be done or not. */
export type WriteResult = { ok: true } | { ok: false; words: string; unknown: boolean };

const ARGS = ['update-ref', '--stdin', '-z'];

/** Reasons are few and constant, so that one process per reason can be kept; more than this many are not. */
const KEPT_REASONS = 4;

/** Sends ref transactions to `update-ref`: one process each time, or one kept per reason in long-lived programs. */
export class RefWriter {
  readonly #place: GitPlace;
  readonly #longLived: boolean;
  readonly #kept = new Map<string, Coprocess>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(place: GitPlace, longLived: boolean) {
    this.#place = place;
    this.#longLived = longLived;
  }

  /** All updates or none, each with its old value compared. */
  write(updates: readonly RefUpdate[], reason: string, zero: string): Promise<WriteResult> {
    const commands = transaction(updates, zero);
    if (!this.#longLived) return this.#once(commands, reason);
    // One at a time: a refused transaction ends the process, and must not take others with it.
    const result = this.#turn.then(() => this.#converse(commands, reason));
    this.#turn = result.catch(() => {});
    return result;
  }

  /** A process of its own for a transaction in two steps; the caller closes it. */
  startProcess(reason: string): Coprocess {
    return new Coprocess({ args: withReason(reason), cwd: this.#place.dir, env: this.#place.env });
  }

  async close(): Promise<void> {
    await this.#turn;
    await Promise.all([...this.#kept.values()].map((process) => process.close()));
    this.#kept.clear();
  }

  async #once(commands: string, reason: string): Promise<WriteResult> {
    const input = `start\0${commands}prepare\0commit\0`;
    const result = await runGit(this.#place, withReason(reason), { input, okExits: [0, 1, 128, -1] });
    return result.code === 0
      ? { ok: true }
      : { ok: false, words: result.stderr.trim(), unknown: result.code === -1 };
  }

  async #converse(commands: string, reason: string): Promise<WriteResult> {
    try {
      const process = await this.#running(reason);
      await process.ask(`start\0${commands}prepare\0commit\0`, parseThreeLines);
      return { ok: true };
    } catch (error) {
      if (!(error instanceof CoprocessDied)) throw error;
      return { ok: false, words: error.stderr.trim(), unknown: error.code === null };
    }
  }

  async #running(reason: string): Promise<Coprocess> {
    const kept = this.#kept.get(reason);
    if (kept?.alive) return kept;
    this.#kept.delete(reason);
    const [oldest] = this.#kept.size >= KEPT_REASONS ? this.#kept.keys() : [];
    if (oldest !== undefined) {
      await this.#kept.get(oldest)?.close();
      this.#kept.delete(oldest);
    }
    const started = this.startProcess(reason);
    this.#kept.set(reason, started);
    return started;
  }
}

/** The commands of a transaction, NUL-terminated. */
export function transaction(updates: readonly RefUpdate[], zero: string): string {
  return updates
    .map(({ ref, old, new: to }) => {
      if (to === null) return old === null ? `verify ${ref}\0${zero}\0` : `delete ${ref}\0${old}\0`;
      return `update ${ref}\0${to}\0${old ?? zero}\0`;
    })
    .join('');
}

function withReason(reason: string): string[] {
  return ['update-ref', '-m', reason.replace(/[\n\0]/g, ' '), ...ARGS.slice(1)];
}

function parseThreeLines(bytes: Buffer): Parsed<true> {
  let end = 0;
  for (let line = 0; line < 3; line++) {
    const parsed = parseLine(bytes.subarray(end));
    if ('need' in parsed) return { need: bytes.length + 1 };
    end += parsed.end;
  }
  return { value: true, end };
}
