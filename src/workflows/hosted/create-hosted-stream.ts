import { newId } from '../../base/ids.ts';
import { SwarmError } from '../../contract/errors.ts';
import { explainAccess } from '../../contract/repos.ts';
import { createStream, type Stream, showStream } from '../../contract/streams.ts';
import { showTask } from '../../contract/tasks.ts';
import { includesLevel } from '../../domain/access/access.ts';
import { resolveCommit, updateRefs } from '../../git/refs.ts';
import type { CallOptions } from '../../operations/authority.ts';
import { adoptBranch } from '../adopt.ts';
import { actorOf, bufferTip, type Workflow } from '../workflow.ts';

export interface HostedStreamWish {
  name?: string | undefined;
  task?: string | undefined;
  parent?: string | undefined;
  baseBranch?: string | undefined;
  paths?: string[] | undefined;
}

/** A stream of a server's clone: a branch at the tip of the buffer, of another stream, or of a named branch. */
export async function createHostedStream(
  workflow: Workflow,
  wish: HostedStreamWish,
  options?: CallOptions,
): Promise<Stream> {
  await requireWrite(workflow);
  if (wish.task !== undefined) await workflow.authority.call(showTask, { task: wish.task });
  const id = newId(workflow.clock.now());
  const branch = `stream/${id}`;
  const { base, baseBranch } = await startOf(workflow, wish);
  const ref = `refs/heads/${branch}`;
  await updateRefs(workflow.git, [{ ref, old: null, new: base }], 'gitswarm: new stream');
  workflow.reach('hosted.branched');
  try {
    const { name, task, parent, paths } = wish;
    const input = {
      repoId: workflow.repo.id,
      id,
      name,
      task,
      parent,
      paths,
      branch,
      baseBranch,
      baseCommit: base,
    };
    const made = await workflow.authority.call(createStream, { ...input, source: 'api' }, options);
    // Another server did the same request first, under the same key.
    if (made.id !== id) await removeBranch(workflow, ref, base);
    return made;
  } catch (error) {
    await removeBranch(workflow, ref, base);
    throw error;
  }
}

/** Asked before a branch is made: no operation takes it back. */
async function requireWrite(workflow: Workflow): Promise<void> {
  const actor = actorOf(workflow);
  const access = await workflow.authority.call(explainAccess, { repoId: workflow.repo.id, agent: actor.id });
  if (includesLevel(access.level, 'write')) return;
  throw new SwarmError('not_allowed', `${actor.name} may not make streams in ${workflow.repo.name}.`, {
    details: { needs: 'write', has: access.level, reasons: access.reasons },
  });
}

async function startOf(
  workflow: Workflow,
  wish: HostedStreamWish,
): Promise<{ base: string; baseBranch: string }> {
  if (wish.parent !== undefined) {
    const parent = await workflow.authority.call(showStream, { stream: wish.parent });
    const { head, branch } = await adoptBranch(workflow, parent);
    return { base: head, baseBranch: branch };
  }
  const { bufferBranch } = workflow.repo;
  if (wish.baseBranch === undefined || wish.baseBranch === bufferBranch)
    return { base: await bufferTip(workflow), baseBranch: bufferBranch };
  const base = await resolveCommit(workflow.git, `refs/heads/${wish.baseBranch}`);
  if (!base) throw new SwarmError('not_found', `There is no branch "${wish.baseBranch}".`);
  return { base, baseBranch: wish.baseBranch };
}

async function removeBranch(workflow: Workflow, ref: string, at: string): Promise<void> {
  await updateRefs(workflow.git, [{ ref, old: at, new: null }], 'gitswarm: no stream');
}
