import { allPages } from '../base/all-pages.ts';
import { abandonStream, listStreams } from '../contract/streams.ts';
import { isStale } from '../domain/streams/stale-streams.ts';
import { adoptBranch } from './adopt.ts';
import { runPlugin } from './run-plugin.ts';
import { isAtHome } from './shared/at-home.ts';
import type { Workflow } from './workflow.ts';

/**
 * Abandons streams on which nobody has worked for as long as the settings say. Commits made with plain git are work;
 * branches, and worktrees with what is in them, stay. Answers the handles.
 */
export async function abandonStaleStreams(workflow: Workflow): Promise<string[]> {
  const { authority, repo } = workflow;
  const timeout = repo.config.stale_stream_timeout;
  if (timeout === null) return [];
  const streams = await allPages((cursor) =>
    authority.call(listStreams, { repoId: repo.id, open: true, limit: 200, cursor }),
  );
  const now = workflow.clock.now();
  const abandoned: string[] = [];
  for (const found of streams.filter((stream) => isStale(stream, { timeout, now }))) {
    // Whether its author has worked on it since is known where it is written.
    if (!(await isAtHome(workflow, found))) continue;
    const stream = await adoptBranch(workflow, found);
    if (!isStale(stream, { timeout, now })) continue;
    const key = `${stream.id} ${stream.updatedAt}`;
    const reason = `nobody worked on it since ${stream.updatedAt.slice(0, 10)}`;
    const result = await runPlugin(workflow, { plugin: 'stale_stream_cleanup', key }, () =>
      authority.call(abandonStream, { stream: stream.id, reason }),
    );
    if (result) abandoned.push(stream.handle);
  }
  return abandoned;
}
