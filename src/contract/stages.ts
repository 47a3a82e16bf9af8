import * as z from 'zod';
import { Id, line, Time } from './common.ts';
import { endpoint } from './endpoint.ts';

export const Stage = z.enum(['seed', 'growth', 'established', 'mature']);
export type Stage = z.infer<typeof Stage>;

/** What a stage asks for and what is there. */
export const Requirement = z.object({
  what: z.enum(['contributors', 'landed_streams', 'maintainers', 'active_council']),
  required: z.number().int(),
  current: z.number().int(),
  met: z.boolean(),
});
export type Requirement = z.infer<typeof Requirement>;

export const StageReport = z.object({
  stage: Stage,
  next: Stage.nullable(),
  eligible: z.boolean(),
  requirements: z.array(Requirement),
  history: z.array(
    z.object({
      from: Stage,
      to: Stage,
      forced: z.boolean(),
      agentId: Id,
      metrics: z.record(z.string(), z.number()),
      changedAt: Time,
    }),
  ),
});
export type StageReport = z.infer<typeof StageReport>;

export const showStage = endpoint('stage.show', () => ({
  method: 'GET',
  path: '/repos/:repoId/stage',
  input: z.object({ repoId: Id }),
  output: StageReport,
}));

/** To the next stage, where its requirements are met; an owner may force it. */
export const advanceStage = endpoint('stage.advance', () => ({
  method: 'POST',
  path: '/repos/:repoId/stage/advance',
  input: z.object({ repoId: Id, force: z.boolean().default(false), reason: line(500).optional() }),
  output: StageReport,
}));
