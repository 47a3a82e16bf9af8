import { plain, plainLine } from '../../base/plain-text.ts';
import type { Claim, Task } from '../../contract/tasks.ts';
import type { Answer } from '../command.ts';
import { pairs } from '../output/table.ts';

/** A task with all that is known of it. */
export function taskAnswer(task: Task): Answer {
  return { data: task, text: () => taskText(task) };
}

/** A claim with its task, after something happened to it. */
export function claimAnswer(claimed: { task: Task; claim: Claim }, what: string): Answer {
  const { task, claim } = claimed;
  return {
    data: claimed,
    text: () =>
      [
        `${what} ${task.handle} "${plainLine(task.title)}"`,
        ...(claim.leaseUntil ? [`  until ${claim.leaseUntil}, renewed by work on its stream`] : []),
      ].join('\n'),
  };
}

export function taskText(task: Task): string {
  const list = (values: string[]) => (values.length > 0 ? values.map(plainLine).join(', ') : undefined);
  const fields = pairs([
    ['handle', task.handle],
    ['title', plainLine(task.title)],
    ['status', stateWords(task)],
    ['priority', task.priority],
    ['amount', task.amount > 0 ? String(task.amount) : undefined],
    ['labels', list(task.labels)],
    ['paths', list(task.paths)],
    ['difficulty', task.difficulty ? plainLine(task.difficulty) : undefined],
    ['depends on', task.dependsOn.length > 0 ? task.dependsOn.join(', ') : undefined],
    ['expires', task.expiresAt ?? undefined],
    ['id', task.id],
  ]);
  const acceptance = task.acceptance.map((each) => `  - ${plainLine(each)}`);
  return [
    fields,
    ...(acceptance.length > 0 ? ['accepted when', ...acceptance] : []),
    ...(task.description ? ['', plain(task.description)] : []),
  ].join('\n');
}

/** `ready`, `claimed until …`, `open, waits for 2 tasks`, `open, blocked: …`. */
function stateWords(task: Task): string {
  if (task.ready) return 'ready';
  const words: string[] = [task.status];
  if (task.status === 'claimed' && task.claim?.leaseUntil)
    words[0] = `claimed until ${task.claim.leaseUntil}`;
  if (task.blockedReason) words.push(`blocked: ${plainLine(task.blockedReason)}`);
  if (task.status === 'open' && task.waitsFor.length > 0)
    words.push(`waits for ${task.waitsFor.length} of its dependencies`);
  return words.join(', ');
}
