import { type Answer, percentile, send } from './http-load.ts';
import { runQuiet } from './run-quiet.ts';
import { ADMIN, ledger, memoryOf, type World } from './server-world.ts';

/** What a stretch of time looked like. */
export interface Window {
  answers: number;
  p99: number;
  memory: number;
}

/** Agents that land again and again, and ask the same once more where nobody answers or the server is not available. */
export class Fleet {
  readonly codes = new Map<number, number>();
  readonly windows: Window[] = [];
  readonly #world: World;
  readonly #repo: string;
  /** What each agent was told is in its files. */
  readonly #written: Map<string, string>[] = [];
  #times: number[] = [];

  constructor(world: World, repo: string) {
    this.#world = world;
    this.#repo = repo;
  }

  /** Lets so many agents work until `goesOn` says no, and looks at the server every `windowMs`. */
  async work(
    count: number,
    { goesOn, windowMs }: { goesOn: () => boolean; windowMs: number },
  ): Promise<void> {
    const keys: string[] = [];
    for (let n = 0; n < count; n++) {
      const { agent, apiKey } = await this.#world.ask('POST /agents', ADMIN, { name: `agent ${n}` });
      await this.#world.ask(`POST /repos/${this.#repo}/access`, ADMIN, { agentId: agent.id, level: 'write' });
      keys.push(apiKey);
    }
    const watching = setInterval(() => void this.#look().catch(() => undefined), windowMs);
    await Promise.all(keys.map((key, n) => this.#agent(key, { n, goesOn })));
    clearInterval(watching);
    await this.#look();
  }

  /** What was answered and is not there, what is there twice, and where git and the ledger differ. */
  async differences(): Promise<{ landings: number; lost: number; twice: number; unlike: number }> {
    const cwd = `${this.#world.dir}/repos/${this.#repo}.git`;
    const log = await runQuiet(
      'git',
      ['log', '--first-parent', '--format=%(trailers:key=GitSwarm-Merge,valueonly)', 'buffer'],
      { cwd },
    );
    const inGit = log.split('\n').filter((line) => line !== '');
    const recorded = (await ledger(this.#world, this.#repo)).map(({ id }) => id);
    const [git, book] = [new Set(inGit), new Set(recorded)];
    const unlike =
      [...git].filter((id) => !book.has(id)).length + [...book].filter((id) => !git.has(id)).length;
    let lost = 0;
    for (const [n, files] of this.#written.entries())
      for (const [file, content] of files) {
        const found = await runQuiet('git', ['show', `buffer:agent-${n}/${file}`], { cwd }).catch(() => '');
        if (found !== content) lost++;
      }
    return {
      landings: inGit.length,
      lost,
      twice: inGit.length - git.size + recorded.length - book.size,
      unlike,
    };
  }

  async #agent(key: string, { n, goesOn }: { n: number; goesOn: () => boolean }): Promise<void> {
    const written = new Map<string, string>();
    this.#written[n] = written;
    const made = await this.#insist('POST', `/repos/${this.#repo}/streams`, {
      key,
      body: { name: `work ${n}` },
      once: `stream-${n}`,
    });
    const { id } = JSON.parse(made.text);
    for (let i = 0, isLast = false; !isLast; i++) {
      // One more at the end: it takes along what an interrupted call has left.
      isLast = !goesOn();
      const [file, content] = [`file-${isLast ? 'last' : i % 20}.txt`, `${n} ${i}\n`];
      await this.#insist('PUT', `/streams/${id}/files/agent-${n}/${file}`, {
        key,
        body: content,
        once: `file-${n}-${i}`,
      });
      await this.#insist('POST', `/streams/${id}/commits`, {
        key,
        body: { message: `work ${i}` },
        once: `commit-${n}-${i}`,
      });
      written.set(file, content);
    }
  }

  async #insist(
    method: string,
    path: string,
    wish: { key: string; body: unknown; once: string },
  ): Promise<Answer> {
    for (;;) {
      const answer = await send(method, `${this.#world.url}/api/v1${path}`, wish).catch(() => undefined);
      const status = answer?.status ?? 0;
      this.codes.set(status, (this.codes.get(status) ?? 0) + 1);
      if (answer) this.#times.push(answer.ms);
      if (answer && status < 300) return answer;
      const isRetryable = status === 0 || status === 503 || answer?.text.includes('"busy"');
      if (!isRetryable) throw new Error(`${method} ${path}: ${status} ${answer?.text}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async #look(): Promise<void> {
    const times = this.#times;
    this.#times = [];
    this.windows.push({
      answers: times.length,
      p99: percentile(times, 0.99),
      memory: await memoryOf(this.#world),
    });
  }
}

/** One line for each stretch of time. */
export function printWindows(windows: readonly Window[], windowMs: number): void {
  for (const [n, { answers, p99, memory }] of windows.entries()) {
    const at = `${Math.round(((n + 1) * windowMs) / 1000)} s`.padStart(6);
    console.log(
      `  ${at}  ${String(answers).padStart(6)} answers  p99 ${p99.toFixed(0).padStart(5)} ms  ${memory.toFixed(0)} MiB`,
    );
  }
}
