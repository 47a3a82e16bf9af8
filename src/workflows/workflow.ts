import type { Clock } from '../base/clock.ts';
import type { Agent } from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Repo } from '../contract/repos.ts';
import type { Person } from '../git/person.ts';
import { resolveCommit } from '../git/refs.ts';
import type { Transport } from '../git/remote-transport.ts';
import type { Repository } from '../git/repository.ts';
import type { Machine } from '../machine/machine.ts';
import type { Authority } from '../operations/authority.ts';

/** The remote through which clones of one repository, each on a machine of its own, exchange what they have. */
export interface SharedRemote {
  /** Name of the git remote in which the clones meet. */
  remote: string;
}

/** What every workflow works with: a repository, the authority that decides for it, and this machine. */
export interface Workflow {
  git: Repository;
  /** Asked as the actor. */
  authority: Authority;
  machine: Machine;
  /** The repository with the settings in force when the workflow began. */
  repo: Repo;
  actor: Agent | undefined;
  clock: Clock;
  /** `.gitswarm`, or its like in a bare repository. */
  home: string;
  /** Where worktrees stand unless `workspace.path` says otherwise. */
  worktrees: string;
  /** Git's own identity, asked for once. */
  identity(): Promise<Person | undefined>;
  /** The variables of the surroundings; commands are given a filtered copy. */
  variables: Readonly<Record<string, string | undefined>>;
  /** Directories of the machine that no command of the repository may look into; a server's. Without any, all is seen. */
  hides?: readonly string[] | undefined;
  /** The way to a remote; a server's, which may not go everywhere. Without it git finds its own. */
  reachRemote?: ((url: string) => Promise<Transport>) | undefined;
  /** Where other clones of the repository meet this one; undefined where this is the only clone. */
  shared?: SharedRemote | undefined;
  /** Who we are in intents: this process, told from all others. */
  holder: string;
  /** What a server does around all work on the buffer: keeps other servers out, and learns where it was cut off. */
  onBuffer?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
  /** Tells people what goes on during long work. */
  notify(text: string): void;
  /** Passes a named step; tests of recovery let the process die there. */
  reach(step: string): void;
  signal?: AbortSignal;
}

/** The agent who acts; refuses where nobody is named. */
export function actorOf(workflow: Workflow): Agent {
  if (workflow.actor) return workflow.actor;
  throw new SwarmError('usage', 'Nobody is named who acts.', {
    fix: 'Add --as <agent>, or set GITSWARM_AGENT; gitswarm agent list shows who is registered.',
  });
}

/** The commit at the tip of the buffer. Throws not_found where somebody deleted the branch. */
export async function bufferTip(workflow: Workflow): Promise<string> {
  return branchTip(workflow, workflow.repo.bufferBranch, 'gitswarm doctor --fix');
}

/** The commit at the tip of the target. */
export async function targetTip(workflow: Workflow): Promise<string> {
  return branchTip(workflow, workflow.repo.promoteTarget, 'gitswarm config set promote_target <branch>');
}

async function branchTip(workflow: Workflow, branch: string, fix: string): Promise<string> {
  const tip = await resolveCommit(workflow.git, `refs/heads/${branch}`);
  if (tip) return tip;
  throw new SwarmError('not_found', `The branch ${branch} does not exist.`, { fix });
}

/** The same workflow, asking as another agent. */
export function actingAs(workflow: Workflow, actor: Agent): Workflow {
  return { ...workflow, actor, authority: workflow.authority.as(actor.id) };
}
