import { type Attention, repoStatus } from '../contract/status.ts';
import { StreamState } from '../contract/streams.ts';
import type { RepoRow } from '../db/tables.ts';
import { listOwners } from '../domain/access/owners-store.ts';
import { countAgents } from '../domain/agents/agents-store.ts';
import { listQueueRows } from '../domain/merges/merges-store.ts';
import { toRepo } from '../domain/repos/repos-store.ts';
import {
  findLastStabilization,
  listPromotionRows,
  toPromotion,
  toStabilization,
} from '../domain/stabilizations/stabilizations-store.ts';
import { attentionFor } from '../domain/streams/attention.ts';
import { countStreams, listStreamRows, toStreams } from '../domain/streams/streams-store.ts';
import { countTasks } from '../domain/tasks/tasks-store.ts';
import { assignedReviewers } from './next-reviewer.ts';
import { query, type ReadContext } from './operation.ts';

const MOST_SHOWN = 200;

const show = query(repoStatus, {
  on: 'repo',
  needs: 'read',
  async run(context) {
    const { db, repo, now } = context;
    const counts = await countStreams(db, repo.id);
    const last = await findLastStabilization(db, repo.id);
    const [promotion] = await listPromotionRows(db, { repoId: repo.id, limit: 1 });
    const attention = await attentionOf(context);
    return {
      repo: toRepo(repo),
      streams: Object.fromEntries(StreamState.options.map((state) => [state, counts[state] ?? 0])) as Record<
        StreamState,
        number
      >,
      tasks: await countTasks(db, repo.id, now),
      queue: {
        length: (await listQueueRows(db, repo.id)).length,
        paused: repo.queue_paused === 1,
        frozenReason: repo.frozen_reason,
      },
      lastStabilization: last ? toStabilization(last) : null,
      lastPromotion: promotion ? toPromotion(promotion) : null,
      agents: await countAgents(db),
      attention,
    };
  },
});

/** Every open stream with the one who acts next on it; what waits comes before what is being worked on. */
async function attentionOf(context: ReadContext & { repo: RepoRow }): Promise<Attention[]> {
  const { db, repo } = context;
  const ofState = (states: StreamState[]) =>
    listStreamRows(db, { repoId: repo.id, states, limit: MOST_SHOWN });
  const inReview = await ofState(['in_review']);
  const rows = [
    ...inReview,
    ...(await ofState(['changes_requested', 'approved', 'conflicted', 'paused', 'queued'])),
    ...(await ofState(['active'])),
  ];
  const reviewers = await assignedReviewers(context, inReview);
  const [owner] = await listOwners(db, repo.id);
  const streams = await toStreams(db, rows);
  return streams.map((stream) => {
    const carriers = { reviewer: reviewers.get(stream.id), owner, frozenReason: repo.frozen_reason };
    return attentionFor(stream, carriers);
  });
}

export const statusOperations = [show];
