import { SwarmError } from '../../contract/errors.ts';
import { type CheckRequest, type CheckRun, runChecks } from '../run-checks.ts';
import type { Workflow } from '../workflow.ts';

/** How long answers are waited for before somebody else's wishes are looked for, in milliseconds. */
const LOOK_AGAIN_MS = 300;

interface Running {
  done: Promise<void>;
  stop: AbortController;
}

/** The runs of tests that go on side by side, each in a checkout of its own. */
export class TestRuns {
  readonly #workflow: Workflow;
  readonly #running = new Map<string, Running>();
  readonly #finished: { run: string; check: CheckRun }[] = [];
  #failure: SwarmError | undefined;

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
  }

  /** Nothing runs, and nothing waits to be told. */
  get isIdle(): boolean {
    return this.#running.size === 0 && this.#finished.length === 0 && this.#failure === undefined;
  }

  start(run: string, commit: string, request: CheckRequest): void {
    const stop = new AbortController();
    const signals = [stop.signal, ...(this.#workflow.signal ? [this.#workflow.signal] : [])];
    const check = runChecks({ ...this.#workflow, signal: AbortSignal.any(signals) }, commit, request);
    const done = check.then(
      (answer) => {
        this.#running.delete(run);
        if (!stop.signal.aborted) this.#finished.push({ run, check: answer });
      },
      (error: unknown) => {
        this.#running.delete(run);
        this.#failure ??=
          error instanceof SwarmError ? error : new SwarmError('internal', String(error), { cause: error });
      },
    );
    this.#running.set(run, { done, stop });
  }

  /** Its answer, if there is one, is of no interest any more. */
  cancel(run: string): void {
    this.#running.get(run)?.stop.abort();
  }

  async stopAll(): Promise<void> {
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  /** What has finished; where nothing has, a short while is waited. Throws where a run could not be made. */
  async answers(): Promise<{ run: string; check: CheckRun }[]> {
    if (this.#finished.length === 0 && !this.#failure) await this.#waitForOne();
    if (this.#failure) throw this.#failure;
    return this.#finished.splice(0);
  }

  async #waitForOne(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<void>((done) => {
      timer = setTimeout(done, LOOK_AGAIN_MS);
    });
    await Promise.race([pause, ...[...this.#running.values()].map(({ done }) => done)]);
    clearTimeout(timer);
  }
}
