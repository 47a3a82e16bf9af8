import { newId } from '../base/ids.ts';
import { SwarmError } from '../contract/errors.ts';
import * as contract from '../contract/reviews.ts';
import type { RepoRow, ReviewRow, StreamRow } from '../db/tables.ts';
import { blocksWithVerdicts, homelessRejections, tallyBlocks } from '../domain/reviews/block-verdicts.ts';
import { type Block, blockId, commitKey } from '../domain/reviews/blocks.ts';
import { blocksOfStream, deleteJoin, insertJoins, listJoins } from '../domain/reviews/blocks-store.ts';
import { judgedFacts } from '../domain/reviews/consensus-store.ts';
import { insertReview, keepOnBlocks, listVerdictRows } from '../domain/reviews/reviews-store.ts';
import { moveStream } from '../domain/streams/move-stream.ts';
import { isOpen, refuseState } from '../domain/streams/stream-states.ts';
import {
  handleOfStream,
  insertStream,
  insertStreamAuthor,
  listAuthorIds,
  replaceCommits,
  stateOf,
  toStream,
} from '../domain/streams/streams-store.ts';
import { withdrawLiveMerge } from './merge-effects.ts';
import { type ActingContext, operation, query, type ReadContext } from './operation.ts';
import { factColumns, refreshApproval } from './stream-effects.ts';

type StreamContext = ReadContext & { repo: RepoRow; stream: StreamRow };

const list = query(contract.listBlocks, { on: 'stream', needs: 'read', run: (context) => answer(context) });

/** Blocks with the consensus on each, whether anyone has judged one by itself or not. */
async function answer({ db, repo, stream, now }: StreamContext) {
  const { facts, blocks: judged } = await judgedFacts(db, repo, stream, now);
  const plain = await blocksOfStream(db, stream);
  const blocks =
    judged.length > 0 ? judged : blocksWithVerdicts(plain, []).map((b) => ({ ...b, verdicts: [] }));
  const results = tallyBlocks(facts, blocks);
  const items = blocks.map((block, i) => shown(block, results[i]));
  const open = items.findIndex((item) => !item.reached);
  return { items, leading: open < 0 ? items.length : open };
}

function shown(
  block: Block,
  result: ReturnType<typeof tallyBlocks>[number] | undefined,
): contract.ReviewBlock {
  if (!result) throw new SwarmError('internal', `Block ${block.number} was not tallied.`);
  const { state, reached, approvals, rejections, reasons } = result;
  const title = block.commits[0]?.message.split('\n')[0] ?? '';
  const { id, number, commits, patchId } = block;
  return { id, number, title, commits, patchId, state, reached, approvals, rejections, reasons };
}

const split = operation(contract.splitBlock, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context, input) {
    const { db, stream } = context;
    const blocks = await blocksOfStream(db, stream);
    const wanted = input.commit.toLowerCase();
    const commits = blocks.flatMap((block) => block.commits);
    const found = commits.filter(
      ({ commit, changeId }) => commit.startsWith(wanted) || changeId.toLowerCase().startsWith(wanted),
    );
    const [commit] = found;
    if (!commit || found.length > 1) {
      const what = commit ? 'names several commits' : 'is no commit';
      throw new SwarmError(
        commit ? 'ambiguous' : 'not_found',
        `"${input.commit}" ${what} of stream ${handleOfStream(stream)}.`,
        { fix: `gitswarm review blocks ${handleOfStream(stream)}` },
      );
    }
    await deleteJoin(db, stream.id, commitKey(commit));
    return changed(context, { split: commit.commit });
  },
});

const merge = operation(contract.mergeBlocks, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context, { from, to }) {
    const { db, stream } = context;
    const blocks = await blocksOfStream(db, stream);
    if (from >= to || to > blocks.length) {
      throw new SwarmError(
        'invalid',
        `Blocks ${from} to ${to} are not neighbours among the ${blocks.length}.`,
        {
          fix: `gitswarm review blocks ${handleOfStream(stream)}`,
        },
      );
    }
    const first = blocks.slice(from, to).flatMap((block) => block.commits.slice(0, 1));
    await insertJoins(db, stream.id, first.map(commitKey));
    return changed(context, { merged: [from, to] });
  },
});

/** Verdicts on blocks that are other ones now count no more. */
async function changed(context: ActingContext & { repo: RepoRow; stream: StreamRow }, data: object) {
  const { stream, emit } = context;
  emit({ type: 'review.blocks_changed', subject: { type: 'stream', id: stream.id }, data: { ...data } });
  return answer({ ...context, stream: await refreshApproval(context, stream) });
}

const splitOff = operation(contract.splitOffStream, {
  on: 'stream',
  needs: 'author_or_maintain',
  async run(context, input) {
    const { db, stream, now, emit } = context;
    if (!isOpen(stateOf(stream))) refuseState(handleOfStream(stream), stateOf(stream), 'be split');
    await withdrawLiveMerge(context, stream, 'the stream was split');
    const blocks = await blocksOfStream(db, stream);
    const count = input.facts.commits.length;
    const verdicts = await listVerdictRows(db, stream.id, 10_000);
    const { handle: _handle, handle_length: _length, ...row } = stream;
    const leading = await insertStream(db, {
      ...row,
      ...factColumns(input.facts),
      id: input.id,
      name: `${stream.name} (first ${count === 1 ? 'commit' : `${count} commits`})`.slice(0, 255),
      branch: input.branch,
      source: 'cli',
      state: 'in_review',
      state_before: null,
      state_reason: null,
      conflict: null,
      task_id: null,
      merged_commit: null,
      created_at: now,
      updated_at: now,
    });
    for (const author of await listAuthorIds(db, stream)) {
      if (author !== stream.agent_id) await insertStreamAuthor(db, leading.id, author, now);
    }
    const joins = await listJoins(db, stream.id);
    await insertJoins(
      db,
      leading.id,
      input.facts.commits.map(commitKey).filter((key) => joins.has(key)),
    );
    await replaceCommits(db, leading.id, input.facts.commits);
    const changes = { ...factColumns(input.rest), parent_stream_id: leading.id };
    const rest = await moveStream(context, stream, 'change', changes);
    await replaceCommits(db, stream.id, input.rest.commits);
    await carryVerdicts(context, { verdicts, blocks, leading, rest, before: stream });
    emit({
      type: 'stream.split',
      subject: { type: 'stream', id: stream.id },
      data: { leadingStreamId: leading.id, commits: count },
    });
    return {
      leading: await toStream(db, await refreshApproval(context, leading)),
      rest: await toStream(db, await refreshApproval(context, rest)),
    };
  },
});

interface Parts {
  verdicts: ReviewRow[];
  blocks: Block[];
  before: StreamRow;
  leading: StreamRow;
  rest: StreamRow;
}

/** Who judged the whole judged both parts of it; a verdict on a block goes with its block. */
async function carryVerdicts({ db, clock }: ActingContext, parts: Parts): Promise<void> {
  const { leading, rest } = parts;
  const leadingBlocks = new Set((await blocksOfStream(db, leading)).map((block) => block.id));
  for (const verdict of parts.verdicts) {
    if (verdict.review_block_id === null) {
      if (verdict.patch_id !== parts.before.patch_id) continue;
      for (const { id, head, patch_id } of [leading, rest]) {
        await insertReview(db, { ...verdict, id: newId(clock.now()), stream_id: id, head, patch_id });
      }
      continue;
    }
    const block = parts.blocks.find((each) => each.id === verdict.review_block_id);
    if (!block) continue;
    const review_block_id = blockId(leading.id, block.commits.map(commitKey));
    if (!leadingBlocks.has(review_block_id)) continue;
    const moved = { id: newId(clock.now()), stream_id: leading.id, head: leading.head, review_block_id };
    await insertReview(db, { ...verdict, ...moved, stream_patch_id: leading.patch_id });
  }
  for (const verdict of homelessRejections(parts.verdicts, parts.blocks, parts.before.patch_id)) {
    const isTakenBack = parts.verdicts.some(
      (each) =>
        each.review_block_id === null &&
        each.reviewer_id === verdict.reviewer_id &&
        each.patch_id === parts.before.patch_id &&
        each.reviewed_at > verdict.reviewed_at,
    );
    if (isTakenBack) continue;
    const whole = { review_block_id: null, stream_patch_id: null, standing: 1 };
    for (const { id, head, patch_id } of [leading, rest]) {
      await insertReview(db, { ...verdict, ...whole, id: newId(clock.now()), stream_id: id, head, patch_id });
    }
  }
  await keepOnBlocks(db, rest, parts.before.patch_id);
}

export const blockOperations = [list, split, merge, splitOff];
