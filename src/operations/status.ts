import { type Attention, repoStatus } from '../contract/status.ts';
import { StreamState } from '../contract/streams.ts';
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
import { query } from './operation.ts';

const MOST_SHOWN = 200;

const show = query(repoStatus, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo, now }) {
    const counts = await countStreams(db, repo.id);
    const last = await findLastStabilization(db, repo.id);
    const [promotion] = await listPromotionRows(db, { repoId: repo.id, limit: 1 });
    const waiting = await listStreamRows(db, {
      repoId: repo.id,
      states: ['in_review', 'changes_requested', 'approved', 'conflicted', 'paused'],
      limit: MOST_SHOWN,
    });
    const attention: Attention[] = (await toStreams(db, waiting)).map(attentionFor);
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

export const statusOperations = [show];
