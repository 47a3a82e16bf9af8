import { SwarmError } from '../contract/errors.ts';
import * as api from '../contract/hosted-repos.ts';
import { listMerges } from '../contract/merges.ts';
import { repoOwnedKeys, serverOwnedKeys } from '../contract/repo-files.ts';
import { explainAccess, getRepo, setConfig } from '../contract/repos.ts';
import { recordPromotion, recordStabilization, requestPromotion } from '../contract/stabilizations.ts';
import { driveQueue } from '../workflows/drive-queue.ts';
import { promote } from '../workflows/promote.ts';
import { revertStream } from '../workflows/revert-stream.ts';
import { stabilize } from '../workflows/stabilize.ts';
import { approveCommand, untrustedCommands } from '../workflows/trust.ts';
import { cloneOf, type HostedCall, hostedRoute, requireWrite, workflowOf } from './hosted-call.ts';
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

export const repoRoutes = [
  create,
  settings,
  updateRepo,
  showSettings,
  trust,
  run,
  revert,
  stabilizing,
  promoting,
];
