import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { SwarmError } from '../contract/errors.ts';
import type { AgentAdapter, AgentJob } from '../providers/agent-adapter.ts';
import { AgentScript } from '../providers/agent-script.ts';
import { adapterNames, createAdapter } from '../providers/registry.ts';
import type { RunProcess } from '../providers/run-process.ts';
import { runCommand } from '../sandbox/run-command.ts';
import type { App } from './open-app.ts';

/** The ways in which an agent can be started. */
export const agentAdapters: readonly string[] = adapterNames;

const LONGEST_OUTPUT = 64 * 1024 * 1024;

/**
 * Starts agents' programs. They are the user's own, named on the command line, so they keep the user's home and
 * network; `sandbox: required` encloses them all the same, with the worktree and the repository writable.
 */
export function agentRunner(app: Pick<App, 'repo' | 'git' | 'places'>): RunProcess {
  const isolation = app.repo.config.sandbox === 'required' ? 'required' : 'off';
  const writable = [app.git.commonDir, app.places.home];
  return (request) =>
    runCommand({ ...request, isolation, writable, network: true, maxOutputFileBytes: LONGEST_OUTPUT });
}

/**
 * What an agent's program sees of our surroundings: all of it, keys included, because it signs in with them; but
 * nothing that would point git elsewhere or make it act as somebody else.
 */
export function agentEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined && !name.startsWith('GITSWARM_') && !POINTS_GIT.has(name))
      environment[name] = value;
  }
  return environment;
}

const POINTS_GIT = new Set([
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_COMMON_DIR', 'GIT_OBJECT_DIRECTORY', 'GIT_PREFIX'],
  ...['GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_NAMESPACE', 'GIT_QUARANTINE_PATH'],
]);

export interface AdapterWish {
  name: string;
  /** A command line; for the scripted adapter a file with scripts. */
  command: string | undefined;
}

/** The adapter for a wish, with everything it needs from this machine. */
export function adapterFor(run: RunProcess, { name, command }: AdapterWish): AgentAdapter {
  if (name !== 'scripted') return createAdapter(name, { run, command });
  return createAdapter(name, {
    run,
    scriptFor: command === undefined ? undefined : scriptsIn(readScripts(command)),
  });
}

/** For each task title, or `*`, one script per attempt; the last one is played again where there are more attempts. */
const Scripts = z.strictObject({
  tasks: z.record(z.string(), z.array(AgentScript).min(1)).default({}),
  reviews: z.record(z.string(), z.array(AgentScript).min(1)).default({}),
});
export type Scripts = z.infer<typeof Scripts>;

function readScripts(file: string): Scripts {
  try {
    return Scripts.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const why =
      error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : '';
    throw new SwarmError('usage', `The scripts in ${file} cannot be read: ${why}`, {
      fix: 'Give --agent a JSON file: {"tasks":{"<title>":[{"steps":[…]}]},"reviews":{"*":[…]}}',
    });
  }
}

function scriptsIn(scripts: Scripts): (job: AgentJob) => AgentScript | undefined {
  return ({ role, env }) => {
    const all = role === 'reviewer' ? scripts.reviews : scripts.tasks;
    const own = all[env.GITSWARM_TASK_TITLE ?? ''] ?? all['*'];
    return own?.[Math.min(Number(env.GITSWARM_ATTEMPT ?? 1), own.length) - 1];
  };
}

/** Plays one script in a directory, as an agent would; for the demo. Throws with its last words where it fails. */
export async function playScript(
  script: AgentScript,
  place: { directory: string; environment: Record<string, string>; outputFile: string },
): Promise<void> {
  const run: RunProcess = (request) =>
    runCommand({ ...request, isolation: 'off', writable: [], network: true });
  const agent = createAdapter('scripted', { run, scriptFor: () => script });
  const { directory, environment, outputFile } = place;
  const result = await agent.start({
    ...{ prompt: '', cwd: directory, env: environment, outputFile },
    ...{ role: 'author', timeoutMs: 60_000 },
  }).done;
  if (result.kind === 'finished' && result.exitCode === 0) return;
  throw new SwarmError(
    'internal',
    `A scripted agent failed in ${directory}: ${result.outputTail.trim() || result.kind}`,
  );
}
