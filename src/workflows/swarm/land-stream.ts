import { isSwarmError } from '../../contract/errors.ts';
import { explainAccess } from '../../contract/repos.ts';
import { includesLevel } from '../../domain/access/access.ts';
import { branchPolicy } from '../../domain/repos/branch-rules.ts';
import { listRunOutputs, readTail } from '../../machine/run-outputs.ts';
import { type MergeResult, mergeStream } from '../merge-stream.ts';
import type { Workflow } from '../workflow.ts';
import type { Passage } from './passage.ts';
import type { Feedback } from './prompts.ts';
import { asAgent, type SwarmRun } from './swarm-run.ts';

export type LandAnswer =
  | { kind: 'landed' }
  | { kind: 'again'; feedback: Feedback }
  | { kind: 'waits'; as: 'queued' | 'in_review' | 'interrupted'; reason: string };

const TAIL = 8000;

/** Lands a stream through the queue. Lanes land one at a time, so that each learns what became of its own. */
export function landStream(run: SwarmRun, passage: Passage): Promise<LandAnswer> {
  return run.landing(async () => {
    const since = listRunOutputs(run.base.machine, { subject: passage.stream.id, limit: 1 })[0]?.id;
    try {
      return answerFor(await mergeStream(await performer(run, passage), passage.stream.id));
    } catch (error) {
      if (run.signal.aborted)
        return { kind: 'waits', as: 'interrupted', reason: 'interrupted while it was landing' };
      if (!isSwarmError(error)) throw error;
      const red = newestRed(run.base, passage.stream.id, since);
      if (red) return { kind: 'again', feedback: red };
      if (error.code === 'gate_not_met' || error.code === 'not_allowed') {
        return { kind: 'waits', as: 'in_review', reason: error.message };
      }
      if (error.code === 'stale' || error.code === 'wrong_state') {
        return { kind: 'again', feedback: { summary: error.message } };
      }
      throw error;
    }
  });
}

function answerFor(result: MergeResult): LandAnswer {
  switch (result.kind) {
    case 'merged':
      return { kind: 'landed' };
    case 'conflict': {
      const details = result.files.map((file) => `${file.path} (${file.kind})`).join('\n');
      return {
        kind: 'again',
        feedback: { summary: 'Your change conflicts with what has landed since.', details },
      };
    }
    case 'evicted': {
      const { summary, outputTail, reproduce } = result.packet;
      return {
        kind: 'again',
        feedback: { summary: `${summary}.`, details: `${outputTail}\n\nTo see it: ${reproduce}` },
      };
    }
    case 'queued':
      return { kind: 'waits', as: 'queued', reason: result.reason };
  }
}

/** Where only maintainers land streams, the one who runs the swarm does it; the author elsewhere. */
async function performer(run: SwarmRun, { worker }: Passage): Promise<Workflow> {
  const { repo } = run.base;
  if (!branchPolicy(repo.bufferBranch, repo.config).maintainersOnly) return asAgent(run, worker);
  const { level } = await run.base.authority.call(explainAccess, { repoId: repo.id, agent: worker.id });
  return includesLevel(level, 'maintain') ? asAgent(run, worker) : run.base;
}

/** A test run of this stream that failed meanwhile, where another process drove the queue and kept the packet. */
function newestRed(workflow: Workflow, streamId: string, since: string | undefined): Feedback | undefined {
  const [newest] = listRunOutputs(workflow.machine, { subject: streamId, limit: 1 });
  if (!newest || newest.id === since || newest.exit === 0 || newest.ended_at === null) return undefined;
  return {
    summary: 'The tests fail with your change on top of the buffer.',
    details: readTail(newest.path, TAIL),
  };
}
