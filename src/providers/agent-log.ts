import { appendFile, writeFile } from 'node:fs/promises';
import { type Clock, isoTime } from '../base/clock.ts';
import { type AgentJob, OUTPUT_TAIL_BYTES } from './agent-adapter.ts';

/** What an agent that lives in this process says: into its output file, to the listener, and the end of it kept. */
export class AgentLog {
  readonly #job: AgentJob;
  readonly #clock: Clock;
  #written: Promise<void>;
  /** Told of each piece of output, before the listener of the job. */
  onOutput: () => void = () => {};
  tail = '';
  stdoutTail = '';

  constructor(job: AgentJob, clock: Clock) {
    this.#job = job;
    this.#clock = clock;
    this.#written = writeFile(job.outputFile, '', { mode: 0o600 });
    this.#written.catch(() => {}); // reported by close
  }

  output(text: string, source: 'stdout' | 'stderr' = 'stdout'): void {
    this.tail = (this.tail + text).slice(-OUTPUT_TAIL_BYTES);
    if (source === 'stdout') this.stdoutTail = (this.stdoutTail + text).slice(-OUTPUT_TAIL_BYTES);
    this.#written = this.#written.then(() => appendFile(this.#job.outputFile, text));
    this.#written.catch(() => {});
    this.onOutput();
    this.#tell('output', text);
  }

  status(text: string): void {
    this.#tell('status', text);
  }

  /** Resolves when the file is written; rejects where it could not be. */
  close(): Promise<void> {
    return this.#written;
  }

  #tell(type: 'output' | 'status', text: string): void {
    this.#job.onEvent?.({ type, text, at: isoTime(this.#clock.now()) });
  }
}
