import { SwarmError } from '../contract/errors.ts';
import * as api from '../contract/hosted-api.ts';
import { landMerge, listMerges, prepareMerge, requestMerge } from '../contract/merges.ts';
import { repoOwnedKeys, serverOwnedKeys } from '../contract/repo-files.ts';
import { explainAccess, getRepo, setConfig } from '../contract/repos.ts';
import { submitReview } from '../contract/reviews.ts';
import { recordPromotion, recordStabilization, requestPromotion } from '../contract/stabilizations.ts';
import {
  abandonStream,
  createStream,
  finishStream,
  listStreamCommits,
  pauseStream,
  recordHead,
  resumeStream,
  type Stream,
  submitStream,
} from '../contract/streams.ts';
import { undo } from '../contract/undo.ts';
import { adoptBranch } from '../workflows/adopt.ts';
import { diffStream } from '../workflows/diff-stream.ts';
import { driveQueue } from '../workflows/drive-queue.ts';
import { measureStream } from '../workflows/facts.ts';
import { commitStaged } from '../workflows/hosted/commit-staged.ts';
import { conflictReport } from '../workflows/hosted/conflict-report.ts';
import { createHostedStream } from '../workflows/hosted/create-hosted-stream.ts';
import { type FileDecision, resolveHosted } from '../workflows/hosted/resolve-hosted.ts';
import { listStagedFiles } from '../workflows/hosted/staged-files.ts';
import { mergeStream } from '../workflows/merge-stream.ts';
import { promote } from '../workflows/promote.ts';
import { revertStream } from '../workflows/revert-stream.ts';
import { judgeStream, requestReview } from '../workflows/review-stream.ts';
import { stabilize } from '../workflows/stabilize.ts';
import { approveCommand, untrustedCommands } from '../workflows/trust.ts';
import { undoOperation } from '../workflows/undo-operation.ts';
import type { Workflow } from '../workflows/workflow.ts';
import { clientFacts, UNKNOWN_COMMIT, unmeasured, withCommit } from './client-facts.ts';
import { type HostedCall, type HostedRoute, hostedRoute, streamOf, workflowOf } from './hosted-call.ts';
import { pushSoon } from './push-soon.ts';

const create = hostedRoute(api.makeRepo, async ({ face, caller }, { config, ...wish }) =>
  face.server.hosted.create({ ...wish, config: config as never }, caller),
);

const settings = hostedRoute(api.changeSettings, (call, input) => change(call, input));

const updateRepo = hostedRoute(api.updateRepo, (call, { repoId, ...named }) => {
  const changes = Object.entries(named).map(([name, value]) => [settingName(name), value]);
  return change(call, { repoId, changes: Object.fromEntries(changes) });
});

/** `mergeMode` is `merge_mode`: settings go by the names they have in their file. */
function settingName(name: string): string {
  const known = [...repoOwnedKeys, ...serverOwnedKeys];
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return known.includes(snake) ? snake : name;
}

const showSettings = hostedRoute(api.showSettings, async ({ authority }, input) => {
  const { config, configSource, configBlob, settings } = await authority.call(getRepo, input);
  return { config, configSource, configBlob, settings };
});

async function change(call: HostedCall, input: { repoId: string; changes: Record<string, unknown> }) {
  const workflow = await workflowOf(call, input.repoId);
  const repo = await call.authority.call(setConfig, input);
  // Whoever may set a command over the network has read it.
  const { stabilize_command: command } = input.changes;
  if (workflow && typeof command === 'string') approveCommand(workflow, 'stabilize_command', command);
  return repo;
}

const trust = hostedRoute(api.trustCommands, async (call, { repoId }) => {
  const workflow = await cloneOf(call, repoId);
  const agent = call.caller.actor.id;
  const access = await call.authority.call(explainAccess, { repoId, agent });
  if (access.level !== 'admin')
    throw new SwarmError('not_allowed', 'Only owners approve the commands of a repository.');
  const approved = untrustedCommands(workflow);
  for (const { setting, text } of approved) approveCommand(workflow, setting, text);
  return { approved };
});

const open = hostedRoute(api.openStream, async (call, input) => {
  const workflow = await workflowOf(call, input.repoId);
  if (workflow) return createHostedStream(workflow, input);
  const { bufferBranch } = await call.authority.call(getRepo, { repoId: input.repoId });
  return call.authority.call(createStream, {
    ...input,
    baseBranch: input.baseBranch ?? bufferBranch,
    baseCommit: input.baseCommit ?? UNKNOWN_COMMIT,
  });
});

const update = hostedRoute(api.updateStream, async (call, input) => {
  const { stream, workflow } = await streamOf(call, input.stream);
  const { authority } = call;
  const { reason } = input;
  if (input.status === 'abandoned')
    return (await authority.call(abandonStream, { stream: stream.id, reason })).stream;
  if (input.status === 'paused') return authority.call(pauseStream, { stream: stream.id, reason });
  if (input.status === 'active') return authority.call(resumeStream, { stream: stream.id });
  if (workflow) {
    throw new SwarmError('wrong_state', 'The server itself lands the streams of this repository.', {
      fix: `POST /streams/${stream.id}/merge`,
    });
  }
  return recordLanding(call, stream, input);
});

/** A landing is recorded only where the server has permitted one of exactly this head, and the gate still stands open. */
async function recordLanding(
  { authority, caller }: HostedCall,
  stream: Stream,
  { mergeCommit, bufferBefore }: { mergeCommit?: string | undefined; bufferBefore?: string | undefined },
): Promise<Stream> {
  if (mergeCommit === undefined) throw new SwarmError('invalid', 'mergeCommit is missing.');
  const { items } = await authority.call(listMerges, { repoId: stream.repoId, stream: stream.id, limit: 20 });
  const landed = items.find((each) => each.state === 'landed' && each.commit === mergeCommit);
  if (landed) return stream;
  const permit = items.find((each) => each.state === 'requested' || each.state === 'prepared');
  if (!permit) {
    throw new SwarmError('gate_not_met', `No landing of ${stream.handle} has been permitted.`, {
      fix: `POST /streams/${stream.id}/merge`,
    });
  }
  const holder = `client of ${caller.actor.id}`;
  const isPrepared = permit.state === 'prepared' && permit.commit === mergeCommit;
  if (!isPrepared) {
    await authority.call(prepareMerge, {
      merge: permit.id,
      commit: mergeCommit,
      bufferBefore: bufferBefore ?? UNKNOWN_COMMIT,
      holder,
      expectCommit: permit.commit,
    });
  }
  const answer = await authority.call(landMerge, { merge: permit.id, commit: mergeCommit });
  return answer.stream ?? stream;
}

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
    cascade: made.cascade,
  };
});

async function recordCommit(
  { authority, caller }: HostedCall,
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
  const recorded = await authority.call(recordHead, { stream: stream.id, facts, cause: 'commit' });
  const nothing = { files: [], merged: false, conflict: null, cascade: null };
  return { ...nothing, commit: head, changeId: changeId ?? null, stream: recorded };
}

const submit = hostedRoute(api.askForReview, async (call, input) => {
  const { stream, workflow } = await streamOf(call, input.stream);
  if (workflow) return (await requestReview(workflow, stream.id, input.note)).stream;
  const facts = await clientFacts(call.authority, stream, input);
  return call.authority.call(submitStream, { stream: stream.id, note: input.note, facts });
});

const finish = hostedRoute(api.sayFinished, async (call, input) => {
  const { stream, workflow } = await streamOf(call, input.stream);
  // What has landed is measured where the clone is: nobody finishes a stream by saying so.
  const facts = workflow
    ? await measureStream(workflow, await adoptBranch(workflow, stream))
    : await clientFacts(call.authority, stream, input);
  return call.authority.call(finishStream, { stream: stream.id, note: input.note, facts });
});

const undoing = hostedRoute(api.takeBack, async (call, { repoId, record }) => {
  const workflow = await workflowOf(call, repoId);
  return workflow
    ? (await undoOperation(workflow, record)).record
    : call.authority.call(undo, { repoId, record });
});

const review = hostedRoute(api.judge, async (call, input) => {
  const { stream, workflow } = await streamOf(call, input.stream);
  const { verdict, feedback, tested, head } = input;
  if (!workflow) {
    const facts = input.facts ? { facts: input.facts } : {};
    return call.authority.call(submitReview, {
      stream: stream.id,
      verdict,
      feedback,
      tested,
      head,
      ...facts,
    });
  }
  const given = await judgeStream(workflow, { stream: stream.id, verdict, feedback, tested, head });
  if (given.kind !== 'verdict') throw new SwarmError('internal', 'A verdict was given and none came back.');
  return { review: given.review, stream: given.stream, consensus: given.consensus };
});

const merge = hostedRoute(api.askForMerge, async (call, input) => {
  const { stream, workflow } = await streamOf(call, input.stream);
  const { force, reason, priority } = input;
  if (!workflow) {
    const facts = await clientFacts(call.authority, stream, input);
    const asked = await call.authority.call(requestMerge, {
      stream: stream.id,
      facts,
      force,
      reason,
      priority,
    });
    const { bufferBranch } = await call.authority.call(getRepo, { repoId: stream.repoId });
    const { position } = asked.merge;
    return {
      approved: true as const,
      merged: false,
      commit: null,
      bufferBranch,
      position,
      waitsFor: null,
      ...asked,
    };
  }
  const result = await mergeStream(workflow, stream.id, { force, reason, priority, wait: input.wait });
  const after = (await streamOf(call, stream.id)).stream;
  if (result.kind === 'conflict') {
    const { onto, files } = await conflictReport(workflow, after);
    throw new SwarmError('conflict', `${stream.handle} conflicts with ${workflow.repo.bufferBranch}.`, {
      fix: `POST /streams/${stream.id}/resolve with the files as they are to be, then merge again.`,
      details: { onto, files },
    });
  }
  if (result.kind === 'evicted')
    throw new SwarmError('gate_not_met', `The tests of ${stream.handle} are red: it has left the queue.`, {
      details: { packet: result.packet },
    });
  if (result.kind === 'merged') pushSoon(call.face, workflow, { tags: false });
  return {
    approved: true as const,
    merged: result.kind === 'merged',
    commit: result.kind === 'merged' ? result.commit : null,
    bufferBranch: workflow.repo.bufferBranch,
    position: result.kind === 'queued' ? result.position : null,
    waitsFor: result.kind === 'queued' ? result.reason : null,
    merge: null,
    stream: after,
  };
});

const diff = hostedRoute(api.showDiff, async (call, input) => {
  const { base, head, stat, stream } = await diffOf(call, input, false);
  const perFile = stat.perFile.map((each) => ({
    path: each.path,
    insertions: each.insertions ?? null,
    deletions: each.deletions ?? null,
  }));
  const { files, insertions, deletions } = stat;
  return { streamId: stream.id, base, head, files, insertions, deletions, perFile };
});

const fullDiff = hostedRoute(api.showFullDiff, async (call, input) => {
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

const tree = hostedRoute(api.listFiles, async (call, input) => {
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

const conflicts = hostedRoute(api.showConflicts, async (call, input) => {
  const { stream, workflow } = await cloneOfStream(call, input.stream);
  return conflictReport(workflow, stream);
});

const resolve = hostedRoute(api.resolveConflicts, async (call, input) => {
  const { stream, workflow } = await cloneOfStream(call, input.stream);
  const files = new Map<string, FileDecision>();
  for (const [path, decision] of Object.entries(input.files)) {
    if ('take' in decision) files.set(path, decision);
    else files.set(path, { content: Buffer.from(decision.content, decision.encoding), mode: decision.mode });
  }
  return resolveHosted(workflow, { stream: stream.id, files, strategy: input.strategy });
});

const run = hostedRoute(api.runQueue, async (call, { repoId }) => {
  const workflow = await cloneOf(call, repoId);
  await requireWrite(call, repoId);
  const ran = await driveQueue(workflow);
  if (ran.landed.length > 0) pushSoon(call.face, workflow, { tags: false });
  return {
    landed: ran.landed.length,
    conflicted: ran.conflicted.length,
    evicted: ran.evicted.length,
    refused: ran.refused.length,
    waiting: ran.waiting.length,
  };
});

const revert = hostedRoute(api.revertMerge, async (call, input) => {
  const workflow = await cloneOf(call, input.repoId);
  await requireWrite(call, input.repoId);
  const { items } = await workflow.authority.call(listMerges, {
    repoId: input.repoId,
    state: 'landed',
    limit: 200,
  });
  const landing = items.find((each) => each.id === input.merge || each.handle === input.merge);
  if (!landing?.streamId) throw new SwarmError('not_found', `There is no landing "${input.merge}".`);
  const result = await revertStream(workflow, landing.streamId, input.reason);
  if (result.kind === 'conflict')
    throw new SwarmError('conflict', 'What landed since builds on it: it cannot be taken back by itself.', {
      details: { files: result.files },
    });
  pushSoon(call.face, workflow, { tags: false });
  return { commit: result.commit, stream: result.stream, reopenedTask: result.reopenedTask };
});

const stabilizing = hostedRoute(api.stabilizeRepo, async (call, input) => {
  const workflow = await workflowOf(call, input.repoId);
  if (workflow) {
    await requireWrite(call, input.repoId);
    const { result, commit, tag, task, promoted, reason, output } = await stabilize(workflow);
    pushSoon(call.face, workflow, { tags: true });
    return { result, commit, tag, stabilization: null, task, promote: false, promoted, reason, output };
  }
  const { result, commit } = input;
  if (result === undefined || commit === undefined)
    throw new SwarmError('invalid', 'result and commit are missing: the clone is with you, and you test it.');
  const details = typeof input.details === 'string' ? input.details : JSON.stringify(input.details);
  const recorded = await call.authority.call(recordStabilization, { ...input, result, commit, details });
  return {
    result,
    commit,
    tag: input.tag,
    stabilization: recorded.stabilization,
    task: recorded.task,
    promote: recorded.mayPromote,
    promoted: false,
    reason: null,
    output: '',
  };
});

const promoting = hostedRoute(api.promoteRepo, async (call, input) => {
  const { repoId } = input;
  const workflow = await workflowOf(call, repoId);
  if (workflow) {
    await requireWrite(call, repoId);
    const done = await promote(workflow, { tag: input.tag });
    if (done.promoted) pushSoon(call.face, workflow, { tags: true });
    return { ...done, promotion: null };
  }
  const toCommit = input.toCommit ?? input.commit;
  if (toCommit === undefined) throw new SwarmError('invalid', 'commit is missing: the clone is with you.');
  const repo = await call.authority.call(getRepo, { repoId });
  await call.authority.call(requestPromotion, { repoId, toCommit });
  const { fromCommit, untested } = input;
  const promotion = await call.authority.call(recordPromotion, { repoId, fromCommit, toCommit, untested });
  const { bufferBranch: from, promoteTarget: to } = repo;
  return { promoted: true, from, to, fromCommit, toCommit, untested, promotion };
});

async function cloneOf(call: HostedCall, repoId: string): Promise<Workflow> {
  const workflow = await workflowOf(call, repoId);
  if (workflow) return workflow;
  throw noClone();
}

export async function cloneOfStream(
  call: HostedCall,
  ref: string,
): Promise<{ stream: Stream; workflow: Workflow }> {
  const { stream, workflow } = await streamOf(call, ref);
  if (workflow) return { stream, workflow };
  throw noClone();
}

function noClone(): SwarmError {
  return new SwarmError(
    'wrong_state',
    'The clone of this repository is with its clients: the server has no files of it.',
    {
      fix: 'Ask where a clone is, or make the repository with POST /repos.',
    },
  );
}

/** Asked before a command runs or a branch may move: no operation takes that back. */
async function requireWrite({ authority, caller }: HostedCall, repoId: string): Promise<void> {
  const access = await authority.call(explainAccess, { repoId, agent: caller.actor.id });
  if (access.level !== null && access.level !== 'read') return;
  throw new SwarmError('not_allowed', `${caller.actor.name} may only read this repository.`, {
    details: { needs: 'write', has: access.level, reasons: access.reasons },
  });
}

/** By the name of their endpoint: they take the place of a contract's route of the same name. */
export const hostedRoutes: ReadonlyMap<string, HostedRoute> = new Map(
  [
    ...[
      create,
      settings,
      updateRepo,
      showSettings,
      trust,
      open,
      update,
      commit,
      submit,
      finish,
      undoing,
      review,
      merge,
      diff,
      fullDiff,
      tree,
    ],
    ...[conflicts, resolve, run, revert, stabilizing, promoting],
  ].map((route) => [route.endpoint.name, route]),
);
