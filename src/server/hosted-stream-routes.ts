import { SwarmError } from '../contract/errors.ts';
import {
  listFiles,
  resolveConflicts,
  showConflicts,
  showDiff,
  showFullDiff,
} from '../contract/hosted-files.ts';
import { takeBack } from '../contract/hosted-repos.ts';
import * as api from '../contract/hosted-streams.ts';
import { getRepo } from '../contract/repos.ts';
import { createStream, listStreamCommits, recordHead, type Stream } from '../contract/streams.ts';
import { undo } from '../contract/undo.ts';
import { diffStream } from '../workflows/diff-stream.ts';
import { commitStaged } from '../workflows/hosted/commit-staged.ts';
import { conflictReport } from '../workflows/hosted/conflict-report.ts';
import { createHostedStream } from '../workflows/hosted/create-hosted-stream.ts';
import { type FileDecision, resolveHosted } from '../workflows/hosted/resolve-hosted.ts';
import { listStagedFiles } from '../workflows/hosted/staged-files.ts';
import type { LandingAtOnce } from '../workflows/land-at-once.ts';
import { undoOperation } from '../workflows/undo-operation.ts';
import { UNKNOWN_COMMIT, unmeasured, withCommit } from './client-facts.ts';
import {
  cloneOfStream,
  type HostedCall,
  hostedRoute,
  lastWrite,
  streamOf,
  workflowOf,
  writeLast,
} from './hosted-call.ts';
import { pushSoon } from './push-soon.ts';

const open = hostedRoute(api.openStream, async (call, input) => {
  const workflow = await workflowOf(call, input.repoId);
  if (workflow) return createHostedStream(workflow, input, lastWrite(call));
  const { bufferBranch } = await call.authority.call(getRepo, { repoId: input.repoId });
  const base = {
    baseBranch: input.baseBranch ?? bufferBranch,
    baseCommit: input.baseCommit ?? UNKNOWN_COMMIT,
  };
  return writeLast(call, createStream, { input: { ...input, ...base }, answer: (stream) => stream });
});

const commit = hostedRoute(api.commitOnStream, async (call, input) => {
  const { stream, workflow } = await streamOf(call, input.stream);
  if (!workflow) return recordCommit(call, stream, input);
  const made = await commitStaged(workflow, { stream: stream.id, message: input.message });
  if (made.kind === 'conflict') {
    throw new SwarmError('conflict', `What was staged clashes with what ${stream.handle} has become since.`, {
      fix: 'Read the files again and stage them anew.',
      details: { files: made.files },
    });
  }
  if (made.kind === 'nothing')
    return {
      commit: null,
      changeId: null,
      stream: made.stream,
      files: [],
      merged: false,
      conflict: null,
      waitsFor: null,
      cascade: null,
    };
  if (made.merge?.kind === 'merged') pushSoon(call.face, workflow, { tags: false });
  return {
    commit: made.commit,
    changeId: made.changeId,
    stream: made.stream,
    files: made.files,
    merged: made.merge?.kind === 'merged',
    conflict: made.merge?.kind === 'conflict' ? made.merge.files : null,
    waitsFor: made.merge && waitsFor(made.merge),
    cascade: made.cascade,
  };
});

function waitsFor(landing: LandingAtOnce): string | null {
  if (landing.kind === 'refused') return landing.error.message;
  if (landing.kind === 'queued') return landing.reason;
  return landing.kind === 'evicted' ? landing.packet.summary : null;
}

async function recordCommit(
  call: HostedCall,
  stream: Stream,
  input: {
    message: string;
    commit?: string | undefined;
    changeId?: string | undefined;
    facts?: api.ClientFacts;
  },
) {
  if (input.commit === undefined && !input.facts)
    throw new SwarmError(
      'invalid',
      'commit is missing: the clone is with you, and only you know what was committed.',
    );
  const { authority, caller } = call;
  const head = input.facts?.head ?? input.commit ?? stream.head;
  const { items } = await authority.call(listStreamCommits, { stream: stream.id });
  const { message, changeId } = input;
  const facts = input.facts ?? {
    head,
    base: stream.baseCommit,
    patchId: head === stream.head ? stream.patchId || unmeasured(head) : unmeasured(head),
    paths: stream.paths,
    commits: withCommit(items, { commit: head, message, changeId, author: caller.actor.name }),
  };
  const nothing = { files: [], merged: false, conflict: null, waitsFor: null, cascade: null };
  return writeLast(call, recordHead, {
    input: { stream: stream.id, facts, cause: 'commit' },
    answer: (recorded) => ({ ...nothing, commit: head, changeId: changeId ?? null, stream: recorded }),
  });
}

const undoing = hostedRoute(takeBack, async (call, { repoId, record }) => {
  const workflow = await workflowOf(call, repoId);
  return workflow
    ? (await undoOperation(workflow, record)).record
    : writeLast(call, undo, { input: { repoId, record }, answer: (undone) => undone });
});

const diff = hostedRoute(showDiff, async (call, input) => {
  const { base, head, stat, stream } = await diffOf(call, input, false);
  const perFile = stat.perFile.map((each) => ({
    path: each.path,
    insertions: each.insertions ?? null,
    deletions: each.deletions ?? null,
  }));
  const { files, insertions, deletions } = stat;
  return { streamId: stream.id, base, head, files, insertions, deletions, perFile };
});

const fullDiff = hostedRoute(showFullDiff, async (call, input) => {
  const { base, head, patch, stream } = await diffOf(call, input, true);
  return { streamId: stream.id, base, head, diff: patch };
});

async function diffOf(
  call: HostedCall,
  input: { stream: string; against?: string | undefined },
  withPatch: boolean,
) {
  const { stream, workflow } = await cloneOfStream(call, input.stream);
  return diffStream(workflow, { stream: stream.id, against: input.against, remember: true, withPatch });
}

const tree = hostedRoute(listFiles, async (call, input) => {
  const { stream, workflow } = await cloneOfStream(call, input.stream);
  const files = await listStagedFiles(workflow, stream);
  const after =
    input.cursor === undefined ? undefined : Buffer.from(input.cursor, 'base64url').toString('utf8');
  const start = after === undefined ? 0 : files.findIndex((file) => file.path === after) + 1;
  if (after !== undefined && start === 0)
    throw new SwarmError('invalid', 'The cursor is not one of this list.');
  const items = files.slice(start, start + input.limit);
  const last = items.at(-1);
  const isMore = start + items.length < files.length && last !== undefined;
  return { items, nextCursor: isMore ? Buffer.from(last.path).toString('base64url') : null };
});

const conflicts = hostedRoute(showConflicts, async (call, input) => {
  const { stream, workflow } = await cloneOfStream(call, input.stream);
  return conflictReport(workflow, stream);
});

const resolve = hostedRoute(resolveConflicts, async (call, input) => {
  const { stream, workflow } = await cloneOfStream(call, input.stream);
  const files = new Map<string, FileDecision>();
  for (const [path, decision] of Object.entries(input.files)) {
    if ('take' in decision) files.set(path, decision);
    else files.set(path, { content: Buffer.from(decision.content, decision.encoding), mode: decision.mode });
  }
  return resolveHosted(workflow, { stream: stream.id, files, strategy: input.strategy });
});

export const streamRoutes = [open, commit, undoing, diff, fullDiff, tree, conflicts, resolve];
