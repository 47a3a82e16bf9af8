import { type Agent, registerAgent } from '../contract/agents.ts';
import { isSwarmError } from '../contract/errors.ts';
import { showMe } from '../contract/me.ts';
import { askFor } from './ask-for.ts';
import { requestOf } from './request-of.ts';
import type { ServerLink } from './server-link.ts';

/**
 * Who stands at the server for agents of a clone: the agent of the same name, where the token may speak for it; one that
 * is registered now, where the token may do that; else the token's holder.
 */
export async function standIns(
  link: ServerLink,
  { holder, agents }: { holder: Agent; agents: readonly Agent[] },
): Promise<{ idOf: Map<string, string>; spokenFor: string[] }> {
  const idOf = new Map<string, string>();
  const spokenFor: string[] = [];
  for (const agent of agents) {
    const id = agent.name === holder.name ? holder.id : await ownAgent(link, agent);
    if (id === undefined) spokenFor.push(agent.name);
    idOf.set(agent.id, id ?? holder.id);
  }
  return { idOf, spokenFor };
}

async function ownAgent(link: ServerLink, agent: Agent): Promise<string | undefined> {
  const known = await refusedToUndefined(async () => {
    const asked = { method: 'GET', path: showMe.path, agentId: agent.name };
    return (await askFor(link, showMe.output, asked)).agent;
  });
  if (known?.name === agent.name) return known.id;
  // People are registered by owners, and speak for themselves.
  if (agent.kind === 'human') return undefined;
  const { name, description, role } = agent;
  const input = registerAgent.input.parse({ name, description, ...(role === null ? {} : { role }) });
  const made = await refusedToUndefined(() =>
    askFor(link, registerAgent.output, requestOf(registerAgent, input)),
  );
  return made?.agent.id;
}

async function refusedToUndefined<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isRefused = ['not_allowed', 'not_found', 'already_exists', 'invalid'] as const;
    if (isRefused.some((code) => isSwarmError(error, code))) return undefined;
    throw error;
  }
}
