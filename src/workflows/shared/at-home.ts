import { SwarmError } from '../../contract/errors.ts';
import type { Stream } from '../../contract/streams.ts';
import { isAncestor } from '../../git/commits.ts';
import { findRef, listRefs } from '../../git/refs.ts';
import { findWorkspace } from '../../machine/workspaces.ts';
import type { Workflow } from '../workflow.ts';
import { isHere, note } from './shared-refs.ts';

/** Streams whose branch is written here though they have no workspace: it was tracked where it stood. */
const HOME = 'refs/gitswarm/home/';

/**
 * True where a stream's branch is written on this machine. Of any other the branch here is a mirror, which may be old:
 * it decides nothing. A tracked branch without a workspace is at home where it was tracked, or where it holds all that
 * is recorded, so that taking it in can rewrite nothing.
 */
export async function isAtHome(workflow: Workflow, stream: Stream): Promise<boolean> {
  if (!workflow.shared || (await isHomeOf(workflow, stream.id))) return true;
  if (stream.source !== 'tracked') return false;
  const local = await findRef(workflow.git, `refs/heads/${stream.branch}`);
  if (local === undefined || !(await isHere(workflow, stream.head))) return false;
  return isAncestor(workflow.git, stream.head, local);
}

/** The same as far as this machine's own notes tell: by a workspace, or by its claim. */
export async function isHomeOf(workflow: Workflow, streamId: string): Promise<boolean> {
  if (findWorkspace(workflow.machine, streamId)) return true;
  return (await findRef(workflow.git, `${HOME}${streamId}`)) !== undefined;
}

/** Notes that the branch of a stream is written here, whether it has a workspace or not. */
export async function claimHome(workflow: Workflow, stream: { id: string; head: string }): Promise<void> {
  if (workflow.shared) await note(workflow, `${HOME}${stream.id}`, stream.head);
}

/** The ids of all that were claimed. */
export async function listClaims(workflow: Workflow): Promise<string[]> {
  return (await listRefs(workflow.git, [HOME])).map(({ name }) => name.slice(HOME.length));
}

/** Refuses to move a branch that is written on another machine: there it would look as if its author had rewritten it. */
export async function requireHome(workflow: Workflow, stream: Stream): Promise<void> {
  if (await isAtHome(workflow, stream)) return;
  throw new SwarmError(
    'wrong_state',
    `Stream ${stream.handle} is written on another machine and moves there.`,
    {
      fix: `gitswarm workspace sync ${stream.handle} there, or first bring it here: gitswarm workspace restore ${stream.handle}`,
    },
  );
}
