import { unlessAway } from '../contract/authority-away.ts';
import { explainAccess } from '../contract/repos.ts';
import { resolveCommit } from '../git/refs.ts';
import type { Workflow } from '../workflows/workflow.ts';

/** `--as <reviewer>`, where somebody else has to act; with a server those have keys of their own. */
export function asOther({ authority }: Workflow, who: string): string {
  return authority.kind === 'server' ? '' : ` --as <${who}>`;
}

/** A step that needs maintain access: whoever acts now takes it, or somebody who may. */
export async function asMaintainer(workflow: Workflow, command: string): Promise<string> {
  const { authority, actor, repo } = workflow;
  if (!actor) return command;
  // Only a hint: what was asked for is done, even where the server goes away now.
  const asked = authority.call(explainAccess, { repoId: repo.id, agent: actor.id });
  const level = (await unlessAway(asked, undefined))?.level;
  if (level === 'maintain' || level === 'admin') return command;
  return `${command}${asOther(workflow, 'maintainer')}`;
}

/** `gitswarm promote`, where there is something to promote. */
export async function promoteStep(workflow: Workflow): Promise<string | undefined> {
  const { bufferBranch, promoteTarget } = workflow.repo;
  const [buffer, target] = await Promise.all(
    [bufferBranch, promoteTarget].map((branch) => resolveCommit(workflow.git, `refs/heads/${branch}`)),
  );
  return buffer === target ? undefined : asMaintainer(workflow, 'gitswarm promote');
}
