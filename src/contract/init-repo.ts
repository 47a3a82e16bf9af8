import * as z from 'zod';
import { Agent, AgentKind } from './agents.ts';
import { AgentName, line, prose } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Forerunner } from './forerunner.ts';
import { OwnershipModel, RepoConfig } from './repo-files.ts';
import { Repo } from './repos.ts';

/** The first call in a repository. It needs no actor while none exists; the owner it names becomes one. */
export const initRepo = endpoint('repo.init', () => ({
  method: 'POST',
  path: '/repos/init',
  input: z.object({
    name: line(255),
    description: prose(2000).default(''),
    owner: z.object({ name: AgentName, kind: AgentKind.default('human') }),
    ownershipModel: OwnershipModel.default('solo'),
    config: RepoConfig,
    /** What an earlier program kept, taken over in the same step. */
    takeOver: Forerunner.optional(),
  }),
  output: z.object({ repo: Repo, owner: Agent, created: z.boolean() }),
  internal: true,
}));
