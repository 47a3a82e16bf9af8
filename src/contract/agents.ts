import * as z from 'zod';
import { AgentName, Id, line, PageInput, page, prose, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

export const AgentKind = z.enum(['agent', 'human']);

/** An identity that acts: a program or a person. */
export const Agent = z.object({
  id: Id,
  handle: z.string(),
  name: z.string(),
  kind: AgentKind,
  description: z.string(),
  status: z.enum(['active', 'suspended']),
  karma: z.number().int(),
  role: z.string().nullable(),
  operator: z.string().nullable(),
  createdAt: Time,
});
export type Agent = z.infer<typeof Agent>;

/** The key is shown this once; only its hash is stored. */
export const AgentWithKey = z.object({ agent: Agent, apiKey: z.string() });

export const registerAgent = endpoint('agent.register', () => ({
  method: 'POST',
  path: '/agents',
  input: z.object({
    name: AgentName,
    description: prose(2000).default(''),
    kind: AgentKind.default('agent'),
    role: line(100).optional(),
    operator: line(100).optional(),
    /** At a server that does not let just anyone register. */
    invite: z.string().max(200).optional(),
  }),
  output: AgentWithKey,
}));

export const listAgents = endpoint('agent.list', () => ({
  method: 'GET',
  path: '/agents',
  input: z.object({ ...PageInput, status: z.enum(['active', 'suspended']).optional() }),
  output: page(Agent),
}));

export const showAgent = endpoint('agent.show', () => ({
  method: 'GET',
  path: '/agents/:agent',
  input: z.object({ agent: Ref }),
  output: Agent,
}));

export const updateAgent = endpoint('agent.update', () => ({
  method: 'PATCH',
  path: '/agents/:agent',
  input: z.object({ agent: Ref, description: prose(2000).optional(), role: line(100).nullable().optional() }),
  output: Agent,
}));

export const suspendAgent = endpoint('agent.suspend', () => ({
  method: 'POST',
  path: '/agents/:agent/suspend',
  input: z.object({ agent: Ref, reason: line(500).optional() }),
  output: Agent,
}));

export const resumeAgent = endpoint('agent.resume', () => ({
  method: 'POST',
  path: '/agents/:agent/resume',
  input: z.object({ agent: Ref }),
  output: Agent,
}));

export const rotateAgentKey = endpoint('agent.rotate_key', () => ({
  method: 'POST',
  path: '/agents/:agent/rotate-key',
  input: z.object({ agent: Ref }),
  output: AgentWithKey,
}));
