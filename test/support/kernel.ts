import { ManualClock } from '../../src/base/clock.ts';
import { registerAgent } from '../../src/contract/agents.ts';
import type { Endpoint, InputOf, OutputOf } from '../../src/contract/endpoint.ts';
import { initRepo } from '../../src/contract/init-repo.ts';
import { type RepoConfig, RepoConfig as RepoConfigSchema } from '../../src/contract/repo-files.ts';
import type { Repo } from '../../src/contract/repos.ts';
import type { Database } from '../../src/db/database.ts';
import { execute, type Kernel } from '../../src/operations/execute.ts';
import type { Operation } from '../../src/operations/operation.ts';

export interface KernelForTests extends Kernel {
  clock: ManualClock;
  /** Calls an operation as an agent, in the seeded repository; the clock goes on by a millisecond first. */
  call<E extends Endpoint>(endpoint: E, input: InputOf<E>, options?: CallOptions): Promise<OutputOf<E>>;
  /** A repository with its owner, and agents of these names. Later calls are made in it. */
  seedRepo<N extends string = never>(options?: SeedOptions<N>): Promise<Seed<N>>;
}

export interface CallOptions {
  as?: { id: string } | undefined;
  key?: string;
  /** Instead of the seeded repository; null for a call in none. */
  repoId?: string | null;
}

export interface SeedOptions<N extends string> {
  agents?: readonly N[];
  model?: 'solo' | 'guild' | 'open';
  config?: Partial<RepoConfig>;
}

export type Seed<N extends string> = {
  repo: Repo;
  repoId: string;
  owner: { id: string; name: string };
} & Record<N, { id: string; name: string; apiKey: string }>;

/** Policy on a database of its own: what a face or a workflow would call, without either. */
export function makeKernel(database: Database, operations: readonly Operation[]): KernelForTests {
  const clock = new ManualClock();
  const byName = new Map(operations.map((operation) => [operation.endpoint.name, operation]));
  let seeded: string | undefined;

  const call = async <E extends Endpoint>(endpoint: E, input: InputOf<E>, options: CallOptions = {}) => {
    const operation = byName.get(endpoint.name);
    if (!operation) throw new Error(`the kernel was made without ${endpoint.name}`);
    clock.advance(1);
    const repoId = options.repoId === undefined ? seeded : (options.repoId ?? undefined);
    const answer = await execute({ database, clock }, operation, input, {
      callerId: options.as?.id,
      repoId,
      key: options.key,
    });
    return answer as OutputOf<E>;
  };

  return {
    database,
    clock,
    call,
    async seedRepo<N extends string>({ agents = [], model, config = {} }: SeedOptions<N> = {}) {
      const { repo, owner } = await call(initRepo, {
        name: 'demo',
        owner: { name: 'owner' },
        ...(model ? { ownershipModel: model } : {}),
        config: RepoConfigSchema.parse(config),
      });
      seeded = repo.id;
      const people: Record<string, unknown> = {};
      for (const name of agents) {
        const { agent, apiKey } = await call(registerAgent, { name });
        people[name] = { id: agent.id, name, apiKey };
      }
      return { repo, repoId: repo.id, owner, ...people } as Seed<N>;
    },
  };
}
