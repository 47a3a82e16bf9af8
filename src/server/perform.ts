import type { Agent } from '../contract/agents.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';
import { showProposal } from '../contract/proposals.ts';
import { getRepo } from '../contract/repos.ts';
import { showStream } from '../contract/streams.ts';
import type { Authenticated } from '../operations/authenticate.ts';
import { execute, hashBody, parseInput } from '../operations/execute.ts';
import type { Operation } from '../operations/operation.ts';
import { findOperation } from '../operations/registry.ts';
import { remember } from '../operations/remember.ts';
import type { Face } from './face.ts';
import { type HostedCall, type HostedRoute, hostedCall } from './hosted-call.ts';
import { hostedRoutes } from './hosted-routes.ts';
import { remoteOf } from './remote.ts';
import { senderOf } from './sender.ts';

/** One thing that somebody on the network asks for. */
export interface Asked {
  endpoint: Endpoint;
  /** In the words of the endpoint, not parsed yet. */
  input: Record<string, unknown>;
  caller: { kind: 'known'; who: Authenticated } | { kind: 'unknown'; error: SwarmError };
  /** Something was sent to say who asks; then it has to be right, even where nobody need be named. */
  isNamed: boolean;
  /** The agent that the request says it comes from. */
  actingAs: string | undefined;
  /** The repository in which the request names things. */
  repoId: string | undefined;
  /** Under which it is done once. */
  key: string | undefined;
}

/** Does what an endpoint stands for: one operation, or a route that may need the clone. */
export function perform(face: Face, asked: Asked): Promise<unknown> {
  const hosted = hostedRoutes.get(asked.endpoint.name);
  return hosted ? performHosted(face, hosted, asked) : performPlain(face, asked);
}

/** A route that may need the clone: several operations and git, remembered as one under the caller's key. */
async function performHosted(face: Face, route: HostedRoute, asked: Asked): Promise<unknown> {
  const { endpoint, input, caller, actingAs, repoId, key } = asked;
  const parsed = parseInput({ endpoint }, input);
  if (caller.kind === 'unknown') throw caller.error;
  const { who } = caller;
  const { kernel } = face.server;
  const agent = await senderOf(kernel, { who, actingAs, toWrite: !endpoint.isRead });
  const operation = endpoint.name;
  const once = key === undefined ? undefined : { key, operation, bodyHash: hashBody(operation, parsed) };
  const call = await hostedCall(face, { callerId: agent.id, remote: remoteOf(face, who), repoId, once });
  const run = () => route.run(call, parsed);
  if (key === undefined) return run();
  const recheck = () => requireVisible(call, parsed);
  return face.inTurn(`${agent.id} ${key}`, () =>
    remember(kernel, { actorId: agent.id, key, operation, input: parsed, recheck }, run),
  );
}

/** Whoever may not read a repository any more is not told again what it was told then. */
async function requireVisible({ authority, caller }: HostedCall, input: unknown): Promise<void> {
  requireActive(caller.actor);
  const { stream, proposal, repoId } = input as { stream?: string; proposal?: string; repoId?: string };
  if (stream !== undefined) await authority.call(showStream, { stream });
  else if (proposal !== undefined) await authority.call(showProposal, { proposal });
  else if (repoId !== undefined) await authority.call(getRepo, { repoId });
}

function requireActive(actor: Agent): void {
  if (actor.status === 'active') return;
  throw new SwarmError('not_allowed', `${actor.name} is suspended.`);
}

async function performPlain(face: Face, asked: Asked): Promise<unknown> {
  const { endpoint, input, caller, actingAs, repoId, key } = asked;
  const operation = await operationOf(endpoint);
  if (caller.kind === 'unknown' && (operation.needs !== 'nobody' || asked.isNamed)) {
    parseInput(operation, input);
    throw caller.error;
  }
  const who = caller.kind === 'known' ? caller.who : undefined;
  // A request that is malformed says so before it is asked who sends it.
  if (actingAs !== undefined) parseInput(operation, input);
  const agent = who && (await senderOf(face.server.kernel, { who, actingAs, toWrite: !endpoint.isRead }));
  return execute(face.server.kernel, operation, input, {
    callerId: agent?.id,
    caller: agent,
    repoId: operation.on === 'none' ? undefined : repoId,
    key,
    restsOnClientClone: endpoint.internal === 'clone',
    isAlone: true,
    remote: remoteOf(face, who),
  });
}

async function operationOf(endpoint: Endpoint): Promise<Operation> {
  const operation = await findOperation(endpoint.name);
  if (operation) return operation;
  throw new SwarmError('internal', `There is no operation "${endpoint.name}".`);
}
