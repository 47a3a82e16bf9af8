import * as z from 'zod';
import type { Machine } from './machine.ts';

const Files = z.array(z.tuple([z.string(), z.string()]));

/** The .gitattributes files (path and blob) of the tree that was merged into last; undefined where nothing usable is kept. */
export function findKnownAttributes(
  machine: Machine,
): { tree: string; attributes: ReadonlyMap<string, string> } | undefined {
  const row = machine.get<{ tree: string; attributes: string }>(
    'select tree, attributes from known_attributes',
  );
  if (!row) return undefined;
  const files = Files.safeParse(JSON.parse(row.attributes));
  return files.success ? { tree: row.tree, attributes: new Map(files.data) } : undefined;
}

export function recordKnownAttributes(
  machine: Machine,
  known: { tree: string; attributes: ReadonlyMap<string, string> },
): void {
  const sql = `insert into known_attributes values (1, ?, ?)
    on conflict do update set tree = excluded.tree, attributes = excluded.attributes`;
  machine.run(sql, known.tree, JSON.stringify([...known.attributes]));
}
