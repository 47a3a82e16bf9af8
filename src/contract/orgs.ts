import * as z from 'zod';
import { Id, line, PageInput, page, prose, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';
import { ServerSettings } from './repo-files.ts';

const AgentAccess = ServerSettings.shape.agent_access.unwrap();

/** A namespace for repositories, with what new ones in it begin with. */
export const Org = z.object({
  id: Id,
  name: z.string(),
  description: z.string(),
  ownerId: Id,
  ownerName: z.string(),
  personal: z.boolean(),
  defaultAgentAccess: AgentAccess,
  defaultMinKarma: z.number().int(),
  repos: z.number().int(),
  createdAt: Time,
});
export type Org = z.infer<typeof Org>;

/** A name that can stand in an address. */
export const OrgName = line(100).regex(
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  'wants letters, digits, dots, dashes and underscores, and begins with a letter or a digit',
);

const settings = {
  description: prose(2000).optional(),
  defaultAgentAccess: AgentAccess.optional(),
  defaultMinKarma: z.number().int().min(0).max(1_000_000_000).optional(),
};

export const createOrg = endpoint('org.create', () => ({
  method: 'POST',
  path: '/orgs',
  input: z.object({ name: OrgName, ...settings }),
  output: Org,
}));

/** The caller's own org, made at the first call. */
export const personalOrg = endpoint('org.personal', () => ({
  method: 'POST',
  path: '/orgs/personal',
  input: z.object({}),
  output: Org,
}));

export const listOrgs = endpoint('org.list', () => ({
  method: 'GET',
  path: '/orgs',
  input: z.object({ ...PageInput }),
  output: page(Org),
}));

export const showOrg = endpoint('org.show', () => ({
  method: 'GET',
  path: '/orgs/:org',
  input: z.object({ org: Ref }),
  output: Org,
}));

export const setOrg = endpoint('org.set', () => ({
  method: 'PATCH',
  path: '/orgs/:org',
  input: z.object({ org: Ref, ...settings }),
  output: Org,
}));
