import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Environment, readEnvironment } from '../../src/app/environment.ts';
import { initApp } from '../../src/app/init-app.ts';
import { type App, openApp } from '../../src/app/open-app.ts';
import { type Agent, registerAgent, showAgent } from '../../src/contract/agents.ts';
import type { Endpoint, InputOf, OutputOf } from '../../src/contract/endpoint.ts';
import { isSwarmError, type SwarmError } from '../../src/contract/errors.ts';
import { addMaintainer } from '../../src/contract/repos.ts';
import { type Stream, showStream } from '../../src/contract/streams.ts';
import { createTask, type Task } from '../../src/contract/tasks.ts';
import { type CommitResult, commitStream } from '../../src/workflows/commit-stream.ts';
import { createWorkspace, type WorkspaceRequest } from '../../src/workflows/create-workspace.ts';
import { setSetting } from '../../src/workflows/edit-config.ts';
import type { InitRequest } from '../../src/workflows/init-repository.ts';
import { type MergeOptions, type MergeResult, mergeStream } from '../../src/workflows/merge-stream.ts';
import { promote } from '../../src/workflows/promote.ts';
import { recover } from '../../src/workflows/recover.ts';
import { judgeStream, requestReview } from '../../src/workflows/review-stream.ts';
import { stabilize } from '../../src/workflows/stabilize.ts';
import type { SharedRemote, Workflow } from '../../src/workflows/workflow.ts';
import { type Files, GitFixture } from './git-fixture.ts';

/** What a program of a user gets: no configuration of the machine, no identity but the repository's own. */
export const storyEnv: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

export interface StoryOptions extends Omit<InitRequest, 'owner'> {
  /** Registered besides the owner, who is Olga. */
  agents?: readonly string[];
  /** Those of them who are made maintainers. */
  maintainers?: readonly string[];
  files?: Files;
  /** The folder of the repository below the fixture's own directory. */
  folder?: string;
  branch?: string;
  /** Instead of `git init` with a first commit: makes the repository at this place. */
  make?: (git: GitFixture, dir: string) => void;
}

/** A stream with its worktree, as a test holds them. */
export interface Work {
  id: string;
  path: string;
  branch: string;
}

/**
 * A governed repository and the people in it. Each call opens everything anew, as one command after the other would,
 * and begins with what every command begins with: it finishes or takes back what dead processes left.
 */
export class Story {
  readonly git: GitFixture;
  readonly dir: string;
  readonly environment: Environment;
  /** Where this clone meets others; like the settings of a machine, it holds for every call after it is set. */
  shared: SharedRemote | undefined;

  constructor(git: GitFixture, dir: string) {
    this.git = git;
    this.dir = dir;
    this.environment = readEnvironment(storyEnv);
  }

  /** Opens the repository for the length of `work`, acting as somebody; null for nobody. */
  async run<T>(
    as: string | null,
    work: (workflow: Workflow, app: App) => Promise<T>,
    options: { dir?: string; notify?: (text: string) => void } = {},
  ): Promise<T> {
    const app = await openApp({ dir: options.dir ?? this.dir, environment: this.environment });
    try {
      const actor = as === null ? undefined : await this.#agent(app, as);
      const own = app.workflow({ actor, ...(options.notify ? { notify: options.notify } : {}) });
      const workflow = this.shared ? { ...own, shared: this.shared } : own;
      await recover(workflow);
      return await work(workflow, app);
    } finally {
      await app.close();
    }
  }

  async #agent(app: App, name: string): Promise<Agent> {
    return app.workflow().authority.call(showAgent, { agent: name });
  }

  ask<E extends Endpoint>(endpoint: E, input: InputOf<E>, as = 'Olga'): Promise<OutputOf<E>> {
    return this.run(as, ({ authority }) => authority.call(endpoint, input));
  }

  repoId(): Promise<string> {
    return this.run(null, async ({ repo }) => repo.id);
  }

  show(work: { id: string }): Promise<Stream> {
    return this.ask(showStream, { stream: work.id });
  }

  async task(title: string, more: Partial<InputOf<typeof createTask>> = {}): Promise<Task> {
    return this.ask(createTask, { repoId: await this.repoId(), title, ...more });
  }

  async workspace(as: string, request: WorkspaceRequest = {}): Promise<Work> {
    const { stream, path } = await this.run(as, (workflow) => createWorkspace(workflow, request));
    return { id: stream.id, path, branch: stream.branch };
  }

  /** Writes files into the workspace and commits them. */
  commit(
    as: string,
    work: Work,
    files: Files,
    message = `change ${Object.keys(files).join(', ')}`,
  ): Promise<CommitResult> {
    this.git.write(files, work.path);
    return this.run(as, (workflow) => commitStream(workflow, { stream: work.id, message }));
  }

  /** A workspace with one commit. */
  async stream(as: string, files: Files, request: WorkspaceRequest = {}): Promise<Work> {
    const work = await this.workspace(as, request);
    await this.commit(as, work, files);
    return work;
  }

  async submit(as: string, work: Work) {
    const asked = await this.run(as, (workflow) => requestReview(workflow, work.id));
    if (asked.consensus === null) throw new Error('The authority is away.');
    return { ...asked, consensus: asked.consensus };
  }

  judge(as: string, work: Work, verdict: 'approve' | 'request_changes' | 'comment' = 'approve') {
    return this.run(as, (workflow) => judgeStream(workflow, { stream: work.id, verdict }));
  }

  merge(as: string, work: Work, options: MergeOptions = {}): Promise<MergeResult> {
    return this.run(as, (workflow) => mergeStream(workflow, work.id, options));
  }

  /** Submitted by its author, approved and landed by somebody else. */
  async land(work: Work, by: { author: string; judge: string }): Promise<MergeResult> {
    await this.submit(by.author, work);
    await this.judge(by.judge, work);
    return this.merge(by.author, work);
  }

  stabilize(as = 'Olga', options: Parameters<typeof stabilize>[1] = {}) {
    return this.run(as, (workflow) => stabilize(workflow, options));
  }

  promote(as = 'Olga', options: Parameters<typeof promote>[1] = {}) {
    return this.run(as, (workflow) => promote(workflow, options));
  }

  set(key: string, value: string, as = 'Olga') {
    return this.run(as, (workflow) => setSetting(workflow, key, value));
  }

  oid(revision: string): string {
    return this.git.oid(revision, this.dir);
  }

  /** What a branch holds at a path; undefined where it holds nothing. */
  file(revision: string, path: string): string | undefined {
    const { status, stdout } = this.git.tryGit(this.dir, 'show', `${revision}:${path}`);
    return status === 0 ? stdout : undefined;
  }

  /** `git status` of a checkout, line by line. */
  status(dir: string = this.dir): string[] {
    const { status, stdout, said } = this.git.tryGit(
      dir,
      'status',
      '--porcelain',
      '-z',
      '--untracked-files=all',
    );
    if (status !== 0) throw new Error(said);
    return stdout.split('\0').filter((line) => line !== '');
  }
}

/** A repository that was just initialised by Olga; it is gone when the test has finished. */
export async function startStory(options: StoryOptions = {}): Promise<Story> {
  const {
    agents = ['coder', 'bob'],
    maintainers = [],
    files,
    folder,
    branch = 'main',
    make,
    ...request
  } = options;
  const git = new GitFixture({ branch });
  onTestFinished(() => git.remove());
  const dir = folder === undefined ? git.dir : join(git.top, folder);
  if (make) make(git, dir);
  else {
    if (dir !== git.dir) {
      mkdirSync(dir, { recursive: true });
      git.gitIn(dir, 'init', '--quiet', `--initial-branch=${branch}`);
    }
    signAs(git, dir, 'Olga');
    git.commit('begin', files ?? { 'a.txt': 'one\ntwo\nthree\n', 'sub/b.txt': 'b\n' }, dir);
  }
  const story = new Story(git, dir);
  await initApp({ dir, environment: story.environment, request: { owner: 'Olga', ...request } });
  await story.run('Olga', async ({ authority, repo }) => {
    for (const name of agents) await authority.call(registerAgent, { name });
    for (const agent of maintainers) await authority.call(addMaintainer, { repoId: repo.id, agent });
  });
  return story;
}

/** The identity of a person in a repository's own configuration. */
export function signAs(git: GitFixture, dir: string, name: string): void {
  git.gitIn(dir, 'config', 'user.name', name);
  git.gitIn(dir, 'config', 'user.email', `${name.toLowerCase()}@example.org`);
}

/** The refusal a call ends with; fails the test where it is none. */
export async function refusal(call: Promise<unknown>): Promise<SwarmError> {
  try {
    await call;
  } catch (error) {
    if (isSwarmError(error)) return error;
    throw error;
  }
  throw new Error('This was expected to be refused, and was done.');
}

/** A directory of the test's own beside the repository's. */
export function scratch(label: string): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), `gitswarm-${label}-`)));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}

/** Runs a program to its end, with what it said. */
export function runProgram(argv: string[], cwd: string, env: Record<string, string> = {}) {
  const [program = '', ...args] = argv;
  const result = spawnSync(program, args, { cwd, env: { ...storyEnv, ...env }, encoding: 'utf8' });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}
