import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { Environment } from '../app/environment.ts';
import type { App } from '../app/open-app.ts';
import { type Agent, showAgent } from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import { runDue } from '../contract/housekeeping.ts';
import { listMaintainers } from '../contract/repos.ts';
import { showStream } from '../contract/streams.ts';
import { findSession } from '../machine/sessions.ts';
import { listWorkspaces, type Workspace } from '../machine/workspaces.ts';
import type { Workflow } from '../workflows/workflow.ts';
import type { ActorRule } from './actor-rule.ts';
import type { Output } from './output/output.ts';

/** The flags that every command takes. */
export interface GlobalFlags {
  as: string | undefined;
  dir: string;
  json: boolean;
  quiet: boolean;
  yes: boolean;
  offline: boolean;
  trace: boolean;
  tick: boolean;
}

/** One call of the command line: its flags, its output, and the repository it is about, opened when first needed. */
export class Session {
  readonly flags: GlobalFlags;
  readonly environment: Environment;
  readonly output: Output;
  readonly rule: ActorRule;
  /** A person sits at stdin. */
  readonly isInteractive: boolean;
  readonly #abort = new AbortController();
  #app: Promise<App> | undefined;
  #workflow: Promise<Workflow> | undefined;

  constructor(given: {
    flags: GlobalFlags;
    environment: Environment;
    output: Output;
    rule: ActorRule;
    isInteractive: boolean;
  }) {
    this.flags = given.flags;
    this.environment = given.environment;
    this.output = given.output;
    this.rule = given.rule;
    this.isInteractive = given.isInteractive;
  }

  /** Somebody says who acts, or sits here: what is shown now is shown to them. */
  get isNamed(): boolean {
    return (
      (this.flags.as ?? this.environment.agent ?? this.environment.session) !== undefined ||
      this.isInteractive
    );
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Asks whatever runs to stop. */
  interrupt(): void {
    this.#abort.abort();
  }

  app(options: { longLived?: boolean; untouched?: boolean } = {}): Promise<App> {
    // Loaded only now: `help` and a mistyped command must not wait for databases and git.
    this.#app ??= import('../app/open-app.ts').then(({ openApp }) =>
      openApp({
        dir: this.flags.dir,
        environment: this.environment,
        offline: this.flags.offline,
        tell: (text) => this.output.note(text),
        ...options,
      }),
    );
    return this.#app;
  }

  /** The workflow of the repository at hand, acting as whoever this command acts for. */
  workflow(): Promise<Workflow> {
    this.#workflow ??= this.app().then(async (app) => {
      for (const warning of app.warnings) this.output.note(`warning: ${warning}`);
      const actor = await this.#actor(app);
      const progress = (text: string) => this.output.progress(text);
      return app.workflow({ actor, notify: progress, signal: this.signal });
    });
    return this.#workflow;
  }

  /** The workspace one stands in, if any. */
  async workspace(): Promise<Workspace | undefined> {
    const app = await this.app();
    const here = app.git.worktreeDir;
    return here === undefined
      ? undefined
      : listWorkspaces(app.machine).find((each) => samePath(each.path, here));
  }

  /** A stream as it was named; `.` is that of the worktree one stands in, and so is nothing at all. */
  async streamRef(text: string | undefined): Promise<string> {
    if (text !== undefined && text !== '.') return text;
    const workspace = await this.workspace();
    if (workspace) return workspace.stream_id;
    throw new SwarmError('usage', 'No stream is named, and this is no workspace.', {
      fix: 'Name one: gitswarm stream list',
    });
  }

  /** What time alone has made due, after the answer is out; nobody waits for more than one small transaction. */
  async doWhatIsDue(): Promise<void> {
    if (!this.flags.tick || this.rule === 'nobody') return;
    const app = await this.#app?.catch(() => undefined);
    if (!app || app.isReadOnly) return;
    // A server does what is due for the repositories it decides; the clone's own part is to publish what was done here.
    if (app.connection) return this.#keepInStep(app);
    // Whoever comes next does it; the answer of this command is out already.
    await app
      .workflow()
      .authority.call(runDue, { repoId: app.repo.id })
      .catch(() => undefined);
  }

  /** Publishes the streams of this clone, and says now and then what has happened elsewhere. */
  async #keepInStep(app: App): Promise<void> {
    if (this.flags.offline) return;
    const { keepInStep } = await import('./keep-in-step.ts');
    await keepInStep(app, { note: (text) => this.output.note(text) });
  }

  async close(): Promise<void> {
    await this.#app?.then((app) => app.close()).catch(() => undefined);
  }

  /** `--as`, else GITSWARM_AGENT, else what the rule of the command allows to infer. */
  async #actor(app: App): Promise<Agent | undefined> {
    const ask = app.workflow().authority;
    const bound = await this.#sessionAgent(app);
    const named = this.flags.as ?? this.environment.agent;
    if (named !== undefined) {
      const agent = await ask.call(showAgent, { agent: named });
      if (bound && bound.id !== agent.id) {
        throw new SwarmError(
          'not_allowed',
          `This session acts for ${bound.name} only, not for ${agent.name}.`,
        );
      }
      return agent;
    }
    if (bound) return bound;
    if (this.rule === 'nobody') return undefined;
    const inferred = this.rule === 'named' ? undefined : await this.#worktreeAuthor(app);
    if (inferred) return inferred;
    // With a server the token says who we are, and proves it.
    if (app.connection) return ask.call(showAgent, { agent: app.connection.agentId });
    return this.isInteractive || this.rule === 'reader' ? firstOwner(app) : undefined;
  }

  /** The agent that GITSWARM_SESSION stands for: an agent started by us acts as itself and as nobody else. */
  async #sessionAgent(app: App): Promise<Agent | undefined> {
    const token = this.environment.session;
    if (token === undefined) return undefined;
    const session = findSession(app.machine, token);
    if (!session) throw new SwarmError('not_allowed', 'GITSWARM_SESSION names a session that has ended.');
    return app.workflow().authority.call(showAgent, { agent: session.agent_id });
  }

  async #worktreeAuthor(app: App): Promise<Agent | undefined> {
    const workspace = await this.workspace();
    if (!workspace) return undefined;
    const ask = app.workflow().authority;
    const stream = await ask.call(showStream, { stream: workspace.stream_id });
    return ask.call(showAgent, { agent: stream.authorId });
  }
}

async function firstOwner(app: App): Promise<Agent | undefined> {
  const { items } = await app.workflow().authority.call(listMaintainers, { repoId: app.repo.id, limit: 200 });
  return items.find((maintainer) => maintainer.role === 'owner')?.agent;
}

/** Links on the way do not make another place of it. */
function samePath(a: string, b: string): boolean {
  return resolve(a) === resolve(b) || realPath(a) === realPath(b);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** The directory a command works in. Throws not_found where there is none. */
export function resolveDir(dir: string | undefined): string {
  const path = isAbsolute(dir ?? '') ? resolve(dir ?? '') : resolve(currentDir(), dir ?? '.');
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new SwarmError('not_found', `${path} is not a directory.`, { fix: 'Name one that exists: -C <dir>' });
}

function currentDir(): string {
  try {
    return process.cwd();
  } catch {
    throw new SwarmError('not_found', 'The directory you stand in is gone.', { fix: 'cd to another one.' });
  }
}
