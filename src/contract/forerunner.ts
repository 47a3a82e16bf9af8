import * as z from 'zod';
import { AgentName, Id, Oid, Priority, prose, Time } from './common.ts';
import { RepoConfig, ServerSettings } from './repo-files.ts';
import { AccessLevel, MaintainerRole } from './repos.ts';
import { Verdict } from './reviews.ts';
import { Stage } from './stages.ts';
import { ClaimStatus, TaskStatus } from './tasks.ts';

const Text = prose(50_000);

/** What an earlier program kept of a repository, with ids as ours are (R1.2). */
export const Forerunner = z.object({
  repo: z.object({
    id: Id,
    name: z.string().trim().min(1).max(255),
    description: Text,
    stage: Stage,
    config: RepoConfig.partial(),
    settings: ServerSettings.partial(),
    createdAt: Time,
  }),
  agents: z.array(
    z.object({
      id: Id,
      name: AgentName,
      description: Text,
      apiKeyHash: z.string().max(200).nullable(),
      karma: z.number().int().min(0),
      status: z.enum(['active', 'suspended']),
      createdAt: Time,
    }),
  ),
  maintainers: z.array(z.object({ agentId: Id, role: MaintainerRole, createdAt: Time })),
  grants: z.array(z.object({ agentId: Id, level: AccessLevel, expiresAt: Time.nullable(), createdAt: Time })),
  tasks: z.array(
    z.object({
      id: Id,
      title: z.string().trim().min(1).max(500),
      description: Text,
      status: TaskStatus,
      priority: Priority,
      labels: z.array(z.string().max(100)),
      difficulty: z.string().max(50).nullable(),
      createdBy: Id.nullable(),
      expiresAt: Time.nullable(),
      completedAt: Time.nullable(),
      createdAt: Time,
    }),
  ),
  streams: z.array(
    z.object({
      id: Id,
      agentId: Id,
      name: z.string().trim().min(1).max(255),
      branch: z.string().max(255),
      baseBranch: z.string().max(255),
      parentId: Id.nullable(),
      taskId: Id.nullable(),
      state: z.enum(['active', 'merged', 'abandoned']),
      /** Where the branch stands now; null where it is gone. */
      head: Oid.nullable(),
      createdAt: Time,
    }),
  ),
  claims: z.array(
    z.object({
      id: Id,
      taskId: Id,
      agentId: Id,
      streamId: Id.nullable(),
      status: ClaimStatus,
      notes: Text,
      reviewNotes: Text,
      reviewedBy: Id.nullable(),
      claimedAt: Time,
      submittedAt: Time.nullable(),
      reviewedAt: Time.nullable(),
    }),
  ),
  reviews: z.array(
    z.object({
      id: Id,
      streamId: Id,
      reviewerId: Id,
      verdict: Verdict,
      feedback: Text,
      tested: z.boolean(),
      isHuman: z.boolean(),
      reviewedAt: Time,
    }),
  ),
  council: z
    .object({
      id: Id,
      minKarma: z.number().int(),
      minContributions: z.number().int(),
      minMembers: z.number().int(),
      maxMembers: z.number().int(),
      standardQuorum: z.number().int(),
      criticalQuorum: z.number().int(),
      termLimitMonths: z.number().int(),
      electionIntervalDays: z.number().int(),
      createdAt: Time,
      members: z.array(
        z.object({
          agentId: Id,
          role: z.enum(['chair', 'member']),
          joinedAt: Time,
          termExpiresAt: Time.nullable(),
        }),
      ),
    })
    .nullable(),
});
export type Forerunner = z.infer<typeof Forerunner>;
