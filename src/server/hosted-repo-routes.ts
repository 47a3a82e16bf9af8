import { createHash } from 'node:crypto';
import { SwarmError } from '../contract/errors.ts';
import * as api from '../contract/hosted-repos.ts';
import { listMerges } from '../contract/merges.ts';
import { repoOwnedKeys, serverOwnedKeys } from '../contract/repo-files.ts';
import { explainAccess, getRepo, reportConfig, setConfig } from '../contract/repos.ts';
import { recordPromotion, recordStabilization, requestPromotion } from '../contract/stabilizations.ts';
import { includesLevel } from '../domain/access/access.ts';
import { parseConfigFile } from '../workflows/config-file.ts';
import { driveQueue } from '../workflows/drive-queue.ts';
import { promote } from '../workflows/promote.ts';
import { revertStream } from '../workflows/revert-stream.ts';
import { stabilize } from '../workflows/stabilize.ts';
import { approveCommand, untrustedCommands } from '../workflows/trust.ts';
import {
  cloneOf,
  type HostedCall,
  hostedRoute,
  lastWrite,
  requireLevel,
  workflowOf,
  writeLast,
} from './hosted-call.ts';
import { pushSoon } from './push-soon.ts';

const create = hostedRoute(api.makeRepo, async (call, { config, ...wish }) =>
  call.face.server.hosted.create({ ...wish, config: config as never }, call.caller, lastWrite(call)),
);

const settings = hostedRoute(api.changeSettings, (call, input) => change(call, input));

const updateRepo = hostedRoute(api.updateRepo, (call, { repoId, ...named }) => {
  const changes = Object.entries(named).map(([name, value]) => [settingName(name), value]);
  return change(call, { repoId, changes: Object.fromEntries(changes), fileWritten: false });
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

async function change(
  call: HostedCall,
  {
    repoId,
    changes,
    fileWritten,
  }: { repoId: string; changes: Record<string, unknown>; fileWritten: boolean },
) {
  const workflow = await workflowOf(call, repoId);
  // Only whoever has a checkout can have written the file too.
  const wish = { repoId, changes, fileWritten: fileWritten && !workflow };
  const repo = await call.authority.call(setConfig, wish);
  // Whoever may set a command over the network has read it.
  const { stabilize_command: command } = changes;
  if (workflow && typeof command === 'string') approveCommand(workflow, 'stabilize_command', command);
  return repo;
}

const reportFile = hostedRoute(api.reportConfigFile, async (call, { repoId, text }) => {
  await requireLevel(call, repoId, 'maintain');
  if (await workflowOf(call, repoId))
    throw new SwarmError(
      'wrong_state',
      'The clone of this repository is here: the server reads the file itself.',
    );
  if (text === null) {
    const input = { repoId, blob: null, config: null };
    return writeLast(call, reportConfig, { input, answer: (repo) => repo });
  }
  const { bufferBranch, promoteTarget } = await call.authority.call(getRepo, { repoId });
  const parsed = parseConfigFile(text);
  if (parsed.kind === 'unusable')
    throw new SwarmError(
      'invalid',
      `The file is not usable, the settings before it stay in force: ${parsed.reason}`,
    );
  const config = { ...parsed.config };
  if (!parsed.named.includes('buffer_branch')) config.buffer_branch = bufferBranch;
  if (!parsed.named.includes('promote_target')) config.promote_target = promoteTarget;
  if (config.buffer_branch === config.promote_target)
    throw new SwarmError('invalid', `Buffer and target cannot both be "${config.buffer_branch}".`);
  const input = { repoId, blob: blobId(text), config };
  return writeLast(call, reportConfig, { input, answer: (repo) => repo });
});

/** As git names these bytes. */
function blobId(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

const trust = hostedRoute(api.trustCommands, async (call, { repoId }) => {
  const workflow = await cloneOf(call, repoId);
  await requireLevel(call, repoId, 'admin');
  const approved = untrustedCommands(workflow);
  for (const { setting, text } of approved) approveCommand(workflow, setting, text);
  return { approved };
});

const run = hostedRoute(api.runQueue, async (call, { repoId }) => {
  const workflow = await cloneOf(call, repoId);
  await requireLevel(call, repoId, 'write');
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
  await requireLevel(call, input.repoId, 'write');
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
    await requireLevel(call, input.repoId, 'write');
    const { result, commit, tag, task, promoted, reason, output } = await stabilize(workflow);
    pushSoon(call.face, workflow, { tags: true });
    return { result, commit, tag, stabilization: null, task, promote: false, promoted, reason, output };
  }
  const { result, commit } = input;
  if (result === undefined || commit === undefined)
    throw new SwarmError('invalid', 'result and commit are missing: the clone is with you, and you test it.');
  const details = typeof input.details === 'string' ? input.details : JSON.stringify(input.details);
  const told = { result, commit, tag: input.tag, promoted: false, reason: null, output: '' };
  return writeLast(call, recordStabilization, {
    input: { ...input, result, commit, details },
    answer: ({ stabilization, task, mayPromote }) => ({ ...told, stabilization, task, promote: mayPromote }),
  });
});

const promoting = hostedRoute(api.promoteRepo, async (call, input) => {
  const { repoId } = input;
  const workflow = await workflowOf(call, repoId);
  if (workflow) {
    await requireLevel(call, repoId, 'maintain');
    const done = await promote(workflow, { tag: input.tag });
    if (done.promoted) pushSoon(call.face, workflow, { tags: true });
    return { ...done, promotion: null };
  }
  const toCommit = input.toCommit ?? input.commit;
  if (toCommit === undefined) throw new SwarmError('invalid', 'commit is missing: the clone is with you.');
  const repo = await call.authority.call(getRepo, { repoId });
  const triggeredBy = input.triggeredBy ?? (await impliedTrigger(call, repoId));
  await call.authority.call(requestPromotion, { repoId, toCommit, automatic: triggeredBy === 'auto' });
  const { fromCommit, untested } = input;
  const { bufferBranch: from, promoteTarget: to } = repo;
  return writeLast(call, recordPromotion, {
    input: { repoId, fromCommit, toCommit, untested, triggeredBy },
    answer: (promotion) => ({ promoted: true, from, to, fromCommit, toCommit, untested, promotion }),
  });
});

/** Whoever tested it records what moves by itself where the settings say so; the rest is for maintainers. */
async function impliedTrigger({ authority, caller }: HostedCall, repoId: string): Promise<'auto' | 'manual'> {
  const { level } = await authority.call(explainAccess, { repoId, agent: caller.actor.id });
  return includesLevel(level, 'maintain') ? 'manual' : 'auto';
}

export const repoRoutes = [
  create,
  settings,
  updateRepo,
  showSettings,
  reportFile,
  trust,
  run,
  revert,
  stabilizing,
  promoting,
];
