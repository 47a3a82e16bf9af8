import { plain, plainLine } from '../../base/plain-text.ts';
import { listStabilizations } from '../../contract/stabilizations.ts';
import { push } from '../../workflows/push.ts';
import { recover } from '../../workflows/recover.ts';
import { type StabilizeResult, stabilize } from '../../workflows/stabilize.ts';
import type { Workflow } from '../../workflows/workflow.ts';
import type { Command, Options } from '../command.ts';
import { offerTrust } from '../offer-trust.ts';
import { durationOption, flagOption } from '../options.ts';
import { count, duration, relativeTime } from '../output/hints.ts';
import type { Style } from '../output/style-text.ts';
import { requireNetwork } from '../require-network.ts';
import type { Session } from '../session.ts';
import { promoteStep } from '../who-may.ts';
import { historyCommand } from './history.ts';

const options = [
  { flags: '--timeout <time>', summary: 'end the command after this time (seconds or 10m)' },
  { flags: '--no-revert', summary: 'find the culprit, but leave it in' },
  { flags: '--push', summary: 'push buffer, target and tag afterwards' },
];

async function run(session: Session, _args: string[], given: Options) {
  const workflow = await session.workflow();
  await recover(workflow);
  await offerTrust(session, workflow);
  const wantsPush = flagOption(given, 'push');
  if (wantsPush) requireNetwork(session);
  const result = await stabilize(workflow, {
    timeoutMs: durationOption(given, 'timeout'),
    revert: given.revert !== false,
  });
  const pushed =
    wantsPush || (workflow.repo.config.push === 'auto' && !session.flags.offline)
      ? await push(workflow, result.tag)
      : [];
  return {
    data: {
      result: result.result,
      commit: result.commit,
      ...(result.tag ? { tag: result.tag } : {}),
      durationMs: result.durationMs,
      ...(result.culprit
        ? {
            culprit: {
              mergeId: result.culprit.merge.id,
              streamId: result.culprit.merge.streamId,
              handle: result.culprit.stream?.handle ?? null,
            },
          }
        : {}),
      ...(result.reverted
        ? {
            reverted: {
              commit: result.reverted.commit,
              bufferAfter: result.reverted.bufferAfter,
              healed: result.healed,
            },
          }
        : {}),
      ...(result.task ? { taskId: result.task.id } : {}),
      promoted: result.promoted,
      frozen: result.frozen,
      ...(result.reason ? { reason: result.reason } : {}),
      runs: result.runs,
      pushed,
      output: result.output,
    },
    exit: result.result === 'green' ? 0 : 6,
    text: () => resultText(result, session.output.style),
    next: await nextStep(workflow, result),
  };
}

function resultText(result: StabilizeResult, style: Style): string {
  const at = `@ ${result.commit.slice(0, 10)} in ${duration(result.durationMs)}`;
  if (result.result === 'green') {
    return [
      `${style.green('GREEN')} ${at}`,
      `  tag ${result.tag}`,
      ...(result.promoted ? ['  promoted'] : []),
    ].join('\n');
  }
  const tail = plain(result.output)
    .trimEnd()
    .split('\n')
    .slice(-15)
    .map((line) => `  | ${line}`);
  if (result.result === 'error') {
    return [
      `${style.yellow('ERROR')} ${at}: ${plainLine(result.reason ?? '')}`,
      ...tail,
      'Nothing was reverted and nobody is blamed.',
    ].join('\n');
  }
  const lines = [`${style.red('RED')} ${at}, ${count(result.runs, 'run')}`, ...tail];
  const { culprit, reverted, task } = result;
  if (culprit)
    lines.push(
      `culprit  ${culprit.stream?.handle ?? culprit.merge.handle} "${plainLine(culprit.stream?.name ?? '')}"`,
    );
  else if (result.reason) lines.push(plainLine(result.reason));
  if (reverted)
    lines.push(
      `reverted ${reverted.commit.slice(0, 10)}; the buffer is ${result.healed ? style.green('green') : 'still red'} now`,
    );
  if (task) lines.push(`task     ${task.handle} ${task.priority} "${plainLine(task.title)}"`);
  if (result.frozen) lines.push('frozen   only reverts and declared fixes land until the buffer is green');
  return lines.join('\n');
}

async function nextStep(workflow: Workflow, result: StabilizeResult): Promise<string | undefined> {
  if (result.result === 'green') return promoteStep(workflow);
  if (result.task) return `gitswarm workspace create --task ${result.task.handle}`;
  return result.result === 'error' ? 'gitswarm config explain stabilize_command' : 'gitswarm queue list';
}

const history = historyCommand({
  name: 'stabilize history',
  summary: 'Earlier tests of the buffer, newest first.',
  none: 'The buffer has not been tested yet.',
  async list({ authority, repo }, limit) {
    return (await authority.call(listStabilizations, { repoId: repo.id, limit })).items;
  },
  columns: (now) => [
    { title: 'RESULT', value: (each) => each.result },
    { title: 'COMMIT', value: (each) => each.commit.slice(0, 10) },
    { title: 'WHEN', value: (each) => relativeTime(each.stabilizedAt, now) },
    { title: 'TOOK', value: (each) => duration(each.durationMs), align: 'right' },
    { title: 'TAG', value: (each) => each.tag ?? '' },
  ],
});

const summary = 'Test the tip of the buffer; green: tag it; red: find, revert and report what broke it.';
export const commands: Command[] = [
  { name: 'stabilize', summary, actor: 'author', options, run },
  { name: 'stabilize run', summary, actor: 'author', options, run },
  history,
];
