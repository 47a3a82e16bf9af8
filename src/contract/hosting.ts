import * as z from 'zod';
import { Id, line, PageInput, page, prose, Ref, Time } from './common.ts';
import { endpoint } from './endpoint.ts';
import { OwnershipModel, RepoConfig, ServerSettings } from './repo-files.ts';
import { Repo } from './repos.ts';

/** Where the clone is in which streams land: here at the server, or with its clients. */
export const CloneKind = z.enum(['server', 'client']);
export type CloneKind = z.infer<typeof CloneKind>;

/** A repository of a server. */
export const HostedRepo = Repo.extend({ clone: CloneKind, cloneUrl: z.string().nullable() });
export type HostedRepo = z.infer<typeof HostedRepo>;

/** What a new repository of a server is like. Whoever asks for it becomes its owner. */
export const RepoWish = z.object({
  name: line(255),
  description: prose(2000).default(''),
  ownershipModel: OwnershipModel.default('solo'),
  isPrivate: z.boolean().default(false),
  /** The org it belongs to: one that the caller owns; without a name the caller's personal one. */
  org: Ref.optional(),
  /** Where these two are left out, they are what the org says. */
  agentAccess: ServerSettings.shape.agent_access.unwrap().optional(),
  minKarma: ServerSettings.shape.min_karma.unwrap().optional(),
  config: RepoConfig.prefault({}),
});

/** Records a repository whose clone the server has just made. */
export const createRepo = endpoint('repo.create', () => ({
  method: 'POST',
  path: '/repos/create',
  input: RepoWish.extend({ id: Id, cloneUrl: z.string().max(2000).nullable().default(null) }),
  output: HostedRepo,
  internal: true,
}));

/**
 * A repository whose clones are with its clients: the server only decides. One whose clones meet where those of another
 * do is refused (`conflict`, with `candidates`) unless it is said to be `new`: the two would undo each other's work.
 */
export const registerRepo = endpoint('repo.register', () => ({
  method: 'POST',
  path: '/repos/register',
  input: RepoWish.extend({
    id: Id.optional(),
    cloneUrl: z.string().max(2000).nullable().default(null),
    new: z.boolean().default(false),
  }),
  output: HostedRepo,
}));

/** Those that the caller may read, oldest first. */
export const listRepos = endpoint('repo.list', () => ({
  method: 'GET',
  path: '/repos',
  input: z.object({
    ...PageInput,
    name: z.string().max(255).optional(),
    /** Only those whose clones meet at one of these addresses. */
    cloneUrls: z.array(z.string().max(2000)).min(1).max(10).optional(),
  }),
  output: page(Repo),
}));

/** How the clone of a repository stands to its remote. */
export const showClone = endpoint('repo.clone', () => ({
  method: 'GET',
  path: '/repos/:repoId/clone',
  input: z.object({ repoId: Id }),
  output: z.object({
    clone: CloneKind,
    cloneUrl: z.string().nullable(),
    unpushed: z.array(
      z.object({
        ref: z.string(),
        commit: z.string(),
        attempts: z.number().int(),
        lastError: z.string().nullable(),
        nextAttemptAt: Time,
        since: Time,
      }),
    ),
  }),
}));
