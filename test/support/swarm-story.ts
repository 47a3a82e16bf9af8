import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { readEnvironment } from '../../src/app/environment.ts';
import { openApp } from '../../src/app/open-app.ts';
import { showAgent } from '../../src/contract/agents.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';
import { type Files, fixtureEnv, type GitFixture, gitFixture } from './git-fixture.ts';
import { KEPT, PROGRAM } from './program.ts';

/** What a machine without any git identity gives, with the tests' Node first. */
export const swarmEnv: NodeJS.ProcessEnv = {
  PATH: `${join(process.execPath, '..')}:${process.env.PATH ?? '/usr/bin:/bin'}`,
  ...KEPT,
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

export interface CliResult {
  exit: number | null;
  stdout: string;
  stderr: string;
}

/** A call of the command line as a process of its own. */
export interface CliCall {
  done: Promise<CliResult>;
  /** What it has printed until now. */
  printed(): string;
  interrupt(): void;
  /** As a crash would end it: without a word, and without the agents it has started. */
  kill(): void;
}

export function callCli(dir: string, args: string[], env: NodeJS.ProcessEnv = {}): CliCall {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: dir,
    env: { ...swarmEnv, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const done = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve({ exit, stdout, stderr }));
  });
  const printed = () => stdout + stderr;
  return {
    done,
    printed,
    interrupt: () => void child.kill('SIGINT'),
    kill: () => void child.kill('SIGKILL'),
  };
}

/** The test of the story's repository: no file says BROKEN, and `limit.txt` is respected. */
const CHECK = `import { readdirSync, readFileSync } from 'node:fs';
const files = readdirSync('work').map((name) => ['work/' + name, readFileSync('work/' + name, 'utf8')]);
const broken = files.filter(([, text]) => text.includes('BROKEN')).map(([name]) => name);
if (broken.length > 0) {
  console.log('not ok: ' + broken.join(', ') + ' is broken');
  process.exit(1);
}
console.log('ok: ' + files.length + ' files');
`;

/** What its repository holds at the beginning. */
export const swarmFiles: Files = {
  'check.mjs': CHECK,
  'work/first.txt': 'first\n',
  'list.txt': 'top\nbottom\n',
};

export interface StoryOptions {
  mode?: 'swarm' | 'review' | 'gated';
  model?: 'solo' | 'guild' | 'open';
  tasks: string[];
  /** Programs of agents, by file name; they stand beside the repository. */
  agents?: Files;
}

/** A repository with tasks, and agents that are small programs. */
export class SwarmStory {
  readonly fixture: GitFixture;
  readonly dir: string;
  readonly top: string;

  constructor(fixture: GitFixture) {
    this.fixture = fixture;
    this.dir = fixture.dir;
    this.top = fixture.top;
  }

  async run(...args: string[]): Promise<CliResult> {
    return callCli(this.dir, args).done;
  }

  /** As the owner, and expected to succeed; answers the data. */
  async ask(...args: string[]): Promise<unknown> {
    const result = await this.run('--as', 'ana', '--json', ...args);
    if (result.exit !== 0)
      throw new Error(`gitswarm ${args.join(' ')}: exit ${result.exit}: ${result.stdout}${result.stderr}`);
    return JSON.parse(result.stdout).data;
  }

  /** A swarm of the owner's. */
  swarm(...args: string[]): CliCall {
    return callCli(this.dir, ['swarm', '--as', 'ana', '--json', ...args]);
  }

  /** A command line that starts one of the story's agents. */
  agent(name: string, ...args: string[]): string {
    return [process.execPath, join(this.top, name), this.top, ...args].map((word) => `'${word}'`).join(' ');
  }

  /** Works with the repository in this process, as the owner or another agent. */
  async within<T>(work: (workflow: Workflow) => Promise<T>, name = 'ana'): Promise<T> {
    const app = await openApp({ dir: this.dir, environment: readEnvironment({ ...fixtureEnv }) });
    try {
      return await work(
        app.workflow({ actor: await app.workflow().authority.call(showAgent, { agent: name }) }),
      );
    } finally {
      await app.close();
    }
  }
}

export async function startStory({
  mode = 'review',
  model = 'guild',
  tasks,
  agents = {},
}: StoryOptions): Promise<SwarmStory> {
  const fixture = gitFixture({ branch: 'main' });
  fixture.commit('Begin', swarmFiles);
  fixture.write(agents, fixture.top);
  const story = new SwarmStory(fixture);
  await story.run(
    'init',
    '--owner',
    'ana',
    '--mode',
    mode,
    '--model',
    model,
    '--stabilize',
    'node check.mjs',
  );
  for (const title of tasks) await story.ask('task', 'create', title, '--accept', 'the check passes');
  return story;
}

export interface SwarmData {
  tasks: {
    task: string;
    handle: string;
    title: string;
    agent: string | null;
    stream: string | null;
    state: string;
    attempts: number;
    commits: number;
    merged: boolean;
    reason: string | null;
  }[];
  totals: Record<string, number>;
  stabilizations: { result: string; taskId: string | null; healed: boolean }[];
  promotion: { promoted: boolean; reason?: string } | null;
  stopped: string;
  trustedReviewers: string[];
}

/** The answer of a swarm with its exit code; fails with all it said where there is no answer. */
export function swarmData(result: CliResult): SwarmData & { exit: number | null } {
  try {
    const parsed = JSON.parse(result.stdout);
    if (parsed.ok) return { ...(parsed.data as SwarmData), exit: result.exit };
  } catch {
    // reported below
  }
  throw new Error(`no answer, exit ${result.exit}: ${result.stdout}${result.stderr}`);
}
