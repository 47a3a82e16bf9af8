import * as z from 'zod';
import { Agent } from './agents.ts';
import { Id, line, Oid, PageInput, page, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';
import { MergeMode, OwnershipModel, RepoConfig, ServerSettings } from './repo-files.ts';

/** Where the settings in force come from: the file in the buffer's tip, or the database's copy until one is there. */
export const ConfigSource = z.enum(['file', 'copy']);

export const Repo = z.object({
  id: Id,
  handle: z.string(),
  name: z.string(),
  description: z.string(),
  /** None for a repository that no server decides. */
  orgId: Id.nullable(),
  status: z.enum(['active', 'archived']),
  authority: z.enum(['local', 'server']),
  mergeMode: MergeMode,
  ownershipModel: OwnershipModel,
  bufferBranch: z.string(),
  promoteTarget: z.string(),
  stage: z.enum(['seed', 'growth', 'established', 'mature']),
  config: RepoConfig,
  configSource: ConfigSource,
  configBlob: Oid.nullable(),
  settings: ServerSettings,
  queuePaused: z.boolean(),
  frozenReason: z.string().nullable(),
  createdAt: Time,
});
export type Repo = z.infer<typeof Repo>;

export const MaintainerRole = z.enum(['maintainer', 'owner']);
export const Maintainer = z.object({
  agent: Agent,
  role: MaintainerRole,
  addedBy: Id.nullable(),
  createdAt: Time,
});
export type Maintainer = z.infer<typeof Maintainer>;

export const AccessLevel = z.enum(['read', 'write', 'maintain', 'admin']);
export type AccessLevel = z.infer<typeof AccessLevel>;
export const AccessGrant = z.object({
  agent: Agent,
  level: AccessLevel,
  grantedBy: Id.nullable(),
  expiresAt: Time.nullable(),
  createdAt: Time,
});

/** What an agent may do and which rule says so, in the order in which the rules were asked. */
export const AccessExplanation = z.object({
  agent: Agent,
  level: AccessLevel.nullable(),
  isMaintainer: z.boolean(),
  isOwner: z.boolean(),
  /** What this agent's verdicts weigh here, as a factor; 1 unless an owner said otherwise. */
  trust: z.number(),
  reasons: z.array(z.string()),
});

export const getRepo = endpoint('repo.show', () => ({
  method: 'GET',
  path: '/repos/:repoId',
  input: z.object({ repoId: Id }),
  output: Repo,
}));

export const archiveRepo = endpoint('repo.archive', () => ({
  method: 'DELETE',
  path: '/repos/:repoId',
  input: z.object({ repoId: Id }),
  output: Repo,
}));

/** A server decides from now on: the last thing that is written into the database beside the clone. */
export const handOverRepo = endpoint('repo.hand_over', () => ({
  method: 'POST',
  path: '/repos/:repoId/hand-over',
  input: z.object({ repoId: Id, server: z.string().max(2000), orgId: Id.nullable() }),
  output: Repo,
  internal: true,
}));

/** What the tree of the buffer's tip says; measured by a workflow whenever that blob is not the recorded one. */
export const reportConfig = endpoint('repo.report_config', () => ({
  method: 'PUT',
  path: '/repos/:repoId/config/report',
  input: z.object({ repoId: Id, blob: Oid.nullable(), config: RepoConfig.nullable() }),
  output: Repo,
  internal: true,
}));

/** Changes the database's copy of the repo-owned settings; refused where a committed file governs (409, `fields`). */
export const setConfig = endpoint('repo.set_config', () => ({
  method: 'PATCH',
  path: '/repos/:repoId/config',
  input: z.object({
    repoId: Id,
    changes: z.record(z.string(), z.unknown()),
    fileWritten: z.boolean().default(false),
  }),
  output: Repo,
}));

/** Without a role it gives that of a maintainer, and takes none away: only `role` says that an owner shall be less. */
export const addMaintainer = endpoint('maintainer.add', () => ({
  method: 'POST',
  path: '/repos/:repoId/maintainers',
  input: z.object({
    repoId: Id,
    agent: Ref,
    role: MaintainerRole.optional(),
    reason: line(200).optional(),
  }),
  output: Maintainer,
}));

export const removeMaintainer = endpoint('maintainer.remove', () => ({
  method: 'DELETE',
  path: '/repos/:repoId/maintainers/:agent',
  input: z.object({ repoId: Id, agent: Ref }),
  output: z.object({ removed: z.boolean() }),
}));

export const listMaintainers = endpoint('maintainer.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/maintainers',
  input: z.object({ repoId: Id, ...PageInput }),
  output: page(Maintainer),
}));

export const grantAccess = endpoint('access.grant', () => ({
  method: 'POST',
  path: '/repos/:repoId/access',
  input: z.object({ repoId: Id, agent: Ref, level: AccessLevel, expiresAt: Time.nullable().default(null) }),
  output: AccessGrant,
}));

export const revokeAccess = endpoint('access.revoke', () => ({
  method: 'DELETE',
  path: '/repos/:repoId/access/:agent',
  input: z.object({ repoId: Id, agent: Ref }),
  output: z.object({ revoked: z.boolean() }),
}));

export const listAccess = endpoint('access.list', () => ({
  method: 'GET',
  path: '/repos/:repoId/access',
  input: z.object({ repoId: Id, ...PageInput }),
  output: page(AccessGrant),
}));

export const explainAccess = endpoint('access.explain', () => ({
  method: 'GET',
  path: '/repos/:repoId/access/:agent',
  input: z.object({ repoId: Id, agent: Ref }),
  output: AccessExplanation,
}));

/** How much an agent's verdicts weigh here, as a factor; null is what everybody has. */
export const trustAgent = endpoint('access.trust', () => ({
  method: 'PUT',
  path: '/repos/:repoId/access/:agent/trust',
  input: z.object({
    repoId: Id,
    agent: Ref,
    factor: z.number().min(0).max(10).multipleOf(0.01).nullable(),
    reason: line(500).default('set by an owner'),
  }),
  output: AccessExplanation,
}));
