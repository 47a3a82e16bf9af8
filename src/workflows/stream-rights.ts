import { shellWord } from '../base/shell-word.ts';
import type { Agent } from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import { explainAccess } from '../contract/repos.ts';
import type { Stream } from '../contract/streams.ts';
import { includesLevel } from '../domain/access/access.ts';
import { actorOf, type Workflow } from './workflow.ts';

/** Whoever moves a branch or a worktree is asked for the right before git is touched: no operation could undo it. */
export async function requireAuthorOrMaintainer(workflow: Workflow, stream: Stream): Promise<Agent> {
  const actor = actorOf(workflow);
  if (isAuthor(stream, actor)) return actor;
  const access = await workflow.authority.call(explainAccess, { repoId: workflow.repo.id, agent: actor.id });
  if (includesLevel(access.level, 'maintain')) return actor;
  throw new SwarmError(
    'not_allowed',
    `Stream ${stream.handle} is ${stream.authorName}'s: only its authors and maintainers move it.`,
    {
      fix: `Act as its author: --as ${shellWord(stream.authorName)}`,
      details: { has: access.level, reasons: access.reasons },
    },
  );
}

export function isAuthor(stream: Stream, actor: { id: string }): boolean {
  return stream.authorId === actor.id || stream.coAuthorIds.includes(actor.id);
}
