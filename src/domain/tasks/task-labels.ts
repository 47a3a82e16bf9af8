import { SwarmError } from '../../contract/errors.ts';

/** What labels of this program's own begin with: by them it finds its tasks again, and ends them by itself. */
const RESERVED = ['conflict:', 'evicted:', 'culprit:', 'for:'];

export function isReservedLabel(label: string): boolean {
  return RESERVED.some((prefix) => label.startsWith(prefix));
}

/** Refuses labels that only this program gives; those that a task has already may stay. */
export function refuseReservedLabels(labels: readonly string[], had: readonly string[] = []): void {
  const reserved = labels.find((label) => isReservedLabel(label) && !had.includes(label));
  if (reserved === undefined) return;
  throw new SwarmError('invalid', `The label "${reserved}" is given by GitSwarm alone.`, {
    fix: `Choose a label that begins with none of ${RESERVED.join(' ')}.`,
    details: { label: reserved, reserved: RESERVED },
  });
}

/** The label of a task that was opened for one agent: it is offered to that agent before its equals. */
export function labelFor(agentId: string): string {
  return `for:${agentId}`;
}

export function conflictLabel(stream: { id: string }): string {
  return `conflict:${stream.id}`;
}

export function evictionLabel(stream: { id: string }): string {
  return `evicted:${stream.id}`;
}

export function culpritLabel(merge: { id: string }): string {
  return `culprit:${merge.id}`;
}
