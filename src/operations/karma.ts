import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/karma.ts';
import { getAgentByRef, toAgent } from '../domain/agents/agents-store.ts';
import { listKarmaEntries } from '../domain/karma/karma-store.ts';
import { reviewerStats } from '../domain/karma/outcomes-store.ts';
import { query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

const show = query(contract.showKarma, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo, caller }, input) {
    const agent = input.agent === undefined ? caller : await getAgentByRef(db, input.agent);
    if (!agent)
      throw new SwarmError('usage', 'Nobody is named whose karma to show.', { fix: 'gitswarm agent list' });
    const beforeId = decodeCursor(input.cursor);
    const rows = await listKarmaEntries(db, { agentId: agent.id, beforeId, limit: input.limit + 1 });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return {
      agent: toAgent(agent),
      karma: agent.karma,
      openWeight: Math.round(Math.sqrt(agent.karma + 1) * 100) / 100,
      reviewer: await reviewerStats(db, repo.id, agent.id),
      items: page.items.map((row) => ({
        id: row.id,
        amount: row.amount,
        reason: row.reason,
        subjectId: row.subject_id,
        createdAt: row.created_at,
      })),
      nextCursor: page.nextCursor,
    };
  },
});

export const karmaOperations = [show];
