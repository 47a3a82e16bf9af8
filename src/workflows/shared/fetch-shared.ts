import { SwarmError } from '../../contract/errors.ts';
import { findRef } from '../../git/refs.ts';
import type { Workflow } from '../workflow.ts';
import { tryAdvance } from './advance-shared.ts';
import { isHomeOf } from './at-home.ts';
import { moveMirror } from './bring-stream.ts';
import { followShared, type Standing } from './follow-shared.ts';
import { seeRemote } from './see-remote.ts';
import { diverged, goneThere, inTheWay, refused } from './shared-errors.ts';
import { seenTip } from './shared-refs.ts';

export interface Fetched {
  buffer: Standing;
  /** `behind`: a checkout of it is in the way. Only a promotion has to mind. */
  target: Standing | 'behind';
  /** Streams of other machines of which something new has come here; ids. A mirror that was there follows. */
  streams: string[];
}

/**
 * Fetches what the other clones have published. Buffer and target follow where they only have to go forward; what is
 * ahead or diverged here is left as it is. Throws unavailable where the remote cannot be reached, target_checked_out
 * where a checkout of the buffer is in the way.
 */
export async function fetchShared(workflow: Workflow): Promise<Fetched> {
  const { shared, repo } = workflow;
  if (!shared) return { buffer: 'same', target: 'same', streams: [] };
  const { changed, branches } = await seeRemote(workflow, shared);
  const streams: string[] = [];
  for (const branch of changed) {
    const id = branch.startsWith('stream/') ? branch.slice('stream/'.length) : undefined;
    if (id === undefined || (await isHomeOf(workflow, id))) continue;
    const tip = await seenTip(workflow, branch);
    const isMirrored = (await findRef(workflow.git, `refs/heads/${branch}`)) !== undefined;
    // One that nobody here has asked for yet needs no branch among the user's own.
    if (tip !== undefined && isMirrored) await moveMirror(workflow, { id, branch }, tip);
    streams.push(id);
  }
  const target = await standingOf(workflow, repo.promoteTarget, branches);
  const buffer = await standingOf(workflow, repo.bufferBranch, branches);
  if (buffer.kind === 'behind') throw inTheWay(repo.bufferBranch, buffer);
  return { buffer: buffer.kind, target: target.kind, streams };
}

async function standingOf(workflow: Workflow, branch: string, there: ReadonlySet<string>) {
  return there.has(branch) ? followShared(workflow, branch) : { kind: 'missing' as const };
}

/** How often a buffer that was ahead is published again where another clone was quicker. */
const TRIES = 5;

/**
 * What comes before buffer or target is moved: this clone has what the remote has, and the remote's buffer what only
 * this clone had. Throws conflict where both have something of their own. A target that cannot follow is told, and
 * keeps only a promotion from going on. Without a shared remote it does nothing.
 */
export async function meetShared(workflow: Workflow, { promotes = false } = {}): Promise<void> {
  if (!workflow.shared) return;
  const { bufferBranch } = workflow.repo;
  for (let attempt = 1; ; attempt++) {
    const fetched = await fetchShared(workflow);
    const isMet = await settleBuffer(workflow, fetched.buffer);
    if (isMet) return minding(workflow, fetched.target, promotes);
    if (attempt === TRIES) {
      throw new SwarmError('busy', `${bufferBranch} keeps moving in ${workflow.shared.remote}.`, {
        fix: 'Try again.',
      });
    }
  }
}

/** False where it has to be looked at again. */
async function settleBuffer(workflow: Workflow, standing: Standing): Promise<boolean> {
  const { bufferBranch: branch } = workflow.repo;
  if (standing === 'same' || standing === 'moved') return true;
  const now = await followShared(workflow, branch);
  if (now.kind === 'diverged') throw diverged(workflow, branch, now);
  if (standing === 'missing' && now.kind !== 'missing') throw goneThere(workflow, branch);
  if (now.kind !== 'ahead' && now.kind !== 'missing') return false;
  // Without any it is somebody else's to say that the branch is gone.
  if (now.local === '') return true;
  const pushed = await tryAdvance(workflow, { branch, from: now.local, to: now.local });
  if (pushed.kind === 'refused') throw refused(workflow, branch, pushed.why);
  return pushed.kind === 'moved';
}

async function minding(workflow: Workflow, standing: Fetched['target'], promotes: boolean): Promise<void> {
  if (standing !== 'diverged' && standing !== 'behind') return;
  const { promoteTarget: branch } = workflow.repo;
  const now = await followShared(workflow, branch);
  const error =
    now.kind === 'behind'
      ? inTheWay(branch, now)
      : now.kind === 'diverged'
        ? diverged(workflow, branch, now)
        : undefined;
  if (!error) return;
  if (promotes) throw error;
  workflow.notify(error.message);
}
