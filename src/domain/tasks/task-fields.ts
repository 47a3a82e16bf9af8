import * as z from 'zod';
import type { Db, Tx } from '../../db/database.ts';
import type { TaskRow } from '../../db/tables.ts';
import { listDependencies, replaceDependencies } from './dependencies-store.ts';
import { updateTaskRow } from './tasks-store.ts';

/** What can be changed of a task, each field as the text that is stored, so that two states can be compared. */
export const TaskFields = z.object({
  title: z.string(),
  description: z.string(),
  priority: z.string(),
  labels: z.string(),
  paths: z.string(),
  acceptance: z.string(),
  dependsOn: z.string(),
});
export type TaskFields = z.infer<typeof TaskFields>;
export type SomeTaskFields = { [K in keyof TaskFields]?: string | undefined };

const KEYS = TaskFields.keyof().options;

/** The stored text of a list of ids, the same for every order. */
export function idsField(ids: string[]): string {
  return JSON.stringify([...new Set(ids)].sort());
}

export async function readTaskFields(db: Db, task: TaskRow): Promise<TaskFields> {
  const edges = await listDependencies(db, [task.id]);
  const { title, description, priority, labels, paths, acceptance } = task;
  const dependsOn = idsField(edges.map((edge) => edge.depends_on_id));
  return { title, description, priority, labels, paths, acceptance, dependsOn };
}

export async function writeTaskFields(
  tx: Tx,
  task: TaskRow,
  { fields, now }: { fields: SomeTaskFields; now: string },
): Promise<TaskRow> {
  const { dependsOn, ...columns } = fields;
  if (dependsOn !== undefined)
    await replaceDependencies(tx, task.id, z.array(z.string()).parse(JSON.parse(dependsOn)));
  const given = Object.entries(columns).filter(([, text]) => text !== undefined);
  return updateTaskRow(tx, task.id, { ...Object.fromEntries(given), updated_at: now });
}

/** The fields of `after` that are not what they were, with what they were. */
export function changedFields(
  before: TaskFields,
  after: SomeTaskFields,
): { keys: (keyof TaskFields)[]; before: SomeTaskFields; after: SomeTaskFields } {
  const keys = KEYS.filter((key) => after[key] !== undefined && after[key] !== before[key]);
  return { keys, before: pick(before, keys), after: pick(after, keys) };
}

function pick(fields: SomeTaskFields, keys: (keyof TaskFields)[]): SomeTaskFields {
  return Object.fromEntries(keys.map((key) => [key, fields[key]]));
}
