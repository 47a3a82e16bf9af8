import * as z from 'zod';
import { Id, line, PageInput, page, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

/** A further key of an agent, without the key. */
export const ApiKey = z.object({
  id: Id,
  agentId: Id,
  name: z.string(),
  /** Agents registered with this key belong to its agent. Other keys cannot register any. */
  mayRegister: z.boolean(),
  createdAt: Time,
  expiresAt: Time.nullable(),
  revokedAt: Time.nullable(),
});
export type ApiKey = z.infer<typeof ApiKey>;

export const listKeys = endpoint('key.list', () => ({
  method: 'GET',
  path: '/agents/:agent/keys',
  input: z.object({ agent: Ref, ...PageInput }),
  output: page(ApiKey),
}));

/** The key is shown this once; only its hash is stored. */
export const createKey = endpoint('key.create', () => ({
  method: 'POST',
  path: '/agents/:agent/keys',
  input: z.object({
    agent: Ref,
    name: line(100),
    mayRegister: z.boolean().default(false),
    expiresAt: Time.nullable().default(null),
  }),
  output: z.object({ key: ApiKey, apiKey: z.string() }),
}));

/** It stops working at once. */
export const revokeKey = endpoint('key.revoke', () => ({
  method: 'DELETE',
  path: '/agents/:agent/keys/:keyId',
  input: z.object({ agent: Ref, keyId: Id }),
  output: ApiKey,
}));
