import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import type { HostedRepo } from '../contract/hosting.ts';
import { runDue } from '../contract/housekeeping.ts';
import { getRepo, type Repo } from '../contract/repos.ts';
import { ensureServer } from '../contract/server-admin.ts';
import type { ServerLocks } from '../db/server-locks.ts';
import { gitEnv } from '../git/git-env.ts';
import { safeTransport, type Transport } from '../git/remote-transport.ts';
import type { Repository } from '../git/repository.ts';
import { openRepository } from '../git/repository.ts';
import { type Machine, openMachine } from '../machine/machine.ts';
import { type Authority, type CallOptions, localAuthority } from '../operations/authority.ts';
import type { Kernel } from '../operations/execute.ts';
import { refreshConfig } from '../workflows/config-in-force.ts';
import { deliverNotifications } from '../workflows/deliver-notifications.ts';
import { cleanStreams } from '../workflows/hosted/clean-streams.ts';
import { cleanUploads } from '../workflows/hosted/clean-uploads.ts';
import { abandonStaleStreams } from '../workflows/stale-streams.ts';
import type { Workflow } from '../workflows/workflow.ts';
import { crashAt } from './crash-at.ts';
import type { Environment } from './environment.ts';
import type { FellowServers } from './fellow-servers.ts';
import { carryOutDecided, goOnLanding, pushDue } from './look-after.ts';
import { type HostedCaller, makeClone, type RepoWishInput } from './make-clone.ts';
import { MendClones } from './mend-clones.ts';
import { placesOf } from './places.ts';
import type { ServerSwitches } from './server-settings.ts';
import { hiddenFromCommands, serverVariables } from './server-surroundings.ts';

interface Open {
  git: Repository;
  machine: Machine;
}

export interface HostedOptions {
  dataDir: string;
  switches: ServerSwitches;
  environment: Environment;
  /** The other servers of this data directory. */
  fellows?: FellowServers | undefined;
  /** Locks between all servers of the database; undefined where it is a file. */
  locks?: ServerLocks | undefined;
}

const TIDY_EVERY_MS = 3_600_000;

/** The clones of a server: bare repositories, each opened once and kept, with the workflows that work on them. */
export class HostedRepositories {
  readonly #kernel: Kernel;
  readonly #dir: string;
  readonly #switches: ServerSwitches;
  readonly #variables: Readonly<Record<string, string | undefined>>;
  readonly #durable: boolean;
  readonly #crashAt: string | undefined;
  /** Other repositories, the database and the operator's own files. */
  readonly #hides: readonly string[];
  readonly #open = new Map<string, Promise<Open>>();
  readonly #tidied = new Map<string, number>();
  readonly #mending: MendClones;
  readonly #fellows: FellowServers | undefined;
  readonly #locks: ServerLocks | undefined;
  #server: Promise<Agent> | undefined;

  constructor(kernel: Kernel, given: HostedOptions) {
    this.#kernel = kernel;
    this.#fellows = given.fellows;
    this.#mending = new MendClones(given.fellows, (repoId) => this.#asServer(repoId));
    this.#locks = given.locks;
    this.#dir = join(given.dataDir, 'repos');
    this.#switches = given.switches;
    this.#durable = given.environment.durable;
    this.#crashAt = given.environment.crashAt;
    this.#hides = hiddenFromCommands(given);
    this.#variables = serverVariables(given.environment, given.dataDir);
  }

  /** True where the clone of a repository is on this server. */
  has(repoId: string): boolean {
    return this.#open.has(repoId) || existsSync(this.#path(repoId));
  }

  /** Makes a clone, of an address or empty, and then the repository that it belongs to. */
  create(wish: RepoWishInput, caller: HostedCaller, options?: CallOptions): Promise<HostedRepo> {
    return makeClone(
      {
        kernel: this.#kernel,
        dir: this.#dir,
        variables: this.#variables,
        pathOf: (repoId) => this.#path(repoId),
        reachRemote: (url) => this.#reachRemote(url),
        workflow: (repoId, as) => this.workflow(repoId, as),
      },
      { wish, caller, options },
    );
  }

  /** The workflow of a repository as somebody, with the settings in force now. */
  async workflow(repoId: string, { actor, remote }: HostedCaller): Promise<Workflow> {
    const authority = localAuthority(this.#kernel, { repoId, callerId: actor.id, remote });
    const repo = await authority.call(getRepo, { repoId });
    const workflow = await this.#workflow(repo, authority, actor);
    await this.#mending.once(repoId);
    const refreshed = await refreshConfig(workflow, { readOnly: false });
    return { ...workflow, repo: this.#sandboxed(refreshed.repo) };
  }

  /** How commands run is the operator's to say, not the repository's. */
  #sandboxed(repo: Repo): Repo {
    return { ...repo, config: { ...repo.config, sandbox: this.#switches.sandbox } };
  }

  async #workflow(repo: Repo, authority: Authority, actor: Agent | undefined): Promise<Workflow> {
    const { git, machine } = await this.#opened(repo.id);
    const { home, worktrees } = placesOf(git);
    return {
      git,
      authority,
      machine,
      repo: this.#sandboxed(repo),
      actor,
      clock: this.#kernel.clock,
      home,
      worktrees,
      // The operator's own name has no place in the commits of others.
      identity: async () => undefined,
      variables: this.#variables,
      hides: this.#hides,
      reachRemote: (url) => this.#reachRemote(url),
      holder: machine.holder,
      onBuffer: (work) => this.#onBuffer(repo.id, work),
      notify: () => undefined,
      reach: (step) => crashAt(this.#crashAt, step),
    };
  }

  /** What is due in a repository without anybody asking: leases, what a crash left, and what nobody works on. */
  async keepHouse(repoId: string): Promise<void> {
    await localAuthority(this.#kernel, { repoId }).call(runDue, { repoId });
    if (!this.has(repoId)) return;
    const workflow = await this.#asServer(repoId);
    await this.#mending.once(repoId);
    await abandonStaleStreams(workflow);
    await this.#tidy(workflow);
  }

  /** Goes on with landings that a death has interrupted, where there are. Their tests may take long. */
  async land(repoId: string): Promise<boolean> {
    if (!this.#mending.hasInterrupted(repoId)) return false;
    await goOnLanding(await this.#asServer(repoId));
    return true;
  }

  /**
   * Carries out what the council of a repository has decided, where the clone is here; answers whether there was something
   * to do. Its tests may take long.
   */
  async carryOut(repoId: string): Promise<boolean> {
    if (!this.has(repoId)) return false;
    const server = await this.#asServer(repoId);
    await this.#mending.once(repoId);
    return carryOutDecided(server, (actor) => this.workflow(repoId, { actor }));
  }

  /** Sends to the remote of a clone what it lacks, until `signal`. A remote may not answer for long. */
  async push(repoId: string, signal: AbortSignal): Promise<void> {
    if (this.has(repoId)) await pushDue({ ...(await this.#asServer(repoId)), signal });
  }

  /** Sends the notifications of a repository that are due, wherever its clone is, until `signal`; throws busy where they are. */
  async deliver(repoId: string, signal: AbortSignal): Promise<void> {
    const { authority, actor } = await this.#serverIn(repoId);
    const repo = await authority.call(getRepo, { repoId });
    const sender = { authority, actor, repo, home: join(this.#dir, '..'), signal };
    const send = async () => {
      await deliverNotifications(sender, { allowPrivate: this.#switches.allowPrivateWebhooks, waitMs: 0 });
    };
    await (this.#locks ? this.#locks.hold(`deliveries ${repoId}`, send, { waitMs: 0 }) : send());
  }

  /** Takes away, once an hour, what closed streams and dead uploads have left in a clone. */
  async #tidy(workflow: Workflow): Promise<void> {
    const { repo, clock } = workflow;
    if (clock.now() - (this.#tidied.get(repo.id) ?? 0) < TIDY_EVERY_MS) return;
    this.#tidied.set(repo.id, clock.now());
    await cleanUploads(workflow);
    await cleanStreams(workflow);
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    for (const each of open) {
      if (each.status !== 'fulfilled') continue;
      await each.value.git.close();
      each.value.machine.close();
    }
  }

  /** Keeps other servers away, and remembers where something may have been left in the middle. */
  async #onBuffer<T>(repoId: string, work: () => Promise<T>): Promise<T> {
    try {
      return await (this.#locks ? this.#locks.hold(`buffer ${repoId}`, work) : work());
    } catch (error) {
      this.#mending.again(repoId);
      throw error;
    }
  }

  async #asServer(repoId: string): Promise<Workflow> {
    const { authority, actor } = await this.#serverIn(repoId);
    return this.#workflow(await authority.call(getRepo, { repoId }), authority, actor);
  }

  async #serverIn(repoId: string): Promise<{ authority: Authority; actor: Agent }> {
    this.#server ??= localAuthority(this.#kernel, {}).call(ensureServer, {});
    this.#server.catch(() => {
      this.#server = undefined;
    });
    const actor = await this.#server;
    return { authority: localAuthority(this.#kernel, { repoId, callerId: actor.id }), actor };
  }

  /** The way to a remote, looked at each time: names and rules change. */
  #reachRemote(url: string): Promise<Transport> {
    const place = { dir: this.#dir, env: gitEnv(this.#variables) };
    return safeTransport(place, url, { allowLocal: this.#switches.allowLocalClones });
  }

  #path(repoId: string): string {
    return join(this.#dir, `${repoId}.git`);
  }

  #opened(repoId: string): Promise<Open> {
    const known = this.#open.get(repoId);
    if (known) return known;
    const opening = this.#openClone(repoId);
    this.#open.set(repoId, opening);
    opening.catch(() => this.#open.delete(repoId));
    return opening;
  }

  async #openClone(repoId: string): Promise<Open> {
    const path = this.#path(repoId);
    if (!existsSync(path))
      throw new SwarmError('unavailable', `The clone of ${repoId} is not at this server.`, {
        fix: 'Ask the server that made it, or bring its data directory here.',
      });
    const git = await openRepository(path, {
      inheritedEnv: this.#variables,
      longLived: true,
      durable: this.#durable,
    });
    const { home } = placesOf(git);
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const isAlive = this.#fellows?.isAlive.bind(this.#fellows);
    return { git, machine: openMachine(home, isAlive ? { isAlive } : {}) };
  }
}
