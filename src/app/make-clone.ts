import { rename, rm } from 'node:fs/promises';
import { newId } from '../base/ids.ts';
import type { Agent } from '../contract/agents.ts';
import type { InputOf } from '../contract/endpoint.ts';
import { isSwarmError, SwarmError } from '../contract/errors.ts';
import { createRepo, type HostedRepo } from '../contract/hosting.ts';
import { RepoConfig } from '../contract/repo-files.ts';
import { getRepo } from '../contract/repos.ts';
import { cloneBare, initBare } from '../git/clone.ts';
import type { Transport } from '../git/remote-transport.ts';
import { type CallOptions, localAuthority } from '../operations/authority.ts';
import type { Kernel } from '../operations/execute.ts';
import type { Remote } from '../operations/operation.ts';
import { prepareClone } from '../workflows/hosted/prepare-clone.ts';
import { approveCommand } from '../workflows/trust.ts';
import type { Workflow } from '../workflows/workflow.ts';
import { halfMadePlace } from './half-made-clones.ts';

/** Who acts in a repository, and with which rights over the network; without any where the server itself lets it act. */
export interface HostedCaller {
  actor: Agent;
  remote?: Remote | undefined;
}

export type RepoWishInput = Omit<InputOf<typeof createRepo>, 'id'>;

/** Where the clones of a server are, and what it takes to make one there. */
export interface CloneMaker {
  kernel: Kernel;
  dir: string;
  variables: Readonly<Record<string, string | undefined>>;
  pathOf(repoId: string): string;
  reachRemote(url: string): Promise<Transport>;
  /** The workflow of a repository as somebody, once its clone is there. */
  workflow(repoId: string, caller: HostedCaller): Promise<Workflow>;
}

interface Asked {
  wish: RepoWishInput;
  caller: HostedCaller;
  options: CallOptions | undefined;
}

/**
 * Makes a clone, of an address or empty, beside the others, and then the repository that it belongs to: a death in
 * between leaves a clone that nobody names, and no repository without one.
 */
export async function makeClone(maker: CloneMaker, { wish, caller, options }: Asked): Promise<HostedRepo> {
  refuseBadConfig(wish);
  const { kernel } = maker;
  const id = newId(kernel.clock.now());
  const making = halfMadePlace(maker.dir);
  const path = maker.pathOf(id);
  try {
    const config = await fillClone(maker, making, wish);
    await rename(making, path);
    const authority = localAuthority(kernel, { callerId: caller.actor.id, remote: caller.remote });
    const made = await authority.call(createRepo, { ...wish, id, config }, options);
    // Another server did the same request first, under the same key.
    if (made.id !== id) {
      await rm(path, { recursive: true, force: true });
      return made;
    }
    if (config.stabilize_command) {
      const workflow = await maker.workflow(id, caller);
      approveCommand(workflow, 'stabilize_command', config.stabilize_command);
    }
    return made;
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (await isUnknown(kernel, id)) await rm(path, { recursive: true, force: true });
    throw error;
  }
}

function refuseBadConfig(wish: RepoWishInput): void {
  const wanted = RepoConfig.partial().safeParse(wish.config ?? {});
  if (wanted.success) return;
  const issues = wanted.error.issues.map((each) => `${each.path.join('.')}: ${each.message}`);
  throw new SwarmError('invalid', `config: ${issues.join('; ')}.`);
}

async function fillClone(
  { kernel, variables, reachRemote }: CloneMaker,
  making: string,
  wish: RepoWishInput,
) {
  const inheritedEnv = variables;
  if (wish.cloneUrl) await cloneBare(await reachRemote(wish.cloneUrl), making, { inheritedEnv });
  else await initBare(making, { inheritedEnv, branch: wish.config?.promote_target ?? 'main' });
  return prepareClone(making, { inheritedEnv, config: wish.config ?? {}, now: kernel.clock.now() });
}

/** True where the database certainly knows no such repository; it may have been recorded and the answer lost. */
async function isUnknown(kernel: Kernel, repoId: string): Promise<boolean> {
  try {
    await localAuthority(kernel, { repoId }).call(getRepo, { repoId });
    return false;
  } catch (error) {
    return isSwarmError(error, 'not_found');
  }
}
