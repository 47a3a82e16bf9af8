import { findWorkspace } from '../../machine/workspaces.ts';
import { measureStream } from '../facts.ts';
import { beginResolution } from './begin-resolution.ts';
import { commitLeft } from './commit-left.ts';
import { landStream } from './land-stream.ts';
import type { Passage } from './passage.ts';
import { playAgent, troubleOf } from './play-agent.ts';
import { authorPrompt, type Feedback } from './prompts.ts';
import { asAgent, type SwarmRun } from './swarm-run.ts';

export type Worked = { kind: 'ready' } | { kind: 'again'; feedback: Feedback } | { kind: 'interrupted' };

/** One attempt: the agent works in its worktree, and what it left there is committed. */
export async function workOnce(run: SwarmRun, passage: Passage, attempts: number): Promise<Worked> {
  const { worker, stream, task } = passage;
  const workflow = asAgent(run, worker);
  const directory = findWorkspace(workflow.machine, stream.id)?.path ?? workflow.git.root;
  const conflicts = stream.state === 'conflicted' ? await beginResolution(workflow, stream) : [];
  const isSettled = stream.state === 'conflicted' && conflicts.length === 0;
  const feedback = passage.feedback && {
    ...passage.feedback,
    ...(conflicts.length > 0 ? { conflicts } : {}),
  };
  let trouble: string | undefined;
  if (!isSettled) {
    const tests = workflow.repo.config.stabilize_command;
    const prompt = authorPrompt({
      task,
      stream,
      directory,
      attempt: passage.attempts,
      attempts,
      tests,
      feedback,
    });
    const { author } = run.request;
    const play = {
      adapter: author,
      agent: worker,
      stream,
      task,
      directory,
      prompt,
      attempt: passage.attempts,
    };
    const result = await playAgent(run, { ...play, role: 'author' });
    // What is there stays as it is: the next run takes it up.
    if (result.kind === 'cancelled') return { kind: 'interrupted' };
    trouble = troubleOf(result);
    const before = await commitOf(run, passage);
    if (before.kind !== 'ready') return before;
    if (trouble !== undefined)
      return again(`Your last attempt did not end well: ${trouble}.`, result.outputTail);
    return ready(run, passage);
  }
  const committed = await commitOf(run, passage);
  return committed.kind === 'ready' ? ready(run, passage) : committed;
}

/** Commits what is in the worktree; in swarm mode that lands it, one lane after the other. */
async function commitOf(run: SwarmRun, { worker, stream, task }: Passage): Promise<Worked> {
  const workflow = asAgent(run, worker);
  const lands = workflow.repo.mergeMode === 'swarm';
  const commit = () => commitLeft(workflow, stream, task);
  const committed = await (lands ? run.landing(commit) : commit());
  if (committed.kind === 'refused') return { kind: 'again', feedback: committed.feedback };
  const { merge } = committed;
  if (merge?.kind === 'conflict') return again('Your change conflicts with what has landed since.');
  if (merge?.kind === 'refused') return again(`It could not land: ${merge.error.message}`, merge.error.fix);
  return { kind: 'ready' };
}

/** There must be something to review or, in swarm mode, something that landed. */
async function ready(run: SwarmRun, passage: Passage): Promise<Worked> {
  const { worker, stream } = passage;
  const workflow = asAgent(run, worker);
  const facts = await measureStream(workflow, stream);
  if (workflow.repo.mergeMode !== 'swarm') {
    return facts.commits.length > 0 ? { kind: 'ready' } : again('You left no change in the worktree.');
  }
  if (facts.commits.length === 0) return { kind: 'ready' };
  const landed = await landStream(run, passage);
  if (landed.kind === 'again') return landed;
  return landed.kind === 'landed' ? { kind: 'ready' } : again(`It has not landed: ${landed.reason}.`);
}

function again(summary: string, details?: string): Worked {
  return { kind: 'again', feedback: { summary, ...(details ? { details } : {}) } };
}
