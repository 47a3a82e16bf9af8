import { existsSync } from 'node:fs';
import { isoTime } from '../base/clock.ts';
import { randomHex } from '../base/ids.ts';
import { type Agent, showAgent } from '../contract/agents.ts';
import { SwarmError } from '../contract/errors.ts';
import { type Stream, showStream } from '../contract/streams.ts';
import { endSession, insertSession } from '../machine/sessions.ts';
import { enterWorkspace, findWorkspace, leaveWorkspace } from '../machine/workspaces.ts';
import { type AttachedEnding, runAttached } from '../sandbox/run-attached.ts';
import { isAuthor, requireAuthorOrMaintainer } from './stream-rights.ts';
import type { Workflow } from './workflow.ts';

/**
 * Runs a program in a stream's worktree as the stream's author: what it asks of us is asked as that agent and as nobody
 * else. While it runs the worktree is in use, so nothing moves it.
 */
export async function execInWorkspace(
  workflow: Workflow,
  ref: string,
  run: { argv: string[]; stdoutTo?: 'stdout' | 'stderr' },
): Promise<{ stream: Stream; path: string; ending: AttachedEnding }> {
  const stream = await workflow.authority.call(showStream, { stream: ref });
  const actor = await requireAuthorOrMaintainer(workflow, stream);
  const path = findWorkspace(workflow.machine, stream.id)?.path;
  if (path === undefined || !existsSync(path)) {
    throw new SwarmError('not_found', `Stream ${stream.handle} has no workspace on this machine.`, {
      fix: `gitswarm workspace restore ${stream.handle}`,
    });
  }
  const agent = isAuthor(stream, actor) ? actor : await authorFor(workflow, stream);
  const token = randomHex(32);
  const at = () => isoTime(workflow.clock.now());
  insertSession(workflow.machine, { token, agentId: agent.id, streamId: stream.id, at: at() });
  const reason = `${agent.name} runs ${run.argv[0] ?? 'a program'}`;
  const use = enterWorkspace(workflow.machine, { streamId: stream.id, reason, at: at() });
  try {
    const env = {
      ...withoutGitPlace(workflow.variables),
      GITSWARM_SESSION: token,
      GITSWARM_AGENT: agent.name,
      GITSWARM_STREAM: stream.id,
      GITSWARM_WORKSPACE: path,
      GITSWARM_ROOT: workflow.git.root,
      GITSWARM_TASK: stream.taskId ?? '',
    };
    const ending = await runAttached(run.argv, {
      cwd: path,
      env,
      ...(run.stdoutTo ? { stdoutTo: run.stdoutTo } : {}),
    });
    return { stream, path, ending };
  } finally {
    leaveWorkspace(workflow.machine, use);
    endSession(workflow.machine, token, at());
  }
}

/** A maintainer starts the author's program; somebody who acts within a session acts as nobody else. */
async function authorFor(workflow: Workflow, stream: Stream): Promise<Agent> {
  if (!workflow.variables.GITSWARM_SESSION)
    return workflow.authority.call(showAgent, { agent: stream.authorId });
  throw new SwarmError(
    'not_allowed',
    `This session does not act for ${stream.authorName}, whose stream ${stream.handle} is.`,
  );
}

const GIT_PLACE =
  /^GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|PREFIX|NAMESPACE)$/;

/** Started from a hook of another repository, git would work there and not in the worktree. */
function withoutGitPlace(variables: Workflow['variables']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !GIT_PLACE.test(name)));
}
