import type { Attention } from '../contract/status.ts';
import { type Stream, StreamState } from '../contract/streams.ts';
import type { AgentRow, RepoRow } from '../db/tables.ts';
import { includesLevel } from '../domain/access/access.ts';
import { accessOf, listMaintainerRows } from '../domain/access/access-store.ts';
import { listOwners } from '../domain/access/owners-store.ts';
import { findAgent } from '../domain/agents/agents-store.ts';
import { listQueueRows } from '../domain/merges/merges-store.ts';
import { branchPolicy } from '../domain/repos/branch-rules.ts';
import { configInForce } from '../domain/repos/repos-store.ts';
import { attentionFor, type Carriers } from '../domain/streams/attention.ts';
import { isOpen } from '../domain/streams/stream-states.ts';
import { countStreams, listStreamRows, toStreams } from '../domain/streams/streams-store.ts';
import { parentOf } from './gate.ts';
import { isMaintainer } from './is-maintainer.ts';
import { assignedReviewers, awaitingVerdicts } from './next-reviewer.ts';
import type { ReadContext } from './operation.ts';
import { isFrozenByRed } from './queue.ts';

type RepoContext = ReadContext & { repo: RepoRow };

const MOST_SHOWN = 200;

/**
 * Open streams with the one who acts next on each; what waits comes before what is being worked on. `omitted` are the
 * open ones beyond those.
 */
export async function attentionOf(context: RepoContext): Promise<{ items: Attention[]; omitted: number }> {
  const { db, repo } = context;
  const ofState = (states: StreamState[]) =>
    listStreamRows(db, { repoId: repo.id, states, limit: MOST_SHOWN });
  const rows = [
    ...(await ofState(['in_review'])),
    ...(await ofState(['changes_requested', 'approved', 'conflicted', 'paused', 'queued'])),
    ...(await ofState(['active'])),
  ];
  const awaiting = await awaitingVerdicts(context, rows);
  const awaitingIds = new Set(awaiting.map(({ row }) => row.id));
  const reviewers = await assignedReviewers(context, awaiting);
  const people = await peopleOf(context);
  const heldUp = await heldUpOf(context);
  const items: Attention[] = [];
  for (const stream of await toStreams(db, rows)) {
    const carriers: Carriers = {
      state: stateNow(stream, awaitingIds),
      author: await people.firstAuthor(stream),
      performer: await people.performer(stream),
      owner: people.owner,
      reviewer: reviewers.get(stream.id),
      waitsForParent: await openParent(context, stream),
      held: heldUp(stream),
    };
    items.push(attentionFor(stream, carriers));
  }
  const counts = await countStreams(db, repo.id);
  const open = StreamState.options.filter((state) => isOpen(state));
  const omitted = open.reduce((sum, state) => sum + (counts[state] ?? 0), 0) - items.length;
  return { items, omitted: Math.max(0, omitted) };
}

async function openParent({ db }: RepoContext, { state, parentStreamId }: Stream) {
  if (state !== 'approved' || parentStreamId === null) return undefined;
  const parent = await parentOf(db, parentStreamId);
  return parent.is === 'open' ? parent.handle : undefined;
}

/** Consensus may have been lost, or reached by a change of the rules, without anything happening to the stream. */
function stateNow({ id, state }: Stream, awaitingIds: ReadonlySet<string>): StreamState {
  if (state !== 'in_review' && state !== 'approved') return state;
  return awaitingIds.has(id) ? 'in_review' : 'approved';
}

/** Who may do what here; each agent is looked up once. */
async function peopleOf(context: RepoContext) {
  const { db, repo, now } = context;
  const known = new Map<string, Promise<AgentRow | undefined>>();
  const atWork = (id: string) => {
    const found = known.get(id) ?? findAtWork(context, id);
    known.set(id, found);
    return found;
  };
  const owner = (await listOwners(db, repo.id)).find((each) => each.status === 'active');
  const config = configInForce(repo);
  const isForMaintainers = branchPolicy(config.buffer_branch, config).maintainersOnly;
  const maintainer = isForMaintainers ? await firstMaintainer(context) : undefined;
  const firstAuthor = async (stream: Stream) => {
    for (const id of [stream.authorId, ...stream.coAuthorIds]) {
      const agent = await atWork(id);
      if (agent) return agent;
    }
    return undefined;
  };
  return {
    owner,
    firstAuthor,
    /** Where only maintainers land streams: its author who is one, else the first of them. */
    async performer(stream: Stream): Promise<AgentRow | undefined> {
      if (!isForMaintainers) return undefined;
      const author = await firstAuthor(stream);
      const access = author && (await accessOf(db, repo, author, now));
      return access && includesLevel(access.level, 'maintain') ? author : maintainer;
    },
  };
}

/** In an archived repository nobody may write; what is told there is who could otherwise. */
async function findAtWork({ db, repo, now }: RepoContext, id: string): Promise<AgentRow | undefined> {
  const agent = await findAgent(db, id);
  if (agent?.status !== 'active') return undefined;
  const { level } = await accessOf(db, { ...repo, status: 'active' }, agent, now);
  return includesLevel(level, 'write') ? agent : undefined;
}

async function firstMaintainer(context: RepoContext): Promise<AgentRow | undefined> {
  for (const row of await listMaintainerRows(context.db, context.repo.id)) {
    const agent = await findAgent(context.db, row.agent_id);
    if (agent && (await isMaintainer(context, agent))) return agent;
  }
  return undefined;
}

/** What holds a queued stream up, if anything: a pause all of them, a freeze those that mend nothing. */
async function heldUpOf(context: RepoContext): Promise<(stream: Stream) => Carriers['held']> {
  const { db, repo } = context;
  if (repo.queue_paused === 1) return () => ({ kind: 'paused', reason: 'the queue is paused' });
  const reason = repo.frozen_reason;
  if (reason === null) return () => null;
  const kind = (await isFrozenByRed(context)) ? 'frozen_by_red' : 'frozen_by_hand';
  const fixes = new Set(
    (await listQueueRows(db, repo.id)).filter((row) => row.is_fix === 1).map((row) => row.stream_id),
  );
  return (stream) => (fixes.has(stream.id) ? null : { kind, reason });
}
