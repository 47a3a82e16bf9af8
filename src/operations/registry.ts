import type { Operation } from './operation.ts';

/** Where the operations of a noun are. A noun is loaded when it is first asked for: a command needs three or four. */
const nouns = new Map<string, () => Promise<readonly Operation[]>>(
  Object.entries({
    access: async () => (await import('./access.ts')).accessOperations,
    agent: async () => (await import('./agents.ts')).agentOperations,
    block: async () => (await import('./blocks.ts')).blockOperations,
    branch_rule: async () => (await import('./branch-rules.ts')).branchRuleOperations,
    budget: async () => (await import('./budgets.ts')).budgetOperations,
    council: async () => (await import('./councils.ts')).councilOperations,
    delivery: async () => (await import('./notifications.ts')).notificationOperations,
    election: async () => (await import('./elections.ts')).electionOperations,
    event: async () => [
      ...(await import('./events.ts')).eventOperations,
      ...(await import('./updates.ts')).updateOperations,
    ],
    housekeeping: async () => (await import('./housekeeping.ts')).housekeepingOperations,
    intake: async () => (await import('./stabilizations.ts')).stabilizationOperations,
    karma: async () => (await import('./karma.ts')).karmaOperations,
    invite: async () => (await import('./invites.ts')).inviteOperations,
    key: async () => (await import('./keys.ts')).keyOperations,
    maintainer: async () => (await import('./maintainers.ts')).maintainerOperations,
    me: async () => (await import('./me.ts')).meOperations,
    merge: async () => [
      ...(await import('./merges.ts')).mergeOperations,
      ...(await import('./landings.ts')).landingOperations,
      (await import('./end-landing.ts')).endLanding,
    ],
    notification: async () => (await import('./notifications.ts')).notificationOperations,
    org: async () => (await import('./orgs.ts')).orgOperations,
    push: async () => (await import('./pushes.ts')).pushOperations,
    promotion: async () => (await import('./stabilizations.ts')).stabilizationOperations,
    plugin: async () => (await import('./plugins.ts')).pluginOperations,
    proposal: async () => (await import('./proposals.ts')).proposalOperations,
    queue: async () => (await import('./queue.ts')).queueOperations,
    repo: async () => [
      ...(await import('./repos.ts')).repoOperations,
      ...(await import('./hosting.ts')).hostingOperations,
    ],
    review: async () => (await import('./reviews.ts')).reviewOperations,
    server: async () => (await import('./server-admin.ts')).serverAdminOperations,
    session: async () => (await import('./sessions.ts')).sessionOperations,
    stabilization: async () => (await import('./stabilizations.ts')).stabilizationOperations,
    stage: async () => (await import('./stages.ts')).stageOperations,
    status: async () => (await import('./status.ts')).statusOperations,
    stream: async () => [
      ...(await import('./streams.ts')).streamOperations,
      (await import('./stream-list.ts')).listStreams,
      (await import('./edit-stream.ts')).mayEdit,
      ...(await import('./stream-head.ts')).streamHeadOperations,
      ...(await import('./stream-lifecycle.ts')).streamLifecycleOperations,
      ...(await import('./blocks.ts')).blockOperations,
    ],
    task: async () => [
      ...(await import('./tasks.ts')).taskOperations,
      ...(await import('./task-ends.ts')).taskEndOperations,
    ],
    upload: async () => (await import('./uploads.ts')).uploadOperations,
    workplan: async () => (await import('./workplans.ts')).workplanOperations,
    undo: async () => (await import('./undo.ts')).undoOperations,
  }),
);

const loaded = new Map<string, Operation>();

/** The operation of an endpoint by its name, such as `stream.show`. */
export function findOperation(name: string): Operation | undefined | Promise<Operation | undefined> {
  return loaded.get(name) ?? load(name);
}

async function load(name: string): Promise<Operation | undefined> {
  const noun = nounOf(name);
  // Only those of the noun, or a name would be found or not depending on what was asked for before.
  for (const operation of (await nouns.get(noun)?.()) ?? [])
    if (nounOf(operation.endpoint.name) === noun) loaded.set(operation.endpoint.name, operation);
  return loaded.get(name);
}

function nounOf(name: string): string {
  return name.split('.')[0] ?? '';
}
