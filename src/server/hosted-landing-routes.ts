import { SwarmError } from '../contract/errors.ts';
import * as api from '../contract/hosted-streams.ts';
import { landMerge, listMerges, prepareMerge, requestMerge } from '../contract/merges.ts';
import { getRepo } from '../contract/repos.ts';
import { nextReview, submitReview } from '../contract/reviews.ts';
import {
  abandonStream,
  finishStream,
  pauseStream,
  resumeStream,
  type Stream,
  submitStream,
} from '../contract/streams.ts';
import { adoptBranch } from '../workflows/adopt.ts';
import { measureStream } from '../workflows/facts.ts';
import { conflictReport } from '../workflows/hosted/conflict-report.ts';
import { mergeStream } from '../workflows/merge-stream.ts';
import { judgeStream, nextForReview, requestReview } from '../workflows/review-stream.ts';
import { cleanSoon } from './clean-soon.ts';
import { clientFacts, UNKNOWN_COMMIT } from './client-facts.ts';
import {
  type HostedCall,
  hostedRoute,
  openStreamOf,
  streamOf,
  workflowOf,
  writeLast,
} from './hosted-call.ts';
import { pushSoon } from './push-soon.ts';

/**
 * Ends the work on a stream. Where all of it has landed commit by commit, its author is done; otherwise it is given up.
 */
const close = hostedRoute(abandonStream, async (call, input) => {
  const { stream, workflow } = await openStreamOf(call, input.stream);
  const isAuthor = [stream.authorId, ...stream.coAuthorIds].includes(call.caller.actor.id);
  if (workflow && isAuthor && stream.mergedCommit !== null) {
    const facts = await measureStream(workflow, await adoptBranch(workflow, stream));
    if (facts.commits.length === 0) {
      const finished = await call.authority.call(finishStream, { stream: stream.id, facts });
      cleanSoon(call.face, workflow, finished);
      return { stream: finished, alsoAbandoned: [], paused: [] };
    }
  }
  return writeLast(call, abandonStream, { input: { ...input, stream: stream.id }, answer: (made) => made });
});

const update = hostedRoute(api.updateStream, async (call, input) => {
  const { stream, workflow } = await streamOf(call, input.stream);
  const named = { stream: stream.id, reason: input.reason };
  if (input.status === 'abandoned')
    return writeLast(call, abandonStream, { input: named, answer: (made) => made.stream });
  if (input.status === 'paused') return writeLast(call, pauseStream, { input: named, answer: itself });
  if (input.status === 'active') return writeLast(call, resumeStream, { input: named, answer: itself });
  if (workflow) {
    throw new SwarmError('wrong_state', 'The server itself lands the streams of this repository.', {
      fix: `POST /streams/${stream.id}/merge`,
    });
  }
  return recordLanding(call, stream, input);
});

const itself = (stream: Stream) => stream;

/** A landing is recorded only where the server has permitted one of exactly this head, and the gate still stands open. */
async function recordLanding(
  call: HostedCall,
  stream: Stream,
  { mergeCommit, bufferBefore }: { mergeCommit?: string | undefined; bufferBefore?: string | undefined },
): Promise<Stream> {
  if (mergeCommit === undefined) throw new SwarmError('invalid', 'mergeCommit is missing.');
  const { authority, caller } = call;
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
  return writeLast(call, landMerge, {
    input: { merge: permit.id, commit: mergeCommit },
    answer: (landed) => landed.stream ?? stream,
  });
}

const submit = hostedRoute(api.askForReview, async (call, input) => {
  const { stream, workflow } = await openStreamOf(call, input.stream);
  if (workflow) return (await requestReview(workflow, stream.id, input.note)).stream;
  const facts = await clientFacts(call.authority, stream, input);
  return writeLast(call, submitStream, {
    input: { stream: stream.id, note: input.note, facts },
    answer: itself,
  });
});

const finish = hostedRoute(api.sayFinished, async (call, input) => {
  const { stream, workflow } = await openStreamOf(call, input.stream);
  // What has landed is measured where the clone is: nobody finishes a stream by saying so.
  const facts = workflow
    ? await measureStream(workflow, await adoptBranch(workflow, stream))
    : await clientFacts(call.authority, stream, input);
  const finished = await writeLast(call, finishStream, {
    input: { stream: stream.id, note: input.note, facts },
    answer: itself,
  });
  if (workflow) cleanSoon(call.face, workflow, finished);
  return finished;
});

const review = hostedRoute(api.judge, async (call, input) => {
  const { stream, workflow } = await openStreamOf(call, input.stream);
  const { verdict, feedback, tested, head, block } = input;
  if (!workflow) {
    const facts = input.facts ? { facts: input.facts } : {};
    return writeLast(call, submitReview, {
      input: { stream: stream.id, verdict, feedback, tested, head, block, ...facts },
      answer: (made) => made,
    });
  }
  const given = await judgeStream(workflow, { stream: stream.id, verdict, feedback, tested, head, block });
  return { review: given.review, stream: given.stream, consensus: given.consensus };
});

/** What is shown is remembered: a verdict that names no head is about that one. */
const nextToReview = hostedRoute(nextReview, async (call, input) => {
  const workflow = await workflowOf(call, input.repoId);
  if (!workflow) return call.authority.call(nextReview, input);
  const { stream, why } = await nextForReview(workflow);
  return { stream, why };
});

const merge = hostedRoute(api.askForMerge, async (call, input) => {
  const { stream, workflow } = await openStreamOf(call, input.stream);
  const { id, force, reason, priority } = input;
  if (!workflow) {
    const facts = await clientFacts(call.authority, stream, input);
    const { bufferBranch } = await call.authority.call(getRepo, { repoId: stream.repoId });
    const permit = { approved: true as const, merged: false, commit: null, bufferBranch, waitsFor: null };
    return writeLast(call, requestMerge, {
      input: { stream: stream.id, id, facts, force, reason, priority },
      answer: (asked) => ({ ...permit, position: asked.merge.position, ...asked }),
    });
  }
  const result = await mergeStream(workflow, stream.id, { id, force, reason, priority, wait: input.wait });
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
  if (result.kind === 'merged') {
    pushSoon(call.face, workflow, { tags: false });
    cleanSoon(call.face, workflow, after);
  }
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

export const landingRoutes = [close, update, submit, finish, review, nextToReview, merge];
