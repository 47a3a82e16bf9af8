import { readEnvironment } from '../src/app/environment.ts';
import { initApp } from '../src/app/init-app.ts';
import { type App, openApp } from '../src/app/open-app.ts';
import { createStream, recordHead, type Stream } from '../src/contract/streams.ts';
import { resolveCommit } from '../src/git/refs.ts';
import { measureFacts } from '../src/workflows/facts.ts';
import type { Workflow } from '../src/workflows/workflow.ts';
import { GIT_ENV } from './run-quiet.ts';

/** The product on a repository: initialised, open for long, acting as its owner. */
export async function openProduct(dir: string): Promise<{ app: App; workflow: Workflow }> {
  const environment = readEnvironment(GIT_ENV);
  const { owner } = await initApp({ dir, environment, request: { mode: 'review', model: 'solo' } });
  const app = await openApp({ dir, environment, longLived: true });
  return { app, workflow: app.workflow({ actor: owner }) };
}

/** Makes a branch known as a stream of the owner, with everything recorded about it. */
export async function trackBranch(workflow: Workflow, branch: string, parent?: Stream): Promise<Stream> {
  const { git, authority, repo } = workflow;
  const head = (await resolveCommit(git, `refs/heads/${branch}`)) ?? '';
  const fork = parent?.head ?? (await resolveCommit(git, `refs/heads/${repo.bufferBranch}`)) ?? '';
  const stream = await authority.call(createStream, {
    repoId: repo.id,
    name: branch,
    branch,
    parent: parent?.id,
    baseBranch: repo.bufferBranch,
    baseCommit: fork,
    head: fork,
    source: 'tracked',
  });
  const facts = await measureFacts(workflow, head, [fork]);
  return authority.call(recordHead, { stream: stream.id, facts, cause: 'commit' });
}
