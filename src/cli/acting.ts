import type { Agent } from '../contract/agents.ts';
import { recover } from '../workflows/recover.ts';
import { actorOf, type Workflow } from '../workflows/workflow.ts';
import type { Session } from './session.ts';

/** The workflow of a command that changes something: somebody must act, and what a dead process left is put right. */
export async function actingWorkflow(session: Session): Promise<{ workflow: Workflow; actor: Agent }> {
  const workflow = await session.workflow();
  const actor = actorOf(workflow);
  await recover(workflow);
  return { workflow, actor };
}
