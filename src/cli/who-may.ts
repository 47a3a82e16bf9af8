import { explainAccess } from '../contract/repos.ts';
import { resolveCommit } from '../git/refs.ts';
import type { Workflow } from '../workflows/workflow.ts';

/** A step that needs maintain access: whoever acts now takes it, or somebody who may. */
export async function asMaintainer(workflow: Workflow, command: string): Promise<string> {
  const { authority, actor, repo } = workflow;
  if (!actor) return command;
  const { level } = await authority.call(explainAccess, { repoId: repo.id, agent: actor.id });
  return level === 'maintain' || level === 'admin' ? command : `${command} --as <maintainer>`;
}

/** `gitswarm promote`, where there is something to promote. */
export async function promoteStep(workflow: Workflow): Promise<string | undefined> {
  const { bufferBranch, promoteTarget } = workflow.repo;
  const [buffer, target] = await Promise.all(
    [bufferBranch, promoteTarget].map((branch) => resolveCommit(workflow.git, `refs/heads/${branch}`)),
  );
  return buffer === target ? undefined : asMaintainer(workflow, 'gitswarm promote');
}
