import type { Agent } from '../contract/agents.ts';
import { slugOf } from '../domain/agents/agent-names.ts';
import type { Person, Signature } from '../git/person.ts';
import { signatureAt } from '../git/person.ts';
import type { Workflow } from './workflow.ts';

/** The author git records: people under their own git identity, agents as `name <slug@…>` as configured. */
export async function authorOf(workflow: Workflow, agent: Agent): Promise<Person> {
  const own = agent.kind === 'human' ? await workflow.identity() : undefined;
  if (own) return own;
  const email = workflow.repo.config.author_email.replaceAll('{slug}', slugOf(agent.name));
  return { name: agent.name, email };
}

/** Who committed: git's own identity, or GitSwarm where git knows nobody. */
export async function committerOf(workflow: Workflow): Promise<Person> {
  return (await workflow.identity()) ?? { name: 'GitSwarm', email: 'gitswarm@agents.gitswarm.local' };
}

/** Both, at this moment. */
export async function signaturesOf(
  workflow: Workflow,
  agent: Agent,
): Promise<{ author: Signature; committer: Signature }> {
  const now = workflow.clock.now();
  return {
    author: signatureAt(await authorOf(workflow, agent), now),
    committer: signatureAt(await committerOf(workflow), now),
  };
}
