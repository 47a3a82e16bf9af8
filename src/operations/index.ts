import { agentOperations } from './agents.ts';
import { branchRuleOperations } from './branch-rules.ts';
import { budgetOperations } from './budgets.ts';
import { councilOperations } from './councils.ts';
import { mayEdit } from './edit-stream.ts';
import { electionOperations } from './elections.ts';
import { endLanding } from './end-landing.ts';
import { eventOperations } from './events.ts';
import { hostingOperations } from './hosting.ts';
import { housekeepingOperations } from './housekeeping.ts';
import { inviteOperations } from './invites.ts';
import { karmaOperations } from './karma.ts';
import { keyOperations } from './keys.ts';
import { landingOperations } from './landings.ts';
import { meOperations } from './me.ts';
import { mergeOperations } from './merges.ts';
import { notificationOperations } from './notifications.ts';
import type { Operation } from './operation.ts';
import { orgOperations } from './orgs.ts';
import { pluginOperations } from './plugins.ts';
import { proposalOperations } from './proposals.ts';
import { pushOperations } from './pushes.ts';
import { queueOperations } from './queue.ts';
import { repoOperations } from './repos.ts';
import { reviewOperations } from './reviews.ts';
import { serverAdminOperations } from './server-admin.ts';
import { sessionOperations } from './sessions.ts';
import { stabilizationOperations } from './stabilizations.ts';
import { stageOperations } from './stages.ts';
import { statusOperations } from './status.ts';
import { streamHeadOperations } from './stream-head.ts';
import { streamLifecycleOperations } from './stream-lifecycle.ts';
import { listStreams } from './stream-list.ts';
import { streamOperations } from './streams.ts';
import { taskEndOperations } from './task-ends.ts';
import { taskOperations } from './tasks.ts';
import { undoOperations } from './undo.ts';
import { updateOperations } from './updates.ts';
import { uploadOperations } from './uploads.ts';
import { workplanOperations } from './workplans.ts';

/** Everything an actor may ask for. */
export const operations: Operation[] = [
  ...agentOperations,
  ...repoOperations,
  ...taskOperations,
  ...taskEndOperations,
  ...streamOperations,
  listStreams,
  ...streamHeadOperations,
  ...streamLifecycleOperations,
  ...reviewOperations,
  ...mergeOperations,
  ...landingOperations,
  endLanding,
  ...queueOperations,
  ...stabilizationOperations,
  ...eventOperations,
  ...updateOperations,
  ...undoOperations,
  ...statusOperations,
  ...housekeepingOperations,
  ...budgetOperations,
  ...councilOperations,
  ...proposalOperations,
  ...electionOperations,
  ...karmaOperations,
  ...stageOperations,
  ...orgOperations,
  ...branchRuleOperations,
  ...workplanOperations,
  ...notificationOperations,
  ...pluginOperations,
  mayEdit,
  ...pushOperations,
  ...uploadOperations,
  ...serverAdminOperations,
  ...sessionOperations,
  ...hostingOperations,
  ...keyOperations,
  ...inviteOperations,
  ...meOperations,
];
