import { createHash } from 'node:crypto';
import { newId } from '../../base/ids.ts';

/**
 * The id of the task of a new block. It follows from the block alone, so that two machines which meet the same new
 * block, each with a database of its own, give it the same id and their files do not clash. Its time is the day the
 * plan was created and its number within the plan, so that tasks sort as they are written.
 */
export function planTaskId(blockId: string, created: string): string {
  const day = /^\d{4}-\d\d-\d\d$/.test(created) ? Date.parse(created) : Number.NaN;
  const number = Number(/(\d{1,6})\D*$/.exec(blockId)?.[1] ?? 0);
  const time = Number.isNaN(day) || day < 0 ? number : day + number;
  return newId(time, createHash('sha256').update(`task of block ${blockId}`).digest());
}
