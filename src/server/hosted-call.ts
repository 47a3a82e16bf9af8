import type { z } from 'zod';
import { type Agent, showAgent } from '../contract/agents.ts';
import type { Endpoint, InputOf, OutputOf } from '../contract/endpoint.ts';
import { SwarmError } from '../contract/errors.ts';
import { showClone } from '../contract/hosting.ts';
import { type AccessLevel, explainAccess } from '../contract/repos.ts';
import { type Stream, showStream } from '../contract/streams.ts';
import { includesLevel } from '../domain/access/access.ts';
import { type Authority, type CallOptions, localAuthority } from '../operations/authority.ts';
import type { Remote } from '../operations/operation.ts';
import type { Workflow } from '../workflows/workflow.ts';
import type { Face } from './face.ts';

/** A call that may need the clone: who asks, and the way to the clone where it is here. */
export interface HostedCall {
  face: Face;
  /** Decides, asked as the caller from the network. */
  authority: Authority;
  caller: { actor: Agent; remote: Remote };
  /** The key under which the route is done once, and what its receipt bears. */
  once: { key: string; operation: string; bodyHash: string } | undefined;
}

interface HostedAsked {
  callerId: string;
  remote: Remote;
  /** In which things are named. */
  repoId?: string | undefined;
  once?: HostedCall['once'];
}

export async function hostedCall(
  face: Face,
  { callerId, remote, repoId, once }: HostedAsked,
): Promise<HostedCall> {
  const { kernel } = face.server;
  // Agents are of no repository.
  const actor = await localAuthority(kernel, { callerId, remote }).call(showAgent, { agent: callerId });
  const scope = repoId === undefined ? {} : { repoId };
  const authority = localAuthority(kernel, { callerId, remote, ...scope });
  return { face, authority, caller: { actor, remote }, once };
}

/**
 * The last write of a route, with what the route answers. The receipt of the route is written in the same transaction:
 * whatever dies, both are there or neither, so the same request again is never done twice.
 */
export async function writeLast<E extends Endpoint, A>(
  call: HostedCall,
  endpoint: E,
  { input, answer }: { input: InputOf<E>; answer: (made: OutputOf<E>) => A },
): Promise<A> {
  if (!call.once) return answer(await call.authority.call(endpoint, input));
  const answerOf = (made: unknown) => answer(made as OutputOf<E>);
  return call.authority.call(endpoint, input, lastWrite(call, answerOf)) as Promise<A>;
}

/** How the last write of a route is called, where a workflow makes it. */
export function lastWrite({ once }: HostedCall, answerOf = (made: unknown) => made): CallOptions {
  return once ? { key: once.key, ends: { ...once, answerOf } } : {};
}

/** The workflow of a repository whose clone is at the server; undefined where it is with the clients. */
export async function workflowOf(call: HostedCall, repoId: string): Promise<Workflow | undefined> {
  const { clone } = await call.authority.call(showClone, { repoId });
  return clone === 'server' ? call.face.server.hosted.workflow(repoId, call.caller) : undefined;
}

export async function streamOf(
  call: HostedCall,
  ref: string,
): Promise<{ stream: Stream; workflow: Workflow | undefined }> {
  const stream = await call.authority.call(showStream, { stream: ref });
  return { stream, workflow: await workflowOf(call, stream.repoId) };
}

/** The same, where a stream that is over is known by its record only: its branch may be gone. */
export async function openStreamOf(
  call: HostedCall,
  ref: string,
): Promise<{ stream: Stream; workflow: Workflow | undefined }> {
  const { stream, workflow } = await streamOf(call, ref);
  const isOver = stream.state === 'merged' || stream.state === 'abandoned';
  return { stream, workflow: isOver ? undefined : workflow };
}

/** A route that may need the clone, under the endpoint that describes it. */
export interface HostedRoute {
  endpoint: Endpoint;
  run(call: HostedCall, input: unknown): Promise<unknown>;
}

export function hostedRoute<E extends Endpoint>(
  endpoint: E,
  run: (call: HostedCall, input: z.output<E['input']>) => Promise<OutputOf<E>>,
): HostedRoute {
  return { endpoint, run: run as HostedRoute['run'] };
}

export async function cloneOf(call: HostedCall, repoId: string): Promise<Workflow> {
  const workflow = await workflowOf(call, repoId);
  if (workflow) return workflow;
  throw noClone();
}

export async function cloneOfStream(
  call: HostedCall,
  ref: string,
): Promise<{ stream: Stream; workflow: Workflow }> {
  const { stream, workflow } = await streamOf(call, ref);
  if (workflow) return { stream, workflow };
  throw noClone();
}

function noClone(): SwarmError {
  return new SwarmError(
    'wrong_state',
    'The clone of this repository is with its clients: the server has no files of it.',
    {
      fix: 'Ask where a clone is, or make the repository with POST /repos.',
    },
  );
}

/** Asked before a command runs or a branch may move: no operation takes that back. */
export async function requireLevel(
  { authority, caller }: HostedCall,
  repoId: string,
  level: AccessLevel,
): Promise<void> {
  const access = await authority.call(explainAccess, { repoId, agent: caller.actor.id });
  if (includesLevel(access.level, level)) return;
  throw new SwarmError('not_allowed', `${caller.actor.name} may not do this: it needs ${level} access.`, {
    details: { needs: level, has: access.level, reasons: access.reasons },
  });
}
