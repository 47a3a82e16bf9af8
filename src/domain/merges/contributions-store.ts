import type { Db } from '../../db/database.ts';

/** How many streams of an agent have landed in a repository and were not reverted. */
export async function countContributions(db: Db, repoId: string, agentId: string): Promise<number> {
  const row = await db
    .selectFrom('merge')
    .innerJoin('stream', 'stream.id', 'merge.stream_id')
    .select((e) => e.fn.count<number>('merge.stream_id').distinct().as('n'))
    .where('merge.repo_id', '=', repoId)
    .where('merge.kind', '=', 'stream')
    .where('merge.state', '=', 'landed')
    .where('stream.agent_id', '=', agentId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** How many streams have landed and stand, and whose they are. */
export async function countLandings(
  db: Db,
  repoId: string,
): Promise<{ streams: number; contributors: number }> {
  const row = await db
    .selectFrom('merge')
    .innerJoin('stream', 'stream.id', 'merge.stream_id')
    .select((e) => [
      e.fn.count<number>('merge.stream_id').distinct().as('streams'),
      e.fn.count<number>('stream.agent_id').distinct().as('contributors'),
    ])
    .where('merge.repo_id', '=', repoId)
    .where('merge.kind', '=', 'stream')
    .where('merge.state', '=', 'landed')
    .executeTakeFirstOrThrow();
  return { streams: Number(row.streams), contributors: Number(row.contributors) };
}
