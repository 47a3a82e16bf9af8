import type { PlanStatus } from '../../contract/workplans.ts';
import type { TaskBlock } from './parse-workplan.ts';
import { parseWorkplan } from './parse-workplan.ts';

/** The key under which a block keeps the id of its task, and the other ones that are read. */
export const TASK_ID_KEY = 'state_hub_task_id';
export const TASK_ID_KEYS = [TASK_ID_KEY, 'gitswarm_task_id'] as const;

/** Bytes `start` to `end` of a file become `text`; of equal ones nothing but that changes. */
export interface Splice {
  start: number;
  end: number;
  text: string;
}

/** The splice that writes a status over the one a block has, quotes and comment left as they are. */
export function statusSplice(block: TaskBlock, status: PlanStatus): Splice | undefined {
  const field = block.fields.get('status');
  if (!field || field.value === '') return undefined;
  const { start, end } = field.span;
  const isQuoted = end - start === field.value.length + 2;
  return isQuoted ? { start: start + 1, end: end - 1, text: status } : { start, end, text: status };
}

/** The splice that gives a block the id of its task: in the empty field that waits for it, else as its last line. */
export function taskIdSplice(block: TaskBlock, taskId: string): Splice {
  const field = TASK_ID_KEYS.map((key) => block.fields.get(key)).find((each) => each !== undefined);
  if (field) return { ...field.span, text: `${field.needsBlank ? ' ' : ''}"${taskId}"` };
  const at = block.insertAt;
  return { start: at, end: at, text: `${block.indent}${TASK_ID_KEY}: "${taskId}"${block.eol}` };
}

/** The file with these splices, which do not overlap; every other byte is the same. */
export function applySplices(bytes: Buffer, splices: readonly Splice[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of [...splices].sort((a, b) => a.start - b.start)) {
    parts.push(bytes.subarray(at, start), Buffer.from(text, 'utf8'));
    at = end;
  }
  return Buffer.concat([...parts, bytes.subarray(at)]);
}

/**
 * True where two versions of a workplan differ only in what we write: status values, and ids of tasks where there were
 * none. Only then may a commit that says it is ours be taken for ours.
 */
export function differsOnlyInOurs(before: Buffer, after: Buffer): boolean {
  const [bare, other] = [withoutOurs(before), withoutOurs(after)];
  return bare !== undefined && other !== undefined && bare.equals(other);
}

function withoutOurs(bytes: Buffer): Buffer | undefined {
  const parsed = parseWorkplan(bytes);
  if (parsed.kind !== 'workplan') return undefined;
  const splices = parsed.plan.blocks.flatMap((block): Splice[] => {
    if (block.problems.length > 0) return [];
    const status = statusSplice(block, 'todo');
    const ids = TASK_ID_KEYS.flatMap((key) => block.fields.get(key) ?? []);
    const lines = ids.map((field) => ({ ...wholeLine(bytes, field.span.start), text: '' }));
    return status ? [status, ...lines] : lines;
  });
  return applySplices(bytes, splices);
}

function wholeLine(bytes: Buffer, inside: number): { start: number; end: number } {
  const end = bytes.indexOf(10, inside);
  const start = inside === 0 ? 0 : bytes.lastIndexOf(10, inside - 1) + 1;
  return { start, end: end < 0 ? bytes.length : end + 1 };
}
