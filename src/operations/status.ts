import { repoStatus } from '../contract/status.ts';
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
import { countStreams } from '../domain/streams/streams-store.ts';
import { countTasks } from '../domain/tasks/tasks-store.ts';
import { attentionOf } from './attention.ts';
import { query } from './operation.ts';

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
      attention: attention.items,
      attentionOmitted: attention.omitted,
    };
  },
});

export const statusOperations = [show];
