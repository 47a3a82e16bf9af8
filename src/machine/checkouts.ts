import { newId } from '../base/ids.ts';
import type { Machine } from './machine.ts';

/** A directory in which commands run on some commit, kept for the next run. */
export interface Checkout {
  id: string;
  path: string;
  /** The process that uses it, or null where it is free. */
  holder: string | null;
  /** The commit it was last given back at; null where its content is not known and must be made anew. */
  oid: string | null;
  setup_hash: string | null;
  used_at: string;
}

/**
 * Takes a free checkout for this process, best one with the same setup, then the same commit; undefined where none is
 * free. One whose process died is free too, with its content unknown.
 */
export function takeCheckout(
  machine: Machine,
  { oid, setupHash, at }: { oid: string; setupHash: string | null; at: string },
): Checkout | undefined {
  return machine.write(() => {
    releaseOrphans(machine);
    return machine.get<Checkout>(
      `update checkout set holder = ?1, used_at = ?2 where id = (
        select id from checkout where holder is null
        order by setup_hash is ?3 desc, oid is ?4 desc, used_at desc, id limit 1
      ) returning *`,
      machine.holder,
      at,
      setupHash,
      oid,
    );
  });
}

/** Adds a checkout that is taken by this process at once. */
export function insertCheckout(machine: Machine, { path, at }: { path: string; at: string }): Checkout {
  const checkout: Checkout = {
    id: newId(),
    path,
    holder: machine.holder,
    oid: null,
    setup_hash: null,
    used_at: at,
  };
  machine.run(
    'insert into checkout (id, path, holder, used_at) values (?, ?, ?, ?)',
    checkout.id,
    path,
    checkout.holder,
    at,
  );
  return checkout;
}

/** Gives a checkout of this process back, with what it now holds; false where it is not held by this process. */
export function giveBackCheckout(
  machine: Machine,
  id: string,
  { oid, setupHash, at }: { oid: string | null; setupHash: string | null; at: string },
): boolean {
  const sql =
    'update checkout set holder = null, oid = ?, setup_hash = ?, used_at = ? where id = ? and holder = ?';
  return machine.run(sql, oid, setupHash, at, id, machine.holder) === 1;
}

/** Forgets a checkout whose directory was removed. */
export function deleteCheckout(machine: Machine, id: string): void {
  machine.run('delete from checkout where id = ?', id);
}

export function listCheckouts(machine: Machine): Checkout[] {
  return machine.all<Checkout>('select * from checkout order by used_at, id');
}

function releaseOrphans(machine: Machine): void {
  for (const { id, holder } of machine.all<Checkout>('select * from checkout where holder is not null')) {
    if (holder !== null && machine.isAlive(holder)) continue;
    machine.run('update checkout set holder = null, oid = null, setup_hash = null where id = ?', id);
  }
}
