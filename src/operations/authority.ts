import type { Endpoint, InputOf, OutputOf } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';
import type { Stream } from '../contract/streams.ts';
import { execute, type Kernel, type RouteEnd } from './execute.ts';
import type { Remote } from './operation.ts';
import { findOperation } from './registry.ts';

/** Who decides for a repository. Workflows reach policy only through it, whether it is here or on a server. */
export interface Authority {
  kind: 'local' | 'server';
  /** The same authority, asked by this agent. */
  as(callerId: string | undefined): Authority;
  call<E extends Endpoint>(endpoint: E, input: InputOf<E>, options?: CallOptions): Promise<OutputOf<E>>;
  /**
   * Of a server that is away: keeps what has happened here, to be told when it is back. `known` is what a stream has
   * become by it.
   */
  tellLater?<E extends Endpoint>(endpoint: E, input: InputOf<E>, known?: Stream): void;
}

export interface CallOptions {
  key?: string | undefined;
  /** What is answered then is what the route answers. */
  ends?: RouteEnd | undefined;
}

/** The authority of a repository whose database is on this machine. */
export function localAuthority(
  kernel: Kernel,
  scope: { repoId?: string; callerId?: string | undefined; remote?: Remote | undefined },
): Authority {
  return {
    kind: 'local',
    as: (callerId) => localAuthority(kernel, { ...scope, callerId }),
    async call(endpoint, input, options) {
      const operation = await findOperation(endpoint.name);
      if (!operation) throw new SwarmError('internal', `There is no operation "${endpoint.name}".`);
      const answer = await execute(kernel, operation, input, {
        ...scope,
        ...options,
        anonymousRead: true,
      });
      return answer as OutputOf<typeof endpoint>;
    },
  };
}
