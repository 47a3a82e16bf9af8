import type { Command } from './command.ts';

/** A noun, or a verb that stands alone, with the file its commands are in; it is loaded only when it is used. */
export interface Group {
  name: string;
  summary: string;
  section: 'start' | 'work' | 'review' | 'queue' | 'govern' | 'repo';
  load(): Promise<{ commands: Command[] }>;
}

export const groups: Group[] = [
  {
    name: 'init',
    section: 'start',
    summary: 'make this git repository a GitSwarm repository',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'status',
    section: 'start',
    summary: 'what goes on, and what waits for whom',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'demo',
    section: 'start',
    summary: 'watch the whole story in a throw-away repository',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'swarm',
    section: 'start',
    summary: 'drive agents over the ready tasks to promoted work',
    load: () => import('./commands/swarm.ts'),
  },
  {
    name: 'up',
    section: 'start',
    summary: 'start a server for this machine',
    load: () => import('./commands/server.ts'),
  },
  {
    name: 'connect',
    section: 'repo',
    summary: 'let a server decide for this repository',
    load: () => import('./commands/connect.ts'),
  },
  {
    name: 'disconnect',
    section: 'repo',
    summary: 'forget the server on this machine',
    load: () => import('./commands/connect.ts'),
  },
  {
    name: 'server',
    section: 'repo',
    summary: 'serve the API to agents elsewhere',
    load: () => import('./commands/server.ts'),
  },
  {
    name: 'agent',
    section: 'work',
    summary: 'who acts: register, list, show',
    load: () => import('./commands/agent.ts'),
  },
  {
    name: 'task',
    section: 'work',
    summary: 'what is to be done: create, claim, submit',
    load: () => import('./commands/task.ts'),
  },
  {
    name: 'plan',
    section: 'work',
    summary: 'workplan files and their tasks: check, fix',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'workspace',
    section: 'work',
    summary: 'a worktree for a stream: create, list, destroy',
    load: () => import('./commands/workspace.ts'),
  },
  {
    name: 'commit',
    section: 'work',
    summary: 'commit a workspace on its stream',
    load: () => import('./commands/commit.ts'),
  },
  {
    name: 'diff',
    section: 'work',
    summary: 'what a stream changes',
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'stream',
    section: 'work',
    summary: 'units of change: list, rebase, resolve, fork',
    load: () => import('./commands/stream.ts'),
  },
  {
    name: 'review',
    section: 'review',
    summary: 'ask for review, judge, check consensus',
    load: () => import('./commands/review.ts'),
  },
  {
    name: 'merge',
    section: 'queue',
    summary: 'land a stream on the buffer',
    load: () => import('./commands/merge.ts'),
  },
  {
    name: 'queue',
    section: 'queue',
    summary: 'what waits to land: list, run, pause, freeze',
    load: () => import('./commands/queue.ts'),
  },
  {
    name: 'stabilize',
    section: 'queue',
    summary: 'test the buffer; find and revert what broke it',
    load: () => import('./commands/stabilize.ts'),
  },
  {
    name: 'promote',
    section: 'queue',
    summary: 'move the target to the newest green commit',
    load: () => import('./commands/promote.ts'),
  },
  {
    name: 'revert',
    section: 'queue',
    summary: 'take a landing back',
    load: () => import('./commands/revert.ts'),
  },
  {
    name: 'undo',
    section: 'queue',
    summary: 'take your last operation back',
    load: () => import('./commands/undo.ts'),
  },
  {
    name: 'sync',
    section: 'queue',
    summary: 'bring server, remote and clone in step',
    load: () => import('./commands/sync.ts'),
  },
  {
    name: 'repo',
    section: 'govern',
    summary: 'maintainers, access, branch rules, archive',
    load: () => import('./commands/repo.ts'),
  },
  {
    name: 'config',
    section: 'govern',
    summary: 'settings, where they come from, trusted commands',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'council',
    section: 'govern',
    summary: 'the body that decides what reviews do not: seats, proposals, elections',
    load: () => import('./commands/council.ts'),
  },
  {
    name: 'org',
    section: 'govern',
    summary: 'namespaces for repositories: list, create, show, set',
    load: () => import('./commands/org.ts'),
  },
  {
    name: 'stage',
    section: 'govern',
    summary: 'how mature the repository is: show, advance',
    load: () => import('./commands/stage.ts'),
  },
  {
    name: 'karma',
    section: 'govern',
    summary: 'what an agent has earned, and why',
    load: () => import('./commands/karma.ts'),
  },
  {
    name: 'budget',
    section: 'govern',
    summary: 'what tasks are paid from: show, deposit, withdraw, transactions',
    load: () => import('./commands/budget.ts'),
  },
  {
    name: 'notifications',
    section: 'repo',
    summary: 'what concerns you: list, read, set',
    load: () => import('./commands/notifications.ts'),
  },
  { name: 'log', section: 'repo', summary: 'what has happened', load: () => import('./commands/log.ts') },
  {
    name: 'doctor',
    section: 'repo',
    summary: 'find and mend what is wrong',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'tick',
    section: 'repo',
    summary: 'do what is due: leases, recovery',
    load: () => import('./commands/tick.ts'),
  },
  {
    name: 'gc',
    section: 'repo',
    summary: 'clear away what is no longer needed',
    load: () => import('./commands/gc.ts'),
  },
  {
    name: 'backup',
    section: 'repo',
    summary: 'save the database',
    load: () => import('./commands/backup.ts'),
  },
  {
    name: 'restore-backup',
    section: 'repo',
    summary: 'bring a saved database back',
    load: () => import('./commands/backup.ts'),
  },
  {
    name: 'uninit',
    section: 'repo',
    summary: 'take away what init made, and nothing else',
    load: () => import('./commands/uninit.ts'),
  },
  {
    name: 'schema',
    section: 'repo',
    summary: 'JSON Schemas of inputs and answers',
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'completion',
    section: 'repo',
    summary: 'completion for bash, zsh and fish',
    load: () => import('./commands/completion.ts'),
  },
];
