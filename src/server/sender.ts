import type { FastifyRequest } from 'fastify';
import { type Authenticated, actingAgent } from '../operations/authenticate.ts';
import type { Kernel } from '../operations/execute.ts';
import type { Face } from './face.ts';
import { type HostedCall, hostedCall } from './hosted-call.ts';
import { remoteOf } from './remote.ts';
import { headerAgent, headerRepo } from './request-headers.ts';

interface Sent {
  who: Authenticated;
  /** The agent that the request says it comes from. */
  actingAs: string | undefined;
  toWrite: boolean;
}

/** Who asks: whoever sent the request, or the agent that it says it comes from, where the sender may act as that one. */
export async function senderOf(
  kernel: Kernel,
  { who, actingAs, toWrite }: Sent,
): Promise<Authenticated['agent']> {
  return actingAs === undefined ? who.agent : actingAgent(kernel, who, { name: actingAs, toWrite });
}

/** A call of a route of bytes, which says in its headers what others may say in their bodies. */
export async function rawCall(face: Face, request: FastifyRequest): Promise<HostedCall> {
  const [actingAs, repoId] = [headerAgent(request.headers), headerRepo(request.headers)];
  if (request.caller.kind === 'unknown') throw request.caller.error;
  const { who } = request.caller;
  // Files of a clone at the server are no council's concern.
  const agent = await senderOf(face.server.kernel, { who, actingAs, toWrite: false });
  return hostedCall(face, { callerId: agent.id, remote: remoteOf(face, who), repoId });
}
