import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readEnvironment } from '../../src/app/environment.ts';
import { initApp } from '../../src/app/init-app.ts';
import { registerAgent } from '../../src/contract/agents.ts';
import type { Endpoint, InputOf, OutputOf } from '../../src/contract/endpoint.ts';
import { listPlanTasks, type PlanStatus, type PlanTask } from '../../src/contract/workplans.ts';
import { planRank } from '../../src/domain/workplans/plan-status.ts';
import { checkPlans } from '../../src/workflows/plan-check.ts';
import { type FixOptions, fixPlans } from '../../src/workflows/plan-fix.ts';
import type { PlanReport } from '../../src/workflows/plan-report.ts';
import type { Workflow } from '../../src/workflows/workflow.ts';
import { GitFixture } from './git-fixture.ts';
import { Story, signAs, storyEnv } from './story.ts';

export const PLAN = 'workplans/wp-1.md';

/** A workplan with these blocks, and prose around them. */
export function planText(blocks: Record<string, string>, eol = '\n'): string {
  const head = [
    '---',
    'id: WP-1',
    'type: workplan',
    'title: "A plan"',
    'status: active',
    'created: "2026-03-21"',
    '---',
  ];
  const parts = Object.entries(blocks).flatMap(([id, status]) => [
    `### ${id} — what it is about`,
    '',
    '```task',
    `id: ${id}`,
    `status: ${status}`,
    'priority: high',
    '```',
    '',
    `Text about ${id}, with status: todo in it.`,
    '',
  ]);
  return [...head, '', '# A plan', '', ...parts].join(eol);
}

/** One machine: a clone of its own, whose authority is its own database or that of a hub. */
export class PlanMachine {
  readonly story: Story;
  readonly hub: Story | undefined;

  constructor(story: Story, hub: Story | undefined) {
    this.story = story;
    this.hub = hub;
  }

  get dir(): string {
    return this.story.dir;
  }

  /** As a server would be asked: git, files and locks are here, what is decided is decided there. */
  run<T>(work: (workflow: Workflow) => Promise<T>, as = 'Olga'): Promise<T> {
    if (!this.hub) return this.story.run(as, work);
    const { hub, story } = this;
    return hub.run(as, ({ authority, actor, repo }) =>
      story.run('Olga', (own) => work({ ...own, authority, actor, repo: { ...own.repo, id: repo.id } })),
    );
  }

  ask<E extends Endpoint>(endpoint: E, input: InputOf<E>, as = 'Olga'): Promise<OutputOf<E>> {
    return this.run(({ authority }) => authority.call(endpoint, input), as);
  }

  fix(options: Partial<FixOptions> = {}, as = 'Olga'): Promise<PlanReport> {
    const all = { ask: true, writeback: true, pull: false, force: false, ...options };
    return this.run((workflow) => fixPlans(workflow, all), as);
  }

  check(): Promise<PlanReport> {
    return this.run((workflow) => checkPlans(workflow, { ask: true }));
  }

  /** What the database says, by block. */
  async tasks(): Promise<Map<string, PlanTask>> {
    return this.run(async ({ authority, repo }) => {
      const { items } = await authority.call(listPlanTasks, { repoId: repo.id, limit: 1000 });
      return new Map(items.map((task) => [task.blockId ?? '', task]));
    });
  }

  async statuses(): Promise<Record<string, PlanStatus>> {
    return Object.fromEntries([...(await this.tasks())].map(([id, task]) => [id, task.status]));
  }

  async taskId(block: string): Promise<string> {
    const task = (await this.tasks()).get(block);
    if (!task) throw new Error(`no task of ${block}`);
    return task.taskId;
  }

  read(path = PLAN): string {
    return readFileSync(join(this.dir, path), 'utf8');
  }

  /** What the files say, by block; read in the simplest way there is. */
  written(path = PLAN): Record<string, string> {
    const blocks = this.read(path).matchAll(/^id: (\S+)\r?\nstatus: (\S+)\r?$/gm);
    return Object.fromEntries([...blocks].map(([, id, status]) => [id, status]));
  }

  /** Sets a status in the file, as a person with an editor would. */
  edit(block: string, status: string): void {
    const line = new RegExp(`(^id: ${block}\\r?\\nstatus: )\\S+`, 'm');
    this.story.git.write({ [PLAN]: this.read().replace(line, `$1${status}`) }, this.dir);
  }

  commit(message = 'edit'): void {
    this.git('add', '--all', 'workplans');
    this.story.git.tryGit(this.dir, 'commit', '--quiet', '-m', message);
  }

  git(...args: string[]): string {
    return this.story.git.gitIn(this.dir, ...args);
  }

  /** True where git did it. */
  tryGit(...args: string[]): boolean {
    return this.story.git.tryGit(this.dir, ...args).status === 0;
  }

  push(): boolean {
    return this.tryGit('push', '--quiet');
  }

  pull(): boolean {
    return this.tryGit('pull', '--quiet', '--ff-only');
  }
}

export interface PlanStory {
  git: GitFixture;
  remote: string;
  /** The machine where agents work, and the workstation whose checkout grows stale. */
  far: PlanMachine;
  near: PlanMachine;
  /** Takes the remote away, and brings it back. */
  away(work: () => Promise<void>): Promise<void>;
}

/** Two clones of a bare remote on two machines. With a hub both ask one database; without, each has its own. */
export async function startPlanStory(options: { hub: boolean; plan?: string }): Promise<PlanStory> {
  const git = new GitFixture({ branch: 'main' });
  onTestFinished(() => git.remove());
  git.commit('begin', {
    'a.txt': 'a\n',
    [PLAN]: options.plan ?? planText({ T1: 'todo', T2: 'todo', T3: 'todo' }),
  });
  const remote = join(git.top, 'remote.git');
  git.git('clone', '--quiet', '--bare', git.dir, remote);
  const start = async (name: string) => {
    const dir = join(git.top, name);
    git.git('clone', '--quiet', remote, dir);
    signAs(git, dir, 'Olga');
    // Equal commits of one second would be one commit.
    git.gitIn(dir, 'config', 'user.email', `olga@${name.split(' ')[0]}.example.org`);
    await initApp({ dir, environment: readEnvironment(storyEnv), request: { owner: 'Olga' } });
    const story = new Story(git, dir);
    await story.ask(registerAgent, { name: 'coder' });
    return story;
  };
  const hub = options.hub ? await start('hub') : undefined;
  const far = new PlanMachine(await start('far'), hub);
  const near = new PlanMachine(await start('near machine'), hub);
  return {
    git,
    remote,
    far,
    near,
    async away(work) {
      renameSync(remote, `${remote}.away`);
      try {
        await work();
      } finally {
        if (existsSync(`${remote}.away`)) renameSync(`${remote}.away`, remote);
      }
    },
  };
}

/** True where no task of `before` is less far in `after`. */
export function isNowhereBack(
  before: Record<string, PlanStatus>,
  after: Record<string, PlanStatus>,
): boolean {
  return Object.entries(before).every(([id, status]) => {
    const now = after[id];
    return now !== undefined && planRank(now) >= planRank(status);
  });
}

export function codesOf(report: PlanReport): string[] {
  return [...new Set(report.findings.map(({ code }) => code))].sort();
}
