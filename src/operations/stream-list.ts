import type { StreamState } from '../contract/streams.ts';
import * as contract from '../contract/streams.ts';
import { getAgentByRef } from '../domain/agents/agents-store.ts';
import { resolveReference } from '../domain/references/references-store.ts';
import { isOpen, statusPair } from '../domain/streams/stream-states.ts';
import { listStreamRows, toStreams } from '../domain/streams/streams-store.ts';
import { query } from './operation.ts';
import { decodeCursor, nextPage } from './paging.ts';

export const listStreams = query(contract.listStreams, {
  on: 'repo',
  needs: 'read',
  async run({ db, repo }, input) {
    const author = input.author ? await getAgentByRef(db, input.author) : undefined;
    const parentId = input.parent ? await resolveReference(db, 'stream', input.parent, repo.id) : undefined;
    const rows = await listStreamRows(db, {
      repoId: repo.id,
      states: wantedStates(input),
      agentId: author?.id,
      parentId,
      afterId: decodeCursor(input.cursor),
      limit: input.limit + 1,
    });
    const page = nextPage(rows, input.limit, (row) => row.id);
    return { items: await toStreams(db, page.items), nextCursor: page.nextCursor };
  },
});

/** The stored states that a filter by state, by status or by openness asks for; undefined means all. */
function wantedStates(input: {
  state?: StreamState | undefined;
  status?: string | undefined;
  open?: boolean | undefined;
}): StreamState[] | undefined {
  if (input.state === undefined && input.status === undefined && !input.open) return undefined;
  return contract.StreamState.options.filter(
    (state) =>
      (input.state === undefined || state === input.state) &&
      (input.status === undefined || statusPair(state).status === input.status) &&
      (!input.open || isOpen(state)),
  );
}
